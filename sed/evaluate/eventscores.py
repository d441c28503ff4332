"""Events and segments counted by sed_eval, scene by scene, and the figures made of the counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sed.evaluate.bootstrap import Interval, Values, interval, ratio
from sed.evaluate.hearing import Heard
from sed.evaluate.libraries import hushed, library
from sed.evaluate.matching import COLLAR, LENGTH_SHARE, WHOLE_COLLAR
from sed.evaluate.reference import Sound

SEGMENT = 1.0
"""Seconds."""

Figures = dict[str, Interval]
"""By label, and `all`."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by scene and label, (scenes, labels); errors and references over all labels by scene, (scenes,)."""

    labels: tuple[str, ...]
    found: Values
    missed: Values
    false: Values
    errors: Values  # substitutions, deletions and insertions
    references: Values

    def f1(self, weights: Values) -> Figures:
        """F1 of each label that has an event anywhere; `all` is their mean."""
        return _means(self.labels, self._f1s(weights))

    def precision(self, weights: Values) -> Figures:
        """The share of what was told that is true."""
        found, _, false = self._sums(weights)
        return _means(self.labels, ratio(found, found + false))

    def recall(self, weights: Values) -> Figures:
        """The share of what is there that was told."""
        found, missed, _ = self._sums(weights)
        return _means(self.labels, ratio(found, found + missed))

    def error_rate(self, weights: Values) -> Figures:
        """Errors by references; `all` counts a wrong label once, as a substitution."""
        found, missed, false = self._sums(weights)
        figures = _means(self.labels, ratio(missed + false, found + missed))
        return figures | {"all": interval(ratio(weights @ self.errors, weights @ self.references))}

    def change(self, other: "Tally", weights: Values) -> Figures:
        """The F1 of `other` less that of this one, over the same scenes, drawn together."""
        return _means(self.labels, other._f1s(weights) - self._f1s(weights))

    def false_per_hour(self, weights: Values, seconds: Values, of: Values) -> Figures:
        """False alarms per hour over the scenes in which `of` is 1; `all` is their sum."""
        hours = (weights * of) @ seconds / 3600.0
        each = ratio((weights * of) @ self.false, hours[:, None])
        figures = {label: interval(each[:, n]) for n, label in enumerate(self.labels)}
        return {"all": interval(each.sum(axis=1)), **figures}

    def _f1s(self, weights: Values) -> Values:
        found, missed, false = self._sums(weights)
        there = (self.found + self.missed).sum(axis=0) > 0
        return np.where(there, ratio(2 * found, 2 * found + missed + false), np.nan)

    def _sums(self, weights: Values) -> tuple[Values, Values, Values]:
        return weights @ self.found, weights @ self.missed, weights @ self.false


def by_onset(known: Sequence[Sequence[Sound]], heard: Sequence[Heard], labels: Sequence[str]) -> Tally:
    """Events found if their onset is told within 500 ms, whatever their end."""
    events = library("sed_eval.sound_event").EventBasedMetrics
    return _tally(known, heard, labels, lambda: events(list(labels), evaluate_offset=False, t_collar=COLLAR))


def by_event(known: Sequence[Sequence[Sound]], heard: Sequence[Heard], labels: Sequence[str]) -> Tally:
    """Events found if their onset is told within 200 ms, and their offset within 200 ms or 20 % of their length."""
    events = library("sed_eval.sound_event").EventBasedMetrics
    return _tally(
        known, heard, labels,
        lambda: events(list(labels), t_collar=WHOLE_COLLAR, percentage_of_length=LENGTH_SHARE),
    )  # fmt: skip


def by_segment(known: Sequence[Sequence[Sound]], heard: Sequence[Heard], labels: Sequence[str]) -> Tally:
    """Seconds in which a label is heard, rightly or wrongly."""
    segments = library("sed_eval.sound_event").SegmentBasedMetrics
    return _tally(known, heard, labels, lambda: segments(list(labels), time_resolution=SEGMENT), timed=True)


def _tally(
    known: Sequence[Sequence[Sound]],
    heard: Sequence[Heard],
    labels: Sequence[str],
    measure: Callable[[], Any],
    *,
    timed: bool = False,
) -> Tally:
    counts: list[list[list[float]]] = []
    overall: list[list[float]] = []
    for true, scene in zip(known, heard, strict=True):
        one = measure()
        length = {"evaluated_length_seconds": scene.seconds} if timed else {}
        with hushed():
            one.evaluate(_listed(true, labels), _listed(scene.told, labels), **length)
        counts.append([[float(one.class_wise[label][key]) for label in labels] for key in ("Ntp", "Nfn", "Nfp")])
        overall.append([_errors(one.overall), float(one.overall["Nref"])])
    each = np.array(counts, np.float64).reshape(len(heard), 3, len(labels))
    sums = np.array(overall, np.float64).reshape(len(heard), 2)
    return Tally(tuple(labels), each[:, 0], each[:, 1], each[:, 2], sums[:, 0], sums[:, 1])


def _listed(sounds: Sequence[Sound], labels: Sequence[str]) -> list[dict[str, object]]:
    return [
        {"filename": "", "event_label": s.label, "event_onset": s.onset, "event_offset": s.offset}
        for s in sounds
        if s.label in labels
    ]


def _errors(overall: Mapping[str, float]) -> float:
    keys = ("S", "D", "I") if "S" in overall else ("Nsubs", "Nfn", "Nfp")
    return float(sum(overall[key] for key in keys))


def _means(labels: Sequence[str], values: Values) -> Figures:
    """The interval of each label's column, (1 + draws, labels), and of the mean over those that have a figure."""
    has = np.isfinite(values)
    mean = ratio(np.where(has, values, 0.0).sum(axis=1), has.sum(axis=1).astype(np.float64))
    return {"all": interval(mean), **{label: interval(values[:, n]) for n, label in enumerate(labels)}}
