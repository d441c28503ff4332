"""Made textures to lie under a scene: crackle, rattle, rain, wheels, creaks and gusts, without end or licence.

What rattles again and again is no shot and no pane, however sharp each stroke is, and of recorded beds there are few.
After McDermott & Simoncelli 2011: a texture is its statistics, so strokes come at random, all from a few sources.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from sed.signals import Floats

Rng = np.random.Generator
Places = npt.NDArray[np.intp]


def texture(count: int, rate: int, rng: Rng) -> Floats:
    """`count` samples of one to three kinds at once, RMS 1."""
    out = np.zeros(count, np.float32)
    kinds: tuple[Callable[[int, int, Rng], Floats], ...] = (crackle, wheels, creaks, gusts)
    for number in rng.permutation(len(kinds))[: rng.integers(1, 4)]:
        layer = kinds[number](count, rate, rng)
        out += layer * np.float32(10.0 ** (-rng.uniform(0.0, 15.0) / 20.0))
    return _even(out)


def struck(count: int, rate: int, rng: Rng) -> Floats:
    """`count` samples of one kind that is struck, RMS 1."""
    return (crackle, wheels, creaks)[rng.integers(3)](count, rate, rng)


def crackle(count: int, rate: int, rng: Rng) -> Floats:
    """Strokes at random times, 1 to 80 a second, few loud and many soft: fire, gravel, rain on tin, a rattling door."""
    strokes = [_stroke(rate, rng) for _ in range(rng.integers(2, 6))]
    number = rng.poisson(np.exp(rng.uniform(0.0, np.log(80.0))) * count / rate)
    at = rng.integers(count, size=number, dtype=np.intp)
    return _even(_struck(count, strokes, at, float(rng.uniform(2.0, 9.0)), rng))


def wheels(count: int, rate: int, rng: Rng) -> Floats:
    """Strokes in a rhythm that is never quite even: engines, wheels over joints, looms, clocks."""
    strokes = [_stroke(rate, rng) for _ in range(rng.integers(1, 4))]
    period = rate / np.exp(rng.uniform(np.log(0.8), np.log(20.0)))
    steps = period * rng.normal(1.0, rng.uniform(0.0, 0.15), 1 + int(count / period)).clip(0.2, 3.0)
    at = np.cumsum(steps).astype(np.intp)
    return _even(_struck(count, strokes, at[at < count], float(rng.uniform(0.0, 4.0)), rng))


def creaks(count: int, rate: int, rng: Rng) -> Floats:
    """Wood and hinges that stick and slip: pulses whose rate glides, through a few resonances."""
    pulses = np.zeros(count, np.float32)
    at = float(rng.uniform(0.0, 2.0) * rate)
    while at < count:
        length = int(rng.uniform(0.1, 1.5) * rate)
        hz = np.exp(np.log(rng.uniform(15.0, 600.0)) + np.linspace(0.0, rng.uniform(-1.0, 1.0), length))
        phase = np.cumsum(hz * (1.0 + rng.uniform(0.0, 0.3) * rng.standard_normal(length))) / rate
        hits = int(at) + np.flatnonzero(np.diff(np.floor(phase)) > 0.0)
        hits = hits[hits < count]
        pulses[hits] += np.float32(rng.uniform(0.3, 1.0)) * rng.uniform(0.5, 1.0, len(hits)).astype(np.float32)
        at += length + rng.exponential(1.5) * rate
    return _even(_through(pulses[None], [_stroke(rate, rng)]))


def gusts(count: int, rate: int, rng: Rng) -> Floats:
    """Coloured noise that swells and dies away: wind, surf, passing cars."""
    size = next_fast_len(count, real=True)
    spectrum = rfft(rng.standard_normal(size, dtype=np.float32))
    hz = np.linspace(1.0, rate / 2, len(spectrum))
    middle, slope = np.exp(rng.uniform(np.log(100.0), np.log(5000.0))), rng.uniform(1.0, 12.0)
    spectrum *= np.asarray(10.0 ** (-slope * np.abs(np.log2(hz / middle)) / 20.0), np.float32)
    noise = irfft(spectrum, size)[:count]
    knots = rng.standard_normal(2 + int(count / rate * np.exp(rng.uniform(np.log(0.2), np.log(8.0)))))
    swell = np.interp(np.linspace(0.0, len(knots) - 1.0, count), np.arange(len(knots)), knots)
    return _even(np.asarray(noise * 10.0 ** (swell * rng.uniform(0.0, 8.0) / 20.0), np.float32))


def _stroke(rate: int, rng: Rng) -> Floats:
    """One struck thing: some modes that ring, some noise, 2 to 60 ms; peak 1."""
    decay = float(np.exp(rng.uniform(np.log(0.001), np.log(0.03))))
    time = np.arange(max(32, int(min(6.0 * decay, 0.15) * rate)), dtype=np.float32) / rate
    out = rng.uniform(0.0, 1.0) * rng.standard_normal(len(time)) * np.exp(-time / (decay * rng.uniform(0.2, 1.0)))
    for _ in range(rng.integers(0, 7)):
        hz = np.exp(rng.uniform(np.log(150.0), np.log(0.45 * rate)))
        ring = np.sin(2.0 * np.pi * (hz * time + rng.random())) * np.exp(-time / (decay * rng.uniform(0.3, 1.5)))
        out = out + rng.uniform(0.2, 1.0) * ring
    return np.asarray(out / (np.abs(out).max() + 1e-9), np.float32)


def _struck(count: int, strokes: list[Floats], places: Places, spread: float, rng: Rng) -> Floats:
    """The strokes at `places`, their levels normal in dB with a deviation of `spread`."""
    pulses = np.zeros((len(strokes), count), np.float32)
    gains = (10.0 ** (rng.normal(0.0, spread, len(places)) / 20.0)).astype(np.float32)
    np.add.at(pulses, (rng.integers(len(strokes), size=len(places)), places), gains)
    return _through(pulses, strokes)


def _through(pulses: Floats, strokes: list[Floats]) -> Floats:
    """Each row of pulses (strokes, n) through its stroke, and their sum (n,)."""
    count = pulses.shape[1]
    size = next_fast_len(count + max(map(len, strokes)), real=True)
    spectra = (rfft(row, size) * rfft(stroke, size) for row, stroke in zip(pulses, strokes, strict=True))
    return np.asarray(irfft(sum(spectra), size)[:count], np.float32)


def _even(sound: Floats) -> Floats:
    """`sound` with an RMS of 1; silence stays silence."""
    return sound / np.float32(np.sqrt(np.mean(np.square(sound), dtype=np.float64)) + 1e-9)
