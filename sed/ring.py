"""The ring buffer between a source's thread and the detector's: the writer never waits."""

import threading
from collections import deque
from collections.abc import Iterator

import numpy as np

from sed.signals import Block, Floats

CHECK_SECONDS = 1.0
"""The longest the reader sleeps without looking: no wait is for ever."""


class RingBuffer:
    """A fixed number of samples for one writer and one reader.

    The writer overwrites the oldest samples; what the reader missed shows as a jump in `Block.start` and in `lost`.
    What was never captured is skipped: it takes no room, and `start` jumps over it. Neither side holds a lock while
    samples are copied: the writer says how far it is about to write, the reader copies and then looks whether that
    reached what it copied.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"need capacity >= 1, got {capacity}")
        self._samples = np.zeros(capacity, np.float32)
        self._reserved = 0  # samples ever written, the ones being written now included
        self._written = 0  # samples ever written
        self._read = 0  # samples ever read or overwritten
        self._gaps: deque[tuple[int, int]] = deque()  # (samples written before it, samples skipped), not yet reached
        self._skipped = 0  # samples skipped before what was read last
        self._end = 0
        self._closed = False
        self._arrived = threading.Event()
        self._left = threading.Event()
        self.lost = 0
        """Samples overwritten before they were read, or skipped by the writer."""

    @property
    def waiting(self) -> int:
        """Samples written and not yet read."""
        return self._written - self._read

    @property
    def end(self) -> int:
        """The number of the next sample to be written."""
        return self._end

    def skip(self, samples: int) -> None:
        """Say that the next `samples` were never captured: a jump, counted as lost once the reader comes to it."""
        if samples < 1:
            raise ValueError(f"need samples >= 1, got {samples}")
        self._gaps.append((self._written, samples))
        self._end += samples
        self._arrived.set()

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
        self._end += len(samples)
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
        """Blocks of at least `size` samples until the ring is closed and empty.

        The last one, and one before a gap, may be shorter; one behind a gap may be empty, so that a gap is known at
        once.
        """
        while True:
            closed = self._closed  # read before `waiting`: what was written before the closing is never left behind
            if self.waiting >= size or self._gaps or (closed and self.waiting):
                yield self._take()
            elif closed:
                return
            else:
                self._arrived.clear()
                if self.waiting < size and not self._gaps and not self._closed:
                    self._arrived.wait(CHECK_SECONDS)

    def _take(self) -> Block:
        capacity = len(self._samples)
        while True:
            written = self._written
            start = max(self._read, written - capacity)
            end = self._whole(start, written)
            samples = self._copied(start, end)
            if start >= self._reserved - capacity:  # nothing of it was overwritten while it was copied
                break
        self.lost += start - self._read
        self._read = end
        self._left.set()
        return Block(start + self._skipped, samples)

    def _copied(self, start: int, end: int) -> Floats:
        capacity = len(self._samples)
        first, last = start % capacity, end % capacity
        if start == end or first < last:
            return self._samples[first:last].copy()
        return np.concatenate((self._samples[first:], self._samples[:last]))

    def _whole(self, start: int, end: int) -> int:
        """How far the samples from `start` on have no gap in them; the gaps before them are done with."""
        while self._gaps and self._gaps[0][0] <= start:
            _, skipped = self._gaps.popleft()
            self._skipped += skipped
            self.lost += skipped
        return min(end, self._gaps[0][0]) if self._gaps else end
