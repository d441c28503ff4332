"""Drum machines: made sounds that are struck, bright and no shot, without end and without a licence."""

import numpy as np

from sed.signals import Floats

Rng = np.random.Generator


def drums(count: int, rate: int, rng: Rng) -> Floats:
    """`count` samples of a pattern of kick, snare, clap and hats, each struck alike throughout; peak 1 or silence."""
    out = np.zeros(count, np.float32)
    step = int(rate * 60.0 / rng.uniform(75.0, 170.0) / 4.0)  # a sixteenth
    for voice, share in ((_kick, 0.25), (_snare, 0.15), (_clap, 0.1), (_hat, 0.5)):
        if rng.random() < 0.3:
            continue
        stroke = voice(rate, rng) * np.float32(10.0 ** (-rng.uniform(0.0, 12.0) / 20.0))
        pattern = rng.random(16) < share
        for number, at in enumerate(range(0, count, step)):
            if pattern[number % 16]:
                last = min(count, at + len(stroke))
                out[at:last] += stroke[: last - at] * np.float32(rng.uniform(0.7, 1.0))
    return out / max(float(np.abs(out).max(initial=0.0)), 1e-6)


def _kick(rate: int, rng: Rng) -> Floats:
    time = _time(0.4, rate)
    sweep = rng.uniform(40.0, 70.0) * time + rng.uniform(1.0, 6.0) * (1.0 - np.exp(-time * rng.uniform(20.0, 60.0)))
    return _struck(np.sin(2.0 * np.pi * sweep), time, rng.uniform(0.05, 0.3))


def _snare(rate: int, rng: Rng) -> Floats:
    time = _time(0.5, rate)
    tone = np.sin(2.0 * np.pi * rng.uniform(140.0, 260.0) * time) * np.exp(-time / 0.05)
    return _struck(_noise(len(time), rng) + rng.uniform(0.0, 2.0) * tone, time, rng.uniform(0.02, 0.15))


def _clap(rate: int, rng: Rng) -> Floats:
    time = _time(0.3, rate)
    hands = sum(np.exp(-np.clip(time - at, 0.0, None) / 0.008) * (time >= at) for at in np.arange(4) * 0.011)
    return _struck(_noise(len(time), rng) * hands, time, rng.uniform(0.03, 0.12))


def _hat(rate: int, rng: Rng) -> Floats:
    time = _time(0.4, rate)
    return _struck(np.diff(_noise(len(time), rng), n=2, prepend=[0.0, 0.0]), time, rng.choice([0.015, 0.03, 0.1]))


def _noise(count: int, rng: Rng) -> Floats:
    """White noise, its highs softened by chance."""
    noise = rng.standard_normal(count)
    width = int(rng.integers(1, 5))
    return np.convolve(noise, np.full(width, 1.0 / width), "same").astype(np.float32)


def _struck(sound: Floats, time: Floats, decay: float) -> Floats:
    out = sound * np.exp(-time / decay)
    return np.asarray(out / (np.abs(out).max() + 1e-9), np.float32)


def _time(seconds: float, rate: int) -> Floats:
    return np.asarray(np.arange(int(seconds * rate)) / rate, np.float32)
