"""What a recipe does to a sound before it is mixed in, and to the finished scene: every change by chance."""

from pathlib import Path

import numpy as np

from sed.signals import Floats
from sed.train import effects, recorder, tempo
from sed.train.codec import CODECS, coded
from sed.train.recipe import Recipe
from sed.train.rooms import simulated

Rng = np.random.Generator
Spans = list[tuple[int, int]]

_ROOMS = 150


def happens(probability: float, rng: Rng) -> bool:
    """Whether it does; what is switched off draws no number, so older recipes make the scenes they always made."""
    return probability > 0.0 and rng.random() < probability


class Varying:
    """The changes of one recipe."""

    def __init__(self, recipe: Recipe, rate: int, cache: Path) -> None:
        """Simulated rooms, if the recipe wants some, are made now or taken from `cache`."""
        self._recipe, self._rate = recipe, rate
        self._rooms = effects.rooms(128, rate, np.random.default_rng(7)) if recipe.room else []
        self._boxes = simulated(_ROOMS, rate, 7, cache) if recipe.room and recipe.simulated else []

    def sound(self, samples: Floats, spans: Spans, moving: bool, rng: Rng) -> tuple[Floats, Spans]:
        """Speed, stretch, pitch, drift, and what `placed` does; the spans follow."""
        recipe = self._recipe
        if rng.random() < recipe.speed:
            factor = float(rng.uniform(*recipe.speeds))
            samples = effects.speed(samples, factor)
            spans = _faster(spans, factor, len(samples))
        if happens(recipe.stretch, rng):
            factor = float(rng.uniform(*recipe.stretches))
            samples = tempo.stretched(samples, self._rate, factor)
            spans = _faster(spans, factor, len(samples))
        if happens(recipe.pitch, rng):
            samples = tempo.pitched(samples, self._rate, float(rng.uniform(*recipe.semitones)))
        if moving and rng.random() < recipe.speed:
            samples = effects.drift(samples, rng)
        return self.placed(samples, rng), spans

    def placed(self, samples: Floats, rng: Rng) -> Floats:
        """Room and tone, and what `recorded` does; longer by the room's tail."""
        if rng.random() < self._recipe.tone:
            room = self._room(rng) if rng.random() < self._recipe.room else None
            samples = effects.colour(samples, rng, self._rate, room)
        return self.recorded(samples, rng)

    def _room(self, rng: Rng) -> Floats:
        rooms = self._boxes if happens(self._recipe.simulated, rng) else self._rooms
        return rooms[rng.integers(len(rooms))]

    def recorded(self, samples: Floats, rng: Rng) -> Floats:
        """Equaliser, narrow band and clipping: another recorder for each sound; (n,) to (n,)."""
        recipe, rate = self._recipe, self._rate
        if happens(recipe.equaliser, rng):
            samples = recorder.equalised(samples, rate, recorder.curve(rng))
        if happens(recipe.band, rng):
            samples = recorder.narrowed(samples, rate, float(rng.uniform(*recipe.bands)))
        if happens(recipe.clipping, rng):
            samples = recorder.clipped(samples, float(rng.uniform(3.0, 20.0)), bool(rng.random() < 0.5))
        return samples

    def captured(self, out: Floats, rng: Rng) -> Floats:
        """The finished scene by a random microphone: noise, level, overdrive and codec; within [-1, 1]."""
        recipe = self._recipe
        if happens(recipe.noise, rng):
            out = recorder.noisy(out, effects.hiss(len(out), rng), float(rng.uniform(*recipe.noise_below)))
        peak = float(np.abs(out).max(initial=1e-5))
        out *= np.float32(10.0 ** (rng.uniform(*recipe.peak) / 20.0) / max(peak, 1e-5))
        if rng.random() < recipe.overdrive:
            out *= np.float32(rng.uniform(1.0, 8.0) / max(float(np.abs(out).max()), 1e-5))
        if happens(recipe.codec, rng):
            codec = list(CODECS.values())[rng.integers(len(CODECS))]
            out = coded(out, self._rate, codec, float(rng.random()))
        return np.clip(out, -1.0, 1.0, out=out)


def _faster(spans: Spans, factor: float, count: int) -> Spans:
    return [(int(a / factor), min(count, int(b / factor))) for a, b in spans]
