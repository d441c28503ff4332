"""How far the sound heard is from what the model was trained on, band by band."""

from dataclasses import dataclass

import numpy as np

from sed.metadata import Heard
from sed.signals import Frames

EVERY = 10
"""Of so many frames one is looked at: a slow mean needs no more."""

MEMORY_SECONDS = 600.0
"""The time constant of the mean; a younger one counts all frames alike."""

SETTLE_SECONDS = 10.0
"""Before so much sound nothing is said."""


@dataclass(frozen=True, slots=True)
class Distance:
    """In spreads of the training set: 0 is as trained.

    Measured with earwitness-1 on 98 beds of its valid split (5th, 50th and 95th of a hundred). Level: -0.7, 0.1, 0.5 at
    -50 dBFS; -1.7, -1.0, -0.6 at -80. Spectrum, at any level: 0.1, 0.2, 0.4; muffled above 1 kHz 0.6, 0.8, 0.9; cut at
    3.4 kHz 0.4, 0.5, 0.7; under a mains hum 20 dB above the sound 0.3, 0.5, 0.85.
    """

    level: float
    """Mean over the bands of (heard - trained) / spread: below 0 it is quieter than the mean training scene."""
    spectrum: float
    """Mean over the bands of |(heard - trained) / spread - level|: what is left when the level is put right."""


class Drift:
    """The slow running mean of each mel band of one source, and its distance from the training set's.

    Any chunking of the frames gives the same, for every tenth frame of the sound counts.
    """

    def __init__(self, trained: Heard, frame_seconds: float) -> None:
        """`frame_seconds` is the time between two frames."""
        self._trained = np.array(trained.mean)
        self._spread = np.array(trained.spread)
        self._mean = np.zeros(len(trained.mean))
        self._seconds = EVERY * frame_seconds
        self._seen = 0

    def push(self, frames: Frames) -> None:
        """Take in the next frames, (n, mels) in dB."""
        first = -(frames.start // frames.hop) % EVERY
        for frame in frames.values[first::EVERY]:
            self._seen += 1
            self._mean += (frame - self._mean) * max(1.0 / self._seen, self._seconds / MEMORY_SECONDS)

    def distance(self) -> Distance | None:
        """How far it is now; any thread may ask. None until there is enough sound to tell."""
        if self._seen * self._seconds < SETTLE_SECONDS:
            return None
        away = (self._mean - self._trained) / self._spread
        level = float(away.mean())
        return Distance(level, float(np.abs(away - level).mean()))
