"""How sure a figure is: the same figure of scenes, or of their sources, drawn anew with replacement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
DRAWS = 1_000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its bootstrap interval; not a number where there is nothing to measure."""

    value: float
    low: float
    high: float


def draws(scenes: int, count: int = DRAWS, seed: int = 0) -> Values:
    """How often each scene is drawn, (1 + count, scenes); the first row is every scene once."""
    rng = np.random.default_rng(seed)
    rows = [np.bincount(rng.integers(scenes, size=scenes), minlength=scenes) for _ in range(count)]
    return np.array([np.ones(scenes, np.int64), *rows], np.float64).reshape(1 + count, scenes)


def draws_of(sources: Sequence[str], count: int = DRAWS, seed: int = 0) -> Values:
    """As `draws`, but sources are drawn, each with all its scenes: those over one bed are wrong together.

    `sources` says where each scene comes from. The cluster bootstrap, Field & Welsh 2007.
    """
    places = {source: place for place, source in enumerate(dict.fromkeys(sources))}
    drawn = draws(len(places), count, seed)
    return drawn[:, [places[source] for source in sources]]


def interval(values: Values) -> Interval:
    """The first row's figure, and the middle 95 % of the others'; draws without a figure are left out."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or len(drawn) == 0:
        return Interval(float(values[0]), float("nan"), float("nan"))
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(drawn, (tail, 100.0 - tail))
    return Interval(float(values[0]), float(low), float(high))


def intervals(figure: Callable[[Values], float], weights: Values) -> Interval:
    """The interval of a figure that takes how often each scene is drawn, (scenes,)."""
    return interval(np.array([figure(row) for row in weights]))


def ratio(over: Values, under: Values) -> Values:
    """Over by under; not a number where there is nothing under."""
    out = np.full(np.broadcast(over, under).shape, np.nan)
    np.divide(over, under, out=out, where=under > 0)
    return out
