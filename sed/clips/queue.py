"""What waits to be written: bounded, so that a disk that hangs costs sound in clips and never memory."""

import threading
from collections import deque

from sed.clips.clip import Clip
from sed.signals import Block

LIMIT = 1_000_000
"""Samples that may wait, 4 MB: a minute of one source."""

GATHER = 8_000
"""So many samples, or the end of a clip, wake who writes them: to wake for every block costs more than FLAC does."""

Work = tuple[Clip, Block | None]
"""The next samples of a clip, or that it is over."""


class ClipQueue:
    """Many put, one gets. The lock is held for moments, never while a disk is waited for."""

    def __init__(self, limit: int = LIMIT) -> None:
        """`limit` is in samples."""
        self._limit, self._samples = limit, 0
        self._work: deque[Work] = deque()
        self._changed = threading.Condition()
        self._ready = self._closed = False

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._work

    @property
    def over(self) -> bool:
        """Whether it is closed and empty."""
        return self._closed and not self._work

    def put(self, clip: Clip, block: Block | None) -> bool:
        """Never waits; whether there was room. That a clip is over always fits."""
        count = 0 if block is None else len(block.samples)
        with self._changed:
            if count and self._samples + count > self._limit:
                return False
            self._samples += count
            self._work.append((clip, block))
            if block is None or self._samples >= GATHER:
                self._wake()
        return True

    def get(self, timeout: float) -> Work | None:
        """The oldest; None if nothing waits at the end, at a nudge, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._closed, timeout)
            self._ready = len(self._work) > 1  # once awake it takes all there is
            if not self._work:
                return None
            clip, block = self._work.popleft()
            self._samples -= 0 if block is None else len(block.samples)
            return clip, block

    def nudge(self) -> None:
        """Wake who waits for work."""
        with self._changed:
            self._wake()

    def close(self) -> None:
        """Nothing more will be put."""
        with self._changed:
            self._closed = True
            self._wake()

    def _wake(self) -> None:
        self._ready = True
        self._changed.notify()
