"""Mixing in whole numbers, so that the same clips give the same bytes on every machine.

Floating point decides nothing but levels, and those are rounded to hundredths of a decibel before they are used. What
is left to chance is the decoder: lossless clips are the same everywhere, lossy ones are decoded by libsndfile in
floating point and then rounded to 16 bits, so that another build of it may change a last bit.
"""

import numpy as np
import numpy.typing as npt

from sed.signals import Floats

Samples = npt.NDArray[np.int64]
"""The values of 16-bit samples."""
Whole = npt.NDArray[np.int64]
"""A sum of samples, each times its gain in units of 1 / ONE."""
Pcm = npt.NDArray[np.int16]

ONE = 1 << 20
"""Unity gain."""
FULL = 32_000
"""The highest sample of a finished mixture, 0.2 dB below full scale."""


def whole(samples: Floats) -> Samples:
    """16-bit samples that were divided by 32768, as they were."""
    return np.round(samples.astype(np.float64) * 32768.0).astype(np.int64)


def factor(hundredths: int) -> int:
    """The factor, times ONE, of a gain in hundredths of a decibel."""
    return round(float(10.0 ** (hundredths / 2000.0)) * ONE)


def faded(samples: Samples, first: int, last: int) -> Samples:
    """`samples` rising over the first `first` and falling over the last `last` of them, a copy."""
    out = samples.copy()
    first, last = min(first, len(out)), min(last, len(out))
    out[:first] = out[:first] * np.arange(first) // max(first, 1)
    out[len(out) - last :] = out[len(out) - last :] * np.arange(last)[::-1] // max(last, 1)
    return out


def paste(out: Whole, piece: Samples, at: int, gain: int = ONE) -> None:
    """Add `piece` times `gain` to `out` from sample `at` on; what lies outside is lost."""
    first, last = max(0, at), min(len(out), at + len(piece))
    if last > first:
        out[first:last] += piece[first - at : last - at] * gain


def finished(mixture: Whole) -> tuple[Pcm, float]:
    """16-bit samples, and by how many dB the whole was turned down so that none of them clips."""
    peak = int(np.abs(mixture).max(initial=0))
    gain = ONE if peak <= FULL * ONE else FULL * ONE * ONE // peak
    samples = ((mixture >> 10) * gain + (1 << 29)) >> 30
    return samples.astype(np.int16), round(-20.0 * float(np.log10(gain / ONE)), 2) + 0.0
