"""Rules chosen on recordings with known events: the best F1, every false alarm elsewhere having its price."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sed.evaluate.matching import COLLAR, Counts, match
from sed.evaluate.reference import Recording, Sound
from sed.frontend import log_mel
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.postprocess import Tracker
from sed.signals import Floats, Frames, Scores

ON = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
OFF_SHARE = (0.3, 0.6)
"""`off` as a share of `on`."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The score rows of one recording, and the events known to be in it."""

    scores: Scores
    events: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What is tried for one label besides its thresholds, in seconds."""

    min_durations: tuple[float, ...] = (0.04, 0.08, 0.12)
    max_gaps: tuple[float, ...] = (0.4,)
    alarm_price: float = 0.01  # F1 given up to have one false alarm an hour less on recordings without targets


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule, and how it does on what it was chosen on."""

    rule: Rule
    counts: Counts
    alarms_per_hour: float


def scored(model: OnnxModel, recordings: Iterable[Recording]) -> list[Scored]:
    """The scores of whole recordings; chunking does not change them, so this is what the daemon would see."""
    return [Scored(_scores(model, recording.read()), recording.events) for recording in recordings]


def choose(model: OnnxModel, label: str, scenes: Sequence[Scored], plain: Sequence[Scored], search: Search) -> Choice:
    """The rule of `label` with the best onset F1 on `scenes`, less the price of its false alarms on `plain`.

    `plain` holds recordings without targets. Of equal rules the one that is harder to set off is taken.
    """
    tried: list[Choice] = []
    for on, share, shortest, gap in itertools.product(ON, OFF_SHARE, search.min_durations, search.max_gaps):
        rule = Rule(on=on, off=round(on * share, 3), min_duration=shortest, max_gap=gap)
        alarms = _counts(model, label, rule, plain).false * 3600.0 / max(_seconds(model, plain), 1e-9)
        tried.append(Choice(rule, _counts(model, label, rule, scenes), alarms))
    return max(tried, key=lambda c: (c.counts.f1 - search.alarm_price * c.alarms_per_hour, c.rule.on))


def told(model: OnnxModel, label: str, rule: Rule, scores: Scores) -> list[float]:
    """The onsets, in seconds, that `rule` makes of a whole recording's scores."""
    rate = model.metadata.frontend.sample_rate
    column = model.metadata.labels.index(label)
    own = Scores(scores.start, scores.hop, scores.values[:, column : column + 1], scores.ahead)
    tracker = Tracker((label,), {label: rule}, rate)
    events = tracker.update(own) + tracker.close()
    return [event.onset / rate for event in events if event.phase == "end"]


def _counts(model: OnnxModel, label: str, rule: Rule, recordings: Sequence[Scored]) -> Counts:
    counts = Counts()
    for recording in recordings:
        true = [event.onset for event in recording.events if event.label == label]
        counts += match(told(model, label, rule, recording.scores), true, COLLAR)
    return counts


def _scores(model: OnnxModel, samples: Floats) -> Scores:
    model.reset()
    settings = model.metadata.frontend
    first = model.step(Frames(0, settings.hop, log_mel(samples, settings)))
    last = model.flush()
    return Scores(first.start, first.hop, np.concatenate((first.values, last.values)), first.ahead)


def _seconds(model: OnnxModel, recordings: Sequence[Scored]) -> float:
    return sum(len(r.scores.values) for r in recordings) * model.metadata.period
