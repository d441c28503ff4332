"""Generated sounds for tests of the code; nothing of them is ever learnt from."""

from collections.abc import Callable

import numpy as np

from sed.signals import Floats

RATE = 16_000


def noise(seconds: float, seed: int) -> Floats:
    white = 0.2 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return np.asarray(white.clip(-0.7, 0.7), np.float32)


def wail(seconds: float, seed: int) -> Floats:
    time = np.arange(round(seconds * RATE)) / RATE
    hz = 900 + 400 * np.sin(2 * np.pi * (0.5 + 0.1 * seed) * time)
    return np.asarray(0.7 * np.sin(2 * np.pi * np.cumsum(hz) / RATE), np.float32)


def bang(seconds: float, seed: int) -> Floats:
    time = np.arange(round(seconds * RATE)) / RATE
    decay = np.exp(-np.maximum(0.0, time - 0.1) * 30.0) * (time > 0.1)
    return np.asarray(noise(seconds, seed) * decay, np.float32)


def ring(seconds: float, seed: int) -> Floats:
    time = np.arange(round(seconds * RATE)) / RATE
    partials = [np.sin(2 * np.pi * hz * time) for hz in np.random.default_rng(seed).uniform(3000, 7500, 8)]
    return np.asarray(0.08 * np.sum(partials, axis=0) * np.exp(-time * 8.0), np.float32)


SOUNDS: dict[str, tuple[Callable[[float, int], Floats], float]] = {
    "siren": (wail, 3.0),
    "gun_shot": (bang, 0.8),
    "glass_break": (ring, 0.8),
    "background": (noise, 12.0),
    "explosion": (bang, 1.0),
    "speech": (wail, 1.0),
}
