"""The events of a recording and the candidates that became none, found from all of its scores at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from sed.errors import UsageError
from sed.explain import finding
from sed.explain.finding import Finding, Stretch
from sed.metadata import Rule
from sed.postprocess import Rejection, RunningMedian, Tracker
from sed.signals import Event, Floats, Scores

NEAR = 0.5
"""A score that comes to this share of `on` is a near miss; its stretch is what lies above."""

REACH = 0.5
"""Seconds around a moment in which something is looked for."""


class Candidates:
    """What the scores of one recording hold, by the rules that the daemon would follow."""

    def __init__(self, labels: tuple[str, ...], rules: Mapping[str, Rule], sample_rate: int, scores: Scores) -> None:
        self._labels, self.rules, self._rate, self.scores = labels, rules, sample_rate, scores
        self._smoothed = {label: self._smooth(label) for label in labels}
        self._found = sorted((f for label in labels for f in self._find(label)), key=lambda f: f.onset)

    def findings(self, label: str | None = None) -> list[Finding]:
        """Events and rejected candidates, of one label or of all, in the order of their onsets."""
        return [f for f in self._found if label in {None, f.label}]

    def at(self, seconds: float, label: str | None = None) -> Finding:
        """The finding nearest to a moment, or the words for what is there if that is nothing within REACH.

        Without a label, of those that are told; raises UsageError for a moment after the end.
        """
        self._check(seconds)
        near = [f for f in self.findings(label) if _away(f, seconds) <= REACH]
        if near:
            return min(near, key=lambda f: (_away(f, seconds), f.rule is not None, f.missed_by, -f.score))
        return self._nothing(self._around(seconds), label)

    def best(self, label: str | None = None) -> Finding:
        """The event with the highest score, without one the nearest candidate, and without either the highest score."""
        if found := self.findings(label):
            return min(found, key=lambda f: (f.rule is not None, f.missed_by, -f.score))
        return self._nothing(slice(0, len(self.scores.values)), label)

    def smoothed(self, label: str) -> Floats:
        """The score rows of a label as its rule sees them, after the running median."""
        return self._smoothed[label]

    def _find(self, label: str) -> list[Finding]:
        rule = self.rules[label]
        rejections: list[Rejection] = []
        events = self._track(label, rule.model_copy(update={"alert": True}), rejections)
        if not rule.alert:
            return [finding.switched_off(s) for s in events]
        taken = events + [self._stretch(r) for r in rejections]
        near = [self._too_low(s) for s in _apart(self._near_misses(label, rule), taken)]
        return [finding.event(s) for s in events] + [self._rejected(r, rule, events) for r in rejections] + near

    def _track(self, label: str, rule: Rule, rejections: list[Rejection]) -> list[Stretch]:
        tracker = Tracker((label,), {label: rule}, self._rate, rejections.append)
        column = self._labels.index(label)
        scores = self.scores
        one = Scores(scores.start, scores.hop, scores.values[:, column : column + 1], scores.ahead)
        return [self._stretch(e) for e in tracker.update(one) + tracker.close() if e.phase == "end"]

    def _rejected(self, rejection: Rejection, rule: Rule, events: Sequence[Stretch]) -> Finding:
        stretch = self._stretch(rejection)
        if rejection.reason == "short":
            return finding.too_short(stretch, rule)
        before = bisect_right(events, stretch.onset, key=lambda e: e.onset) - 1
        return finding.too_soon(stretch, rule, events[before].offset)

    def _near_misses(self, label: str, rule: Rule) -> list[Stretch]:
        """What a rule would find that asks for NEAR of the score and nothing else; gaps are filled as ever."""
        half = NEAR * rule.on
        return self._track(label, Rule(on=half, off=half, max_gap=rule.max_gap), [])

    def _nothing(self, rows: slice, label: str | None) -> Finding:
        """The highest score in some rows, said in the words of a near miss."""
        labels = [label] if label else [name for name in self._labels if self.rules[name].alert] or self._labels
        stretches = [self._rows(name, rows) for name in labels]
        stretch = max(stretches, key=lambda s: s.score / max(self.rules[s.label].on, 1e-6))
        return self._too_low(stretch) if self.rules[stretch.label].alert else finding.switched_off(stretch)

    def _too_low(self, stretch: Stretch) -> Finding:
        rows = slice(self._row(stretch.onset), self._row(stretch.offset))
        return finding.too_low(stretch, self.rules[stretch.label], float(self._smoothed[stretch.label][rows].max()))

    def _smooth(self, label: str) -> Floats:
        values = self.scores.values[:, self._labels.index(label)]
        median = RunningMedian(self.rules[label].median)
        smooth = median.push(values) if len(values) else values
        return np.concatenate((smooth, median.flush())) if median.behind else smooth

    def _around(self, seconds: float) -> slice:
        return slice(max(0, self._row(seconds - REACH)), min(len(self.scores.values), self._row(seconds + REACH) + 1))

    def _rows(self, label: str, rows: slice) -> Stretch:
        peak = float(self.scores.values[rows, self._labels.index(label)].max())
        return Stretch(label, self._seconds(rows.start), self._seconds(rows.stop), peak)

    def _row(self, seconds: float) -> int:
        return int(round(seconds * self._rate - self.scores.start) // self.scores.hop)

    def _seconds(self, row: int) -> float:
        return (self.scores.start + row * self.scores.hop) / self._rate

    def _stretch(self, found: Event | Rejection) -> Stretch:
        assert found.offset is not None  # noqa: S101 - what has ended has an offset
        return Stretch(found.label, found.onset / self._rate, found.offset / self._rate, found.score)

    def _check(self, seconds: float) -> None:
        end = self._seconds(len(self.scores.values))
        if not 0.0 <= seconds <= end:
            raise UsageError(f"--at {seconds:g}: the recording has scores from 0 to {end:.2f} s")


def nearest(findings: Sequence[Finding], count: int) -> list[Finding]:
    """All events, and of the rejected the `count` that missed by least; the order stays."""
    rejected = sorted((f for f in findings if f.rule is not None), key=lambda f: f.missed_by)
    kept = {id(f) for f in rejected[:count]}
    return [f for f in findings if f.rule is None or id(f) in kept]


def _apart(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> Iterator[Stretch]:
    """Those stretches that overlap none of the taken ones, which do not overlap each other."""
    known = sorted(taken, key=lambda t: t.onset)
    for stretch in stretches:
        last = bisect_left(known, stretch.offset, key=lambda t: t.onset) - 1
        if last < 0 or known[last].offset <= stretch.onset:
            yield stretch


def _away(f: Finding, seconds: float) -> float:
    return max(f.onset - seconds, seconds - f.offset, 0.0)
