"""A peer that scores long windows, made into events by our own Tracker: how it is read is chosen as our rules are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sed.evaluate.hearing import Heard
from sed.evaluate.matching import Counts, match
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound
from sed.evaluate.tune import Budget, Scored, Tuned, told, tune
from sed.metadata import FrontendSettings, Metadata, Rule
from sed.postprocess import Tracker
from sed.signals import Floats, Scores

RATE = 16_000
PERIOD = 640
"""Samples of the rows by which score curves are compared: those of our own models."""

SHIFTS = tuple(range(0, 20_000, PERIOD))
"""Samples after a window's beginning at which what it hears may be said to begin."""

COARSE = tuple(n / 10 for n in range(1, 10))
"""Thresholds at which the shift is first looked for."""

GIVEN = Rule(max_gap=0.5)


@dataclass(frozen=True, slots=True)
class Reading:
    """Which classes stand for a label, how often a window is taken, and when what it hears begins."""

    classes: tuple[str, ...]
    hop: int  # samples
    shift: int = 0  # samples after the window's beginning
    power: float = 1.0  # of the score: below 1 the low ones are spread out, as the thresholds that are tried lie evenly


@dataclass(frozen=True, slots=True)
class Curve:
    """What one reading makes of one recording."""

    values: Floats  # (windows,)
    events: tuple[Sound, ...]
    seconds: float
    kind: str = ""  # what false alarms are told apart by


@dataclass(frozen=True, slots=True)
class Fitted:
    """A label's reading and its rule, and how they do on what they were chosen on."""

    reading: Reading
    tuned: Tuned


def fit(label: str, read: Mapping[Reading, Sequence[Curve]], budget: Budget) -> Fitted:
    """The reading, shift and rule with the best onset F1 that keep within the budget.

    Where none keeps within it, the one that comes nearest is taken. The rule is searched for by `tune`, the shift
    before it over a few thresholds and after it under the rule found.
    """
    found = [_fitted(label, reading, curves, budget) for reading, curves in read.items()]
    least = min(budget.excess(one.tuned) for one in found)
    near = [one for one in found if budget.excess(one.tuned) == least]
    return max(near, key=lambda one: (one.tuned.counts.f1, -one.tuned.alarms))


def heard(fitted: Mapping[str, Fitted], values: Mapping[str, Floats], seconds: float) -> Heard:
    """What is told of a recording; `values` are each label's curve under its reading."""
    sounds = [s for label, one in fitted.items() for s in _told(label, one, values[label])]
    rows = int(np.ceil(round(seconds * RATE / PERIOD, 6)))
    scores = np.stack([_resampled(one.reading, values[label], rows) for label, one in fitted.items()], axis=1)
    return Heard(joined(sounds), scores, PERIOD / RATE, seconds)


def _fitted(label: str, reading: Reading, curves: Sequence[Curve], budget: Budget) -> Fitted:
    meta = _metadata(label, reading.hop)
    rules = [GIVEN.model_copy(update={"on": on, "off": round(0.6 * on, 3)}) for on in COARSE]
    first = _best_shift(meta, label, rules, reading, curves)[0]
    recordings = [
        Scored(_scores(replace(reading, shift=first), curve.values), curve.events, curve.seconds, curve.kind)
        for curve in curves
    ]
    tuned = tune(meta, recordings, budget, prompt={}, ends=False)[label]  # windows are too long to tell
    last, counts = _best_shift(meta, label, [tuned.rule], reading, curves)
    return Fitted(replace(reading, shift=last), replace(tuned, counts=counts))


def _best_shift(
    meta: Metadata, label: str, rules: Iterable[Rule], reading: Reading, curves: Sequence[Curve]
) -> tuple[int, Counts]:
    """The middle one of the shifts with the best F1 under any of the rules, and its counts."""
    best: list[tuple[int, Counts]] = []
    for rule in rules:
        own = [(_heard(meta, label, rule, reading, c), _onsets(label, c)) for c in curves if c.events]
        for shift in SHIFTS:
            counts = sum((match([t + shift / RATE for t in found], true) for found, true in own), Counts())
            if not best or counts.f1 > best[0][1].f1:
                best = [(shift, counts)]
            elif counts.f1 == best[0][1].f1:
                best.append((shift, counts))
    return sorted(best, key=lambda one: one[0])[len(best) // 2]


def _heard(meta: Metadata, label: str, rule: Rule, reading: Reading, curve: Curve) -> list[float]:
    return [sound.onset for sound in told(meta, label, rule, _scores(reading, curve.values))]


def _onsets(label: str, curve: Curve) -> list[float]:
    return [event.onset for event in curve.events if event.label == label]


def _scores(reading: Reading, values: Floats) -> Scores:
    return Scores(reading.shift, reading.hop, values[:, None], 0)


def _told(label: str, fitted: Fitted, values: Floats) -> Iterator[Sound]:
    tracker = Tracker((label,), {label: fitted.tuned.rule}, RATE)
    for event in tracker.update(_scores(fitted.reading, values)) + tracker.close():
        if event.phase == "end":
            yield Sound(label, event.onset / RATE, (event.offset or event.onset) / RATE)


def _resampled(reading: Reading, values: Floats, rows: int) -> Floats:
    """The value that holds in each row; nothing is heard before the first window speaks."""
    at = (np.arange(rows) * PERIOD - reading.shift) // reading.hop
    return np.where(at < 0, np.float32(0.0), values[np.clip(at, 0, len(values) - 1)]).astype(np.float32)


def _metadata(label: str, hop: int) -> Metadata:
    """What `tune` asks of a model: its label, and rows of `hop` samples."""
    frontend = FrontendSettings(sample_rate=RATE)
    return Metadata(
        name="peer", version="0", labels=(label,), frontend=frontend, stride=hop // frontend.hop,
        rules={label: GIVEN}, licence="-",
    )  # fmt: skip
