"""One model beside another that should tell the same: how far apart they are, what each costs, how right each is."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sed.evaluate.bootstrap import draws_of
from sed.evaluate.eventscores import Figures, by_onset
from sed.evaluate.hearing import Heard, hear
from sed.evaluate.scenelist import Scene
from sed.model import OnnxModel
from sed.signals import Floats, Frames

CHEAPER = 0.15
LOWER_F1 = 0.01
"""A model replaces another if it costs at least this share less and no label's F1 is lower by more than this."""

BLOCK_SECONDS = 0.1
"""Of the blocks whose cost decides: what a daemon hears with."""

CHUNKINGS = ((4,), (1, 7, 30), (8, 12), (100,))
"""Frames a call, over and over."""

ROUNDS = 25
"""Each cost is the least of so many runs, the models taking turns: noise only ever adds."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the scores of two models are apart."""

    most: float
    mean: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU a call of so many frames, of each of two models."""

    frames: int
    first: float
    second: float

    @property
    def ratio(self) -> float:
        """The second's cost by the first's."""
        return self.second / self.first


@dataclass(frozen=True, slots=True)
class Rightness:
    """Onset F1 of two models on the same scenes."""

    first: Figures
    second: Figures
    change: Figures  # the second's less the first's, over the same beds drawn for both


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the second of two models is worth its place."""

    worth: bool
    because: str


def chunking_error(model: OnnxModel, recordings: Sequence[Floats]) -> float:
    """The most by which scores differ when frames (n, mels) come in other pieces than all at once."""
    worst = 0.0
    for frames in recordings:
        whole = _scores(model, frames, (len(frames),))
        for sizes in CHUNKINGS:
            worst = max(worst, float(np.abs(_scores(model, frames, sizes) - whole).max(initial=0.0)))
    return worst


def distance(first: OnnxModel, second: OnnxModel, recordings: Sequence[Floats]) -> Distance:
    """How far the scores of two models are apart on the same frames (n, mels)."""
    apart = [np.abs(_scores(first, f, (len(f),)) - _scores(second, f, (len(f),))).ravel() for f in recordings]
    every = np.concatenate([np.zeros(1, np.float32), *apart])
    return Distance(float(every.max()), float(every.sum() / max(1, len(every) - 1)))


def block_frames(model: OnnxModel) -> int:
    """Frames in a block of BLOCK_SECONDS."""
    return max(1, round(BLOCK_SECONDS * model.metadata.frontend.sample_rate / model.metadata.frontend.hop))


def costs(first: OnnxModel, second: OnnxModel, frames: Floats, sizes: Sequence[int]) -> list[Cost]:
    """What a call of each of `sizes` frames costs, over all `frames` (n, mels)."""
    found: list[Cost] = []
    for size in sizes:
        calls = [Frames(0, 160, frames[at : at + size]) for at in range(0, len(frames) - size + 1, size)]
        least = [float("inf"), float("inf")]
        for _ in range(ROUNDS):
            for number, model in enumerate((first, second)):
                least[number] = min(least[number], _seconds(model, calls) / len(calls))
        found.append(Cost(size, *least))
    return found


def rightness(
    first: OnnxModel, second: OnnxModel, scenes: Sequence[Scene], step: Callable[[], None] = lambda: None
) -> Rightness:
    """Both models on scenes with known events, each with its own rules; `step` is called after each scene."""
    labels, rate = first.metadata.labels, first.metadata.frontend.sample_rate
    heard: tuple[list[Heard], list[Heard]] = ([], [])
    for scene in scenes:
        samples = scene.read(rate)
        for model, own in zip((first, second), heard, strict=True):
            own.append(hear(model, model.metadata.rules, samples))
        step()
    known = [scene.events for scene in scenes]
    weights = draws_of([scene.source for scene in scenes]) * np.array([bool(events) for events in known], np.float64)
    one, other = (by_onset(known, own, labels) for own in heard)
    return Rightness(one.f1(weights), other.f1(weights), one.change(other, weights))


def verdict(ratio: float, changes: Mapping[str, float] | None) -> Verdict:
    """Whether a model of that cost ratio and these changes of F1 by label replaces the other; None: not measured.

    A change that is not a number is that of a label without events in the scenes, and says nothing.
    """
    cheaper = 1.0 - ratio
    cost = f"blocks of {1000 * BLOCK_SECONDS:g} ms cost {abs(cheaper):.1%} {'less' if cheaper >= 0 else 'more'}"
    if cheaper < CHEAPER:
        return Verdict(False, f"{cost}, and {CHEAPER:.0%} less is asked for")
    measured = {label: change for label, change in (changes or {}).items() if math.isfinite(change)}
    if not measured:
        return Verdict(False, f"{cost}, but no F1 was compared; give --scenes DIR")
    worst = min(measured, key=lambda label: measured[label])
    if measured[worst] < -LOWER_F1:
        return Verdict(False, f"{cost}, but F1 of {worst} changes by {measured[worst]:+.3f}")
    return Verdict(True, f"{cost} and no F1 is lower by more than {LOWER_F1:g} ({worst} {measured[worst]:+.3f})")


def _scores(model: OnnxModel, frames: Floats, sizes: Sequence[int]) -> Floats:
    model.reset()
    hop = model.metadata.frontend.hop
    rows = [model.step(Frames(at * hop, hop, frames[at : at + size])).values for at, size in _cuts(len(frames), sizes)]
    return np.concatenate([*rows, model.flush().values])


def _cuts(length: int, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    at = turn = 0
    while at < length:
        size = sizes[turn % len(sizes)]
        yield at, size
        at, turn = at + size, turn + 1


def _seconds(model: OnnxModel, calls: Sequence[Frames]) -> float:
    model.reset()
    begun = time.process_time()
    for frames in calls:
        model.step(frames)
    return time.process_time() - begun
