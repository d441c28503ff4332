"""The siren: examples/make_street.py's, close by, in some noise, between two quiet moments."""

from dataclasses import dataclass

import numpy as np

from sed.shipped import example_module
from sed.signals import Floats

LABEL = "siren"
LEAD, SECONDS, TAIL = 1.5, 4.0, 1.0
"""Seconds of quiet, of siren, and of quiet."""

PEAK, NOISE = 0.5, 0.003
"""Of full scale; the noise is that of a quiet room."""

WAIL = {"low_hz": 600.0, "high_hz": 1_500.0, "per_minute": 17.0}


@dataclass(frozen=True, slots=True)
class Siren:
    """What is played."""

    samples: Floats  # (n,)
    rate: int  # Hz

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return len(self.samples) / self.rate


def make_siren(noise: float | None = None) -> Siren:
    """The same one every time, unless in other noise."""
    maker, rng = example_module("make_street.py"), np.random.default_rng(0)
    wail = maker.siren(rng, seconds=SECONDS, **WAIL)
    samples = rng.normal(0.0, NOISE if noise is None else noise, round((LEAD + TAIL) * maker.RATE) + len(wail))
    maker.add(samples, PEAK * wail / np.abs(wail).max(), LEAD)
    return Siren(samples.astype(np.float32), maker.RATE)
