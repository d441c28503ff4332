"""Time without pitch, and pitch without time: Signalsmith Stretch, which keeps onsets where they belong."""

import numpy as np
from python_stretch import Signalsmith

from sed.signals import Floats


def stretched(samples: Floats, rate: int, factor: float) -> Floats:
    """`samples` `factor` times as fast at the same pitch: (n,) to (n / factor,)."""
    return _processed(samples, rate, factor, 0.0)


def pitched(samples: Floats, rate: int, semitones: float) -> Floats:
    """`samples` higher by `semitones`, lower if negative, at the same speed: (n,) to (n,)."""
    return _processed(samples, rate, 1.0, semitones)


def _processed(samples: Floats, rate: int, factor: float, semitones: float) -> Floats:
    stretch = Signalsmith.Stretch()
    stretch.preset(1, rate)
    stretch.setTimeFactor(factor)
    stretch.setTransposeSemitones(semitones)
    return np.asarray(stretch.process(samples[np.newaxis]), np.float32).reshape(-1)
