"""The ring buffer between a source's thread and the detector's: the writer never waits."""

import threading
from collections.abc import Iterator

import numpy as np

from sed.signals import Block, Floats

CHECK_SECONDS = 1.0
"""The longest the reader sleeps without looking: no wait is for ever."""


class RingBuffer:
    """A fixed number of samples for one writer and one reader.

    The writer overwrites the oldest samples; what the reader missed shows as a jump in `Block.start` and in `lost`.
    Neither side holds a lock while samples are copied: the writer says how far it is about to write, the reader copies
    and then looks whether that reached what it copied.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"need capacity >= 1, got {capacity}")
        self._samples = np.zeros(capacity, np.float32)
        self._reserved = 0  # samples ever written, the ones being written now included
        self._written = 0  # samples ever written
        self._read = 0  # samples ever read or lost
        self._closed = False
        self._arrived = threading.Event()
        self._left = threading.Event()
        self.lost = 0
        """Samples overwritten before they were read, or skipped by the writer."""

    @property
    def waiting(self) -> int:
        """Samples written and not yet read."""
        return self._written - self._read

    def write(self, samples: Floats) -> None:
        """Append samples, overwriting the oldest; never waits."""
        if len(samples) == 0:
            return
        capacity = len(self._samples)
        kept = samples[-capacity:]
        self._reserved = self._written + len(samples)
        first = (self._reserved - len(kept)) % capacity
        head = min(len(kept), capacity - first)
        self._samples[first : first + head] = kept[:head]
        self._samples[: len(kept) - head] = kept[head:]
        self._written = self._reserved
        self._arrived.set()

    def wait_for_room(self, samples: int, timeout: float) -> bool:
        """Wait until `samples` can be written without a loss: for sources that can be held up, such as files."""
        if samples > len(self._samples):
            raise ValueError(f"need at most {len(self._samples)} samples, got {samples}")
        while len(self._samples) - self.waiting < samples and not self._closed:
            self._left.clear()
            if len(self._samples) - self.waiting < samples and not self._left.wait(timeout):
                return False
        return True

    def close(self) -> None:
        """No more will be written; the reader gets what is left."""
        self._closed = True
        self._arrived.set()
        self._left.set()

    def blocks(self, size: int) -> Iterator[Block]:
        """Blocks of at least `size` samples (the last may be shorter) until the ring is closed and empty."""
        while True:
            closed = self._closed  # read before `waiting`: what was written before the closing is never left behind
            if self.waiting >= size or (closed and self.waiting):
                yield self._take()
            elif closed:
                return
            else:
                self._arrived.clear()
                if self.waiting < size and not self._closed:
                    self._arrived.wait(CHECK_SECONDS)

    def _take(self) -> Block:
        capacity = len(self._samples)
        while True:
            end = self._written
            start = max(self._read, end - capacity)
            first, last = start % capacity, (end - 1) % capacity + 1
            parts = (self._samples[first:last],) if first < last else (self._samples[first:], self._samples[:last])
            samples = np.concatenate(parts)
            if start >= self._reserved - capacity:  # nothing of it was overwritten while it was copied
                break
        self.lost += start - self._read
        self._read = end
        self._left.set()
        return Block(start, samples)
