"""What rooms, distance and microphones do to a sound. Pure functions of samples and a seeded generator."""

import numpy as np
import soxr
from scipy.fft import irfft, next_fast_len, rfft

from sed.signals import Floats

Rng = np.random.Generator


def speed(samples: Floats, factor: float) -> Floats:
    """Played `factor` times as fast, so higher and shorter: (n,) to about (n / factor,)."""
    return np.asarray(soxr.resample(samples, round(1000 * factor), 1000, quality="LQ"), np.float32)


def drift(samples: Floats, rng: Rng, most: float = 0.06) -> Floats:
    """A passing vehicle: the speed falls smoothly from 1 + a to 1 - a, with a up to `most`; (n,) to (n,)."""
    count = len(samples)
    if count < 2:
        return samples
    amount = rng.uniform(0.0, most)
    bend = np.tanh((np.linspace(0.0, 1.0, count) - rng.uniform(0.2, 0.8)) * rng.uniform(2.0, 8.0))
    at = np.cumsum(1.0 - amount * bend)
    at *= (count - 1) / at[-1]
    return np.interp(at, np.arange(count), samples).astype(np.float32)


def rooms(count: int, rate: int, rng: Rng) -> list[Floats]:
    """Impulse responses: the direct sound, a few early reflections and a tail of decaying noise; each peaks at 0."""
    return [_room(rate, rng) for _ in range(count)]


def _room(rate: int, rng: Rng) -> Floats:
    decay = float(np.exp(rng.uniform(np.log(0.12), np.log(1.6))))  # seconds to fall by 60 dB
    size = int(min(decay, 1.0) * rate)
    time = np.arange(size) / rate
    tail = rng.standard_normal(size) * np.exp(-6.9 * time / decay)
    tail = np.convolve(tail, np.full(3, 1.0 / 3.0), "same") if rng.random() < 0.5 else tail
    tail[: int(rng.uniform(0.001, 0.02) * rate)] = 0.0
    tail /= np.sqrt(np.sum(np.square(tail))) + 1e-9
    for _ in range(rng.integers(0, 6)):
        tail[rng.integers(1, max(2, min(size, int(0.06 * rate))))] += rng.uniform(-0.5, 0.5)
    response = np.asarray(tail * 10.0 ** (-rng.uniform(-4.0, 16.0) / 20.0), np.float32)
    response[0] = 1.0
    return response


def tone(rate: int, rng: Rng, bins: int) -> Floats:
    """A random gain per frequency bin, (bins,): a tilt, and often the dullness of distance or a narrow band."""
    hz = np.linspace(1.0, rate / 2, bins)
    gain = rng.uniform(-3.0, 3.0) * np.log2(hz / 1000.0).clip(-4.0, 3.0)
    if rng.random() < 0.35:
        corner = np.exp(rng.uniform(np.log(1200.0), np.log(7500.0)))
        gain -= rng.choice([6.0, 12.0, 24.0, 60.0]) * np.log2(hz / corner).clip(0.0, None)
    return np.asarray(10.0 ** (gain / 20.0), np.float32)


def colour(samples: Floats, rng: Rng, rate: int, room: Floats | None) -> Floats:
    """`samples` in `room`, if one is given, with a random tone; longer by the room's tail."""
    count = len(samples) + (len(room) - 1 if room is not None else 0)
    size = next_fast_len(count + 64, real=True)
    spectrum = rfft(samples, size)
    if room is not None:
        spectrum *= rfft(room, size)
    spectrum *= tone(rate, rng, len(spectrum))
    return np.asarray(irfft(spectrum, size)[:count], np.float32)


def muffle(samples: Floats, rng: Rng, rate: int) -> Floats:
    """`samples` as they sound from far off: the highs fall by 6 to 18 dB an octave; (n,) to (n,)."""
    size = next_fast_len(len(samples) + 64, real=True)
    hz = np.linspace(1.0, rate / 2, size // 2 + 1)
    corner = np.exp(rng.uniform(np.log(700.0), np.log(3000.0)))
    gain = -rng.uniform(6.0, 18.0) * np.log2(hz / corner).clip(0.0, None)
    spectrum = rfft(samples, size) * np.asarray(10.0 ** (gain / 20.0), np.float32)
    return np.asarray(irfft(spectrum, size)[: len(samples)], np.float32)


def fade(samples: Floats, first: int, last: int) -> Floats:
    """Fade in over `first` and out over `last` samples, in place, so that a cut is no cue."""
    first, last = min(first, len(samples)), min(last, len(samples))
    if first:
        samples[:first] *= np.linspace(0.0, 1.0, first, dtype=np.float32)
    if last:
        samples[-last:] *= np.linspace(1.0, 0.0, last, dtype=np.float32)
    return samples


def hiss(count: int, rng: Rng) -> Floats:
    """The noise of a quiet microphone, RMS 1: white, or rolled off towards the highs; (count,)."""
    white = rng.standard_normal(count, dtype=np.float32)
    if rng.random() < 0.5:
        return white
    size = next_fast_len(count, real=True)
    spectrum = rfft(white, size)
    spectrum /= np.sqrt(np.arange(1, len(spectrum) + 1, dtype=np.float32)) ** np.float32(rng.uniform(0.3, 1.5))
    shaped = np.asarray(irfft(spectrum, size)[:count], np.float32)
    return shaped / np.float32(np.sqrt(np.mean(np.square(shaped))) + 1e-12)
