"""Levels of the sound heard, in dBFS: for the events, for the broker, and to tell silence from a dead microphone."""

import numpy as np

from sed.signals import FLOOR_DBFS, Block, Floats

WINDOW = 0.04
"""Seconds over which a level is taken."""


class LevelMeter:
    """Mean power of each 40 ms, remembered for the last minute.

    0 dBFS is a full-scale square wave (AES17 puts a full-scale sine at 0; here it is -3.01). Silence is the floor.
    """

    def __init__(self, sample_rate: int, seconds: float = 60.0) -> None:
        self._window = round(WINDOW * sample_rate)
        self._powers = np.zeros(round(seconds / WINDOW), np.float32)
        self.reset()

    def reset(self, at: int = 0) -> None:
        """Forget everything; the next block begins at sample `at`."""
        self._origin = at
        self._count = 0  # windows since the origin
        self._filled, self._energy = 0, 0.0  # of the window that is not whole yet

    def push(self, block: Block) -> None:
        """Take in the next samples."""
        at, samples = 0, block.samples
        while at < len(samples):
            part = samples[at : at + self._window - self._filled]
            self._energy += float(np.dot(part, part))
            self._filled += len(part)
            at += len(part)
            if self._filled == self._window:
                self._powers[self._count % len(self._powers)] = self._energy / self._window
                self._count += 1
                self._filled, self._energy = 0, 0.0

    @property
    def powers(self) -> Floats:
        """Those of all whole windows since the origin, as far back as is remembered."""
        first = max(0, self._count - len(self._powers))
        powers: Floats = self._powers[np.arange(first, self._count) % len(self._powers)]
        return powers

    def loudest(self, start: int, end: int) -> float:
        """The highest level between two samples, as far back as is remembered, in dBFS."""
        last = min(self._count, -((self._origin - end) // self._window))
        first = max(0, self._count - len(self._powers), (start - self._origin) // self._window)
        if first >= last:
            return FLOOR_DBFS
        return dbfs(float(self._powers[np.arange(first, last) % len(self._powers)].max()))


def dbfs(power: float) -> float:
    """Mean power, full scale being 1, as dBFS with a floor at -120."""
    return max(FLOOR_DBFS, 10.0 * float(np.log10(max(power, 1e-30))))
