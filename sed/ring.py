"""The ring buffer between a source's thread and the detector's: the writer never waits."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from sed.signals import Block, Floats

CHECK_SECONDS = 1.0
"""The longest the reader sleeps without looking: no wait is for ever."""


class RingBuffer:
    """A fixed number of samples for one writer and one reader.

    The writer overwrites the oldest samples; what the reader missed shows as a jump in `Block.start` and in `lost`.
    What was never captured is skipped: it takes no room, and `start` jumps over it. Neither side holds a lock while
    samples are copied: the writer says how far it is about to write, the reader copies and then looks whether that
    reached what it copied. What was read stays until it is overwritten, and can be read again: `past`.
    """

    def __init__(self, capacity: int, lead: int = 0) -> None:
        if capacity < 1:
            raise ValueError(f"need capacity >= 1, got {capacity}")
        self._samples = np.zeros(capacity, np.float32)
        self._reserved = 0  # samples ever written, the ones being written now included
        self._written = 0  # samples ever written
        self._read = 0  # samples ever read or overwritten
        self._gaps: deque[tuple[int, int]] = deque()  # (samples written before it, samples skipped), not yet reached
        self._skipped = 0  # samples skipped before what was read last
        self._stretches = deque([(0, 0)])  # (samples written before it, samples skipped before it), as far as is held
        self._end = 0
        self._closed = False
        self.lead = lead
        """Samples that a live source may leave out when it begins: its blocks end where the detector's rows do then."""
        self._wanted = 1  # samples waiting that wake the reader
        self._arrived = threading.Event()
        self._left = threading.Event()
        self.overwritten = 0
        """Samples overwritten before they were read."""
        self.missed = 0
        """Samples skipped by the writer, as far as the reader has come."""

    @property
    def lost(self) -> int:
        """Samples overwritten or missed."""
        return self.overwritten + self.missed

    @property
    def waiting(self) -> int:
        """Samples written and not yet read."""
        return self._written - self._read

    @property
    def over(self) -> bool:
        """Whether all has been read and no more will be written."""
        return self._closed and self._written == self._read and not self._gaps

    @property
    def end(self) -> int:
        """The number of the next sample to be written."""
        return self._end

    @property
    def position(self) -> int:
        """The number of the next sample to be read, as far as the reader has come."""
        return self._read + self._skipped

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
        if self.waiting >= self._wanted:
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

    def blocks(self, size: int | Callable[[], int]) -> Iterator[Block]:
        """Blocks of at least `size` samples until the ring is closed and empty; `size` may be asked for each time.

        The last one, and one before a gap, may be shorter; one behind a gap may be empty, so that a gap is known at
        once.
        """
        while True:
            closed = self._closed  # read before `waiting`: what was written before the closing is never left behind
            least = size() if callable(size) else size
            if self.waiting >= least or self._gaps or (closed and self.waiting):
                yield self._take()
            elif closed:
                return
            else:
                self._wanted = least
                self._arrived.clear()
                if self.waiting < least and not self._gaps and not self._closed:
                    self._arrived.wait(CHECK_SECONDS)

    def poll(self, unit: int, most: int) -> Block | None:
        """What waits, at once: a whole number of `unit` samples, `most` at most; None if there is not one `unit`.

        What lies before a gap or the end comes in any length; one behind a gap may be empty.
        """
        closed = self._closed
        if self.waiting >= unit or self._gaps or (closed and self.waiting):
            return self._take(1 if closed else unit, most)
        return None

    def past(self, start: int) -> list[Block]:
        """What is still held of the samples that were read, from number `start` on; a jump is what is not.

        For the reader's thread. The writer may overwrite the oldest while they are copied: those are left out.
        """
        oldest, ends = self._reserved - len(self._samples), [*(at for at, _ in self._stretches), self._read]
        held: list[tuple[int, int, Floats]] = []  # samples written before, samples skipped before, samples
        for (at, skipped), end in zip(self._stretches, ends[1:], strict=True):
            first = max(at, oldest, start - skipped)
            if first < end:
                held.append((first, skipped, self._copied(first, end)))
        torn = self._reserved - len(self._samples)  # what was written before was overwritten in the meantime
        whole = ((max(0, torn - first), first + skipped, samples) for first, skipped, samples in held)
        return [Block(start + cut, samples[cut:]) for cut, start, samples in whole if cut < len(samples)]

    def _take(self, unit: int = 1, most: int | None = None) -> Block:
        capacity = len(self._samples)
        while True:
            written = self._written
            start = max(self._read, written - capacity)
            end = self._whole(start, written)
            if end == written and not (self._gaps and self._gaps[0][0] == end):
                end -= (end - start) % unit
            end = min(end, start + (most or capacity))
            samples = self._copied(start, end)
            if start >= self._reserved - capacity:  # nothing of it was overwritten while it was copied
                break
        self.overwritten += start - self._read
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
            at, skipped = self._gaps.popleft()
            self._skipped += skipped
            self.missed += skipped
            self._stretches.append((at, self._skipped))
        while len(self._stretches) > 1 and self._stretches[1][0] <= self._reserved - len(self._samples):
            self._stretches.popleft()
        return min(end, self._gaps[0][0]) if self._gaps else end
