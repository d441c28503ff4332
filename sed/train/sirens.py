"""Made sirens: of recorded ones there are few, and a network learns those few by heart.

Sweep rates and pitches after the California Code of Regulations, title 13, section 1028 (wail, yelp) and DIN 14610 (two
tones), drawn wider than those allow; what a horn and an overdriven amplifier add is drawn too.
"""

from collections.abc import Callable

import numpy as np

from sed.signals import Floats

Rng = np.random.Generator

_GRID = 200  # values a second at which pitch and the horn's gain are worked out
_OVERTONES = 10


def siren(count: int, rate: int, rng: Rng) -> Floats:
    """`count` samples of one kind of siren, or of two one after the other; peak 1."""
    ticks = count * _GRID // rate + 2
    kinds: tuple[Callable[[int, Rng], Floats], ...] = (wail, yelp, piercer, two_tones, mechanical)
    shares = (0.3, 0.25, 0.1, 0.25, 0.1)
    first, second = (kinds[kind](ticks, rng) for kind in rng.choice(len(kinds), 2, p=shares))
    change = int(rng.uniform(0.3, 0.7) * ticks) if rng.random() < 0.3 else ticks
    return _sung(np.where(np.arange(ticks) < change, first, second).astype(np.float32), count, rate, rng)


def wail(ticks: int, rng: Rng) -> Floats:
    """8 to 30 sweeps a minute; (ticks,) Hz."""
    return _swept(ticks, rng.uniform(8.0, 30.0) / 60.0, rng)


def yelp(ticks: int, rng: Rng) -> Floats:
    """120 to 300 sweeps a minute."""
    return _swept(ticks, rng.uniform(2.0, 5.0), rng)


def piercer(ticks: int, rng: Rng) -> Floats:
    """8 to 25 sweeps a second, as phasers and piercers have."""
    return _swept(ticks, rng.uniform(8.0, 25.0), rng)


def two_tones(ticks: int, rng: Rng) -> Floats:
    """Two pitches a second to a fifth apart, each 0.25 to 1.5 s long, with a short glide between."""
    low = rng.uniform(330.0, 900.0)
    upper = _time(ticks, rng) / (2.0 * rng.uniform(0.25, 1.5)) % 1.0 < 0.5
    width = 1 + int(rng.uniform(0.0, 0.08) * _GRID)
    share = np.convolve(np.pad(upper.astype(np.float64), width, "edge"), np.full(width, 1.0 / width), "same")
    return np.asarray(low * rng.uniform(1.12, 1.5) ** share[width:-width], np.float32)


def mechanical(ticks: int, rng: Rng) -> Floats:
    """A rotor that runs up in seconds and down in more of them, again and again."""
    up, down = rng.uniform(1.0, 4.0), rng.uniform(2.0, 8.0)
    phase = _time(ticks, rng) % (up + down)
    rising = 1.0 - np.exp(-3.0 * phase / up)
    falling = (1.0 - np.exp(-3.0)) * np.exp(-1.2 * (phase - up).clip(0.0) / down)
    share = np.where(phase < up, rising, falling)
    return np.asarray(rng.uniform(150.0, 400.0) + rng.uniform(300.0, 1100.0) * share, np.float32)


def _swept(ticks: int, hz: float, rng: Rng) -> Floats:
    """Up and down between two pitches: a capacitor's curve, a sine or straight lines, the two halves often unequal."""
    low, share = rng.uniform(400.0, 900.0), rng.uniform(0.2, 0.8)
    phase = _time(ticks, rng) * hz % 1.0
    line = np.where(phase < share, phase / share, (1.0 - phase) / (1.0 - share))
    bend = rng.integers(3)
    if bend == 1:
        line = 0.5 - 0.5 * np.cos(np.pi * line)
    elif bend == 2:
        line = (1.0 - np.exp(-2.5 * line)) / (1.0 - np.exp(-2.5))
    return np.asarray(low * rng.uniform(1.3, 3.0) ** line, np.float32)


def _time(ticks: int, rng: Rng) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.arange(ticks) / _GRID + rng.uniform(0.0, 20.0)


def _sung(pitch: Floats, count: int, rate: int, rng: Rng) -> Floats:
    """A tone of that pitch with overtones, through a horn; peak 1."""
    ticks, time = np.arange(len(pitch)) * (rate / _GRID), np.arange(count)
    phase = 2.0 * np.pi * np.cumsum(np.interp(time, ticks, pitch)) / rate
    falls, even = rng.uniform(0.3, 2.0), rng.uniform(0.1, 1.0)
    middle, width = np.log2(rng.uniform(600.0, 2500.0)), rng.uniform(0.8, 2.5)
    out = np.zeros(count, np.float32)
    for tone in range(1, _OVERTONES + 1):
        hz = tone * pitch
        gain = np.exp(-0.5 * ((np.log2(hz) - middle) / width) ** 2) * (hz < 0.47 * rate)
        gain = gain * tone**-falls * (1.0 if tone % 2 else even)
        if gain.max() > 1e-3:
            out += (np.interp(time, ticks, gain) * np.sin(tone * phase)).astype(np.float32)
    return out / np.float32(np.abs(out).max(initial=1e-9))
