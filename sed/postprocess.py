"""Events from scores: hysteresis, gap filling, minimum duration and cooldown, per label."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from sed.metadata import Rule
from sed.signals import Event, Floats, Scores, new_id

Reason = Literal["short", "cooldown"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that reached `on` and became no event all the same."""

    label: str
    reason: Reason
    onset: int  # samples
    offset: int  # samples
    score: float  # the highest


class Tracker:
    """Follows every label at once; each message leaves with the score row that makes it certain.

    Its result equals the batch order (threshold, fill gaps, move onsets back, drop short) for any chunking. Candidates
    that became no event are counted in `rejected` by label and reason, and each is shown to `see` when it ends.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        rules: Mapping[str, Rule],
        sample_rate: int,
        see: Callable[[Rejection], None] | None = None,
    ) -> None:
        """Labels whose rule says `alert = false` are not followed."""
        self.rejected: Counter[tuple[str, str]] = Counter()
        self._labels, self._rate, self._see = labels, sample_rate, see
        self._followed: dict[int, _LabelTracker] = {}  # by column
        self._rules = self._wanted = rules
        self._adopt(rules)

    def change(self, rules: Mapping[str, Rule]) -> None:
        """From the next scores on, follow these rules; any thread may call it.

        An open event goes on under its new rule. It ends if its label is not followed any more, or smoothed otherwise.
        """
        self._wanted = rules

    def update(self, scores: Scores) -> list[Event]:
        """The messages that `scores` make certain, in the order in which they became so."""
        if len(scores.values) == 0:
            return []
        events: list[Event] = []
        if (wanted := self._wanted) is not self._rules:
            events.extend(self._adopt(wanted))
        highest = scores.values.max(axis=0).tolist()
        for column, label in self._followed.items():
            if not label.passes(scores, highest[column]):
                events.extend(label.update(scores, scores.values[:, column]))
        events.sort(key=lambda event: event.detected)
        return events

    @property
    def quiet(self) -> bool:
        """Whether no label scores enough for an event, or for one to go on: nothing can become certain at once."""
        return all(label.quiet for label in self._followed.values())

    def close(self) -> list[Event]:
        """End what is open: the sound stops here. The next scores may begin anywhere."""
        return [event for label in self._followed.values() for event in label.close()]

    def _adopt(self, rules: Mapping[str, Rule]) -> list[Event]:
        events: list[Event] = []
        self._rules = rules
        before, self._followed = self._followed, {}
        for column, name in enumerate(self._labels):
            tracker = before.get(column)
            if not rules[name].alert:
                events.extend(tracker.close() if tracker else ())
            elif tracker is None:
                self._followed[column] = _LabelTracker(name, rules[name], self._rate, self._reject)
            else:
                events.extend(tracker.change(rules[name]))
                self._followed[column] = tracker
        return events

    def _reject(self, rejection: Rejection) -> None:
        self.rejected[rejection.label, rejection.reason] += 1
        if self._see is not None:
            self._see(rejection)


@dataclass(slots=True)
class _Candidate:
    """A stretch of active rows and the gaps between them; told once it is long enough."""

    onset: int  # samples
    end: int  # samples, after the last active row
    score: float
    told: bool = False
    cooling: bool = False
    id: str = field(default_factory=new_id)


class _LabelTracker:
    def __init__(self, label: str, rule: Rule, sample_rate: int, reject: Callable[[Rejection], None]) -> None:
        self._label, self._rule, self._rate, self._reject = label, rule, sample_rate, reject
        self._smooth = RunningMedian(rule.median)
        self._cooldown = round(rule.cooldown * sample_rate)
        self._quiet_until = 0  # samples
        self._ended = 0  # samples: the end of the last candidate
        self._rise: int | None = None  # samples: since when the score has not been below `off`
        self._candidate: _Candidate | None = None
        self._active = False
        self._heard = 0

    def change(self, rule: Rule) -> Iterator[Event]:
        if rule.median != self._rule.median:
            yield from self.close()
            self._smooth = RunningMedian(rule.median)
        self._rule, self._cooldown = rule, round(rule.cooldown * self._rate)

    @property
    def quiet(self) -> bool:
        return self._candidate is None and self._rise is None

    def passes(self, scores: Scores, highest: float) -> bool:
        """Whether nothing goes on and nothing begins, as nearly always: then no row has to be looked at."""
        if self._candidate is not None or self._smooth.delay or highest >= self._rule.off:
            return False
        self._heard, self._rise = scores.end + scores.ahead, None
        return True

    def update(self, scores: Scores, column: Floats) -> Iterator[Event]:
        self._heard = scores.end + scores.ahead
        start = scores.start - self._smooth.behind * scores.hop
        values = self._smooth.push(column)
        yield from self._follow(start, scores.hop, scores.ahead + self._smooth.delay * scores.hop, values)
        self._hop = scores.hop
        self._row = start + scores.hop * len(values)

    def close(self) -> Iterator[Event]:
        if self._smooth.behind:
            yield from self._follow(self._row, self._hop, 0, self._smooth.flush(), self._heard)
        if self._candidate is not None:
            yield from self._finish(self._candidate, self._heard)
        self._smooth.reset()
        self._active, self._rise, self._ended = False, None, 0

    def _follow(self, start: int, hop: int, ahead: int, values: Floats, heard: int | None = None) -> Iterator[Event]:
        if self._candidate is None and not (values >= self._rule.on).any():
            self._rise = _risen(self._rise, start, hop, values >= self._rule.off)
            return  # the common case: nothing is going on
        min_samples = rows_at_least(self._rule.min_duration, self._rate, hop) * hop
        max_gap = rows_at_most(self._rule.max_gap, self._rate, hop) * hop
        max_rise = rows_at_most(self._rule.max_rise, self._rate, hop) * hop
        for end, value in enumerate(values.tolist(), start=1):
            row_end = start + end * hop
            detected = heard if heard is not None else row_end + ahead
            self._active = value >= (self._rule.off if self._active else self._rule.on)
            if value < self._rule.off:
                self._rise = None
            elif self._rise is None:
                self._rise = row_end - hop
            if self._active:
                candidate = self._extend(row_end - hop, row_end, value, max_rise)
                if not candidate.told and row_end - candidate.onset >= min_samples:
                    yield from self._tell(candidate, detected)
            elif self._candidate is not None and row_end - self._candidate.end > max_gap:
                yield from self._finish(self._candidate, detected)

    def _extend(self, row_start: int, row_end: int, value: float, max_rise: int) -> _Candidate:
        if self._candidate is None:
            risen = row_start if self._rise is None else self._rise
            onset = max(risen, row_start - max_rise, self._ended)
            self._candidate = _Candidate(onset, row_end, value, cooling=row_start < self._quiet_until)
        self._candidate.end = row_end
        self._candidate.score = max(self._candidate.score, value)
        return self._candidate

    def _tell(self, candidate: _Candidate, detected: int) -> Iterator[Event]:
        candidate.told = True
        if not candidate.cooling:
            yield Event(candidate.id, self._label, "start", candidate.onset, None, candidate.score, detected)

    def _finish(self, candidate: _Candidate, detected: int) -> Iterator[Event]:
        self._candidate, self._ended = None, candidate.end
        if not candidate.told or candidate.cooling:
            reason: Reason = "cooldown" if candidate.told else "short"
            self._reject(Rejection(self._label, reason, candidate.onset, candidate.end, candidate.score))
        else:
            self._quiet_until = candidate.end + self._cooldown
            yield Event(candidate.id, self._label, "end", candidate.onset, candidate.end, candidate.score, detected)


def _risen(since: int | None, start: int, hop: int, above: npt.NDArray[np.bool_]) -> int | None:
    """Where the run of rows `above`, still going on after the last one, began; `since` is what it was before."""
    below = np.flatnonzero(~above)
    if len(below) == 0:
        return start if since is None else since
    return None if below[-1] == len(above) - 1 else start + (int(below[-1]) + 1) * hop


class RunningMedian:
    """A centred running median over an odd number of rows; the edges are repeated."""

    def __init__(self, width: int) -> None:
        self.delay = width // 2
        self.reset()

    def reset(self) -> None:
        """Forget all rows."""
        self._held = np.zeros(0, np.float32)
        self.behind = 0  # rows taken in and not yet given out

    def push(self, values: Floats) -> Floats:
        """The medians that `values` complete, `delay` rows behind them."""
        if self.delay == 0:
            return values
        if len(self._held) == 0:
            self._held = np.repeat(values[:1], self.delay)
        smoothed = self._slide(values)
        self.behind += len(values) - len(smoothed)
        return smoothed

    def flush(self) -> Floats:
        """The medians still owed; then reset."""
        smoothed = self._slide(np.repeat(self._held[-1:], self.delay))
        self.reset()
        return smoothed

    def _slide(self, values: Floats) -> Floats:
        width = 2 * self.delay + 1
        values = np.concatenate((self._held, values))
        self._held = values[max(0, len(values) - width + 1) :]
        if len(values) < width:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(values, width)
        return np.median(windows, axis=1).astype(np.float32)


def rows_at_least(seconds: float, sample_rate: int, hop: int) -> int:
    """The fewest whole rows that last `seconds`; a duration that is a whole number of rows is exactly that number."""
    return int(np.ceil(round(seconds * sample_rate / hop, 6)))


def rows_at_most(seconds: float, sample_rate: int, hop: int) -> int:
    """The most whole rows that fit into `seconds`."""
    return int(np.floor(round(seconds * sample_rate / hop, 6)))
