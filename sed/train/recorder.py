"""What recorders do to a sound: an uneven response, a narrow band, noise and clipping."""

import numpy as np
import soxr
from scipy.signal import firwin2, oaconvolve

from sed.signals import Floats
from sed.train.codec import fitted

Rng = np.random.Generator

LOW, HIGH = 100.0, 7000.0
"""Hz, at 16 kHz: outermost points of an equaliser's curve."""


def curve(rng: Rng, points: int = 6, most: float = 10.0) -> Floats:
    """The gains in dB of a random equaliser, (points,): some up to `most` either way, the lows often cut."""
    gains = rng.uniform(-most, most, points) * (rng.random(points) < 0.6)
    gains[0] -= rng.uniform(0.0, 30.0) * (rng.random() < 0.5)
    return np.asarray(gains, np.float32)


def equalised(samples: Floats, rate: int, gains_db: Floats) -> Floats:
    """`samples` with `gains_db` at points evenly apart in octaves, between LOW and HIGH; (n,) to (n,)."""
    hz = np.geomspace(LOW, HIGH, len(gains_db)) * rate / 16_000
    dense = np.geomspace(hz[0], hz[-1], 64)
    gain = 10.0 ** (np.interp(np.log(dense), np.log(hz), gains_db) / 20.0)
    taps = firwin2(401, [0.0, *dense, rate / 2], [gain[0], *gain, gain[-1]], fs=rate)
    whole = oaconvolve(samples, taps.astype(np.float32)) if len(samples) else samples
    return np.asarray(whole[200 : 200 + len(samples)], np.float32)


def narrowed(samples: Floats, rate: int, hz: float) -> Floats:
    """`samples` as they sound after a recorder of half the rate `hz`: nothing above `hz`; (n,) to (n,)."""
    low = soxr.resample(samples, rate, 2 * round(hz))
    return fitted(soxr.resample(low, 2 * round(hz), rate), len(samples))


def noisy(samples: Floats, noise: Floats, snr_db: float) -> Floats:
    """`samples` over `noise`, scaled so that their power is `snr_db` over its own; both (n,)."""
    power, under = (float(np.mean(np.square(part), dtype=np.float64)) for part in (samples, noise))
    if power == 0.0 or under == 0.0:
        return samples
    return samples + noise * np.float32(np.sqrt(power / under) * 10.0 ** (-snr_db / 20.0))


def clipped(samples: Floats, over_db: float, soft: bool) -> Floats:
    """`samples` driven `over_db` over what can be recorded, cut hard or bent softly (tanh); its peak rises no more."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return samples
    driven = samples * np.float32(10.0 ** (over_db / 20.0) / peak)
    return (np.tanh(driven) if soft else driven.clip(-1.0, 1.0)) * np.float32(peak)
