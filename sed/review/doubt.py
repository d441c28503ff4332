"""How likely an event is to be a false alarm, from what the journal knows of it and of its like."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sed.history.event import WholeEvent
from sed.metadata import Rule

CROWD_SECONDS = 300.0
"""Events of one label and source that are no further apart count as a crowd."""

WEIGHTS = {"close": 0.4, "past": 0.3, "crowd": 0.15, "short": 0.15}
"""What each reason counts."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An event and the reasons to doubt it, each from 0 to 1.

    close: how little its score is above `on`: 1 - (score - on) / (1 - on)
    past: the share of false alarms among the judged events of its label and source, one of each added
    crowd: 1 - 1/n, where n events of its label and source began within CROWD_SECONDS, itself among them
    short: 1 - its duration / the median of its label's, 0 where it is longer or not known
    """

    event: WholeEvent
    close: float
    past: float
    crowd: float
    short: float
    together: int
    """How many are in its crowd."""

    @property
    def value(self) -> float:
        """From 0 to 1: the reasons, weighed by WEIGHTS."""
        return sum(weight * float(getattr(self, reason)) for reason, weight in WEIGHTS.items())

    @property
    def reason(self) -> str:
        """The one that counts most, in words."""
        words = {
            "close": "its score is just above the threshold",
            "past": "most alike were false alarms",
            "crowd": f"{self.together} within {2 * CROWD_SECONDS / 60:.0f} minutes",
            "short": "shorter than is usual",
        }
        most = max(WEIGHTS, key=lambda reason: WEIGHTS[reason] * float(getattr(self, reason)))
        return words[most] if self.value >= 0.4 else "nothing speaks against it"


def doubted(events: Sequence[WholeEvent], rule: Callable[[WholeEvent], Rule | None]) -> list[Doubt]:
    """Those without a verdict first, of each the likeliest false alarms first; `rule` is what an event had to pass."""
    durations, onsets, judged = defaultdict[str, list[float]](list), _onsets(events), _judged(events)
    for event in events:
        if event.duration is not None:
            durations[event.label].append(event.duration)
    usual = {label: median(own) for label, own in durations.items()}
    found = [_doubt(event, rule(event), usual, onsets, judged) for event in events]
    return sorted(found, key=lambda one: (one.event.verdict is not None, -one.value, -one.event.onset.timestamp()))


_Kind = tuple[str, str, str]


def _kind(event: WholeEvent) -> _Kind:
    return event.label, event.source, event.node


def _onsets(events: Sequence[WholeEvent]) -> Mapping[_Kind, list[float]]:
    found = defaultdict[_Kind, list[float]](list)
    for event in events:
        found[_kind(event)].append(event.onset.timestamp())
    return {kind: sorted(own) for kind, own in found.items()}


def _judged(events: Sequence[WholeEvent]) -> Counter[tuple[_Kind, bool]]:
    """How many of a kind were right, and how many were not."""
    return Counter((_kind(event), event.verdict.verdict == "right") for event in events if event.verdict)


def _doubt(
    event: WholeEvent,
    rule: Rule | None,
    usual: Mapping[str, float],
    onsets: Mapping[_Kind, list[float]],
    judged: Counter[tuple[_Kind, bool]],
) -> Doubt:
    kind, at = _kind(event), event.onset.timestamp()
    own = onsets[kind]
    together = bisect_right(own, at + CROWD_SECONDS) - bisect_left(own, at - CROWD_SECONDS)
    wrong, right = judged[kind, False], judged[kind, True]
    short = 0.0
    if event.duration is not None and usual[event.label] > 0.0:
        short = max(0.0, 1.0 - event.duration / usual[event.label])
    past, crowd = (wrong + 1) / (wrong + right + 2), 1.0 - 1.0 / together
    return Doubt(event, _close(event.score, rule), past, crowd, short, together)


def _close(score: float, rule: Rule | None) -> float:
    """A label that the model does not know any more tells nothing: a half."""
    if rule is None:
        return 0.5
    if rule.on >= 1.0:
        return 1.0
    return min(max(1.0 - (score - rule.on) / (1.0 - rule.on), 0.0), 1.0)
