"""Rules chosen for a budget of false alarms, and written into a model file."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sed.errors import SinkError
from sed.evaluate.hearing import hear
from sed.evaluate.libraries import library
from sed.evaluate.matching import Counts, match, match_whole
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Scene
from sed.metadata import KEY, Metadata, Rule
from sed.model import OnnxModel
from sed.postprocess import Tracker
from sed.signals import Scores

ON = (*(n / 20 for n in range(1, 20)), 0.97, 0.99)
OFF_SHARES = (0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
"""`off` as a share of `on`."""
MIN_DURATIONS = (0.04, 0.08, 0.12, 0.2, 0.4, 0.8, 1.2)
"""Seconds."""
MAX_RISES = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds."""
ROUNDS = 2
NEAR = 0.02
"""F1 by which two rules cannot be told apart: two events of 120."""

PROMPT: Mapping[str, float] = {"gun_shot": 0.12, "glass_break": 0.12}
"""Seconds: the longest `min_duration` of labels that have to be told at once. It is most of an alert's delay."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The score rows of a whole recording, and the events in it."""

    scores: Scores  # (rows, labels)
    events: tuple[Sound, ...]
    seconds: float
    kind: str = ""  # what false alarms are told apart by


@dataclass(frozen=True, slots=True)
class Budget:
    """The false alarms an hour that a label may have on recordings without any event."""

    per_hour: float
    by_kind: Mapping[str, float] = field(default_factory=dict)  # recordings of these kinds are counted apart

    def group(self, kind: str) -> str:
        """What a recording of a kind is counted with."""
        return kind if kind in self.by_kind else ""

    def holds(self, tuned: "Tuned") -> bool:
        """Whether a rule keeps within it."""
        apart = all(tuned.apart.get(kind, 0.0) <= most for kind, most in self.by_kind.items())
        return tuned.alarms_per_hour <= self.per_hour and apart

    def excess(self, tuned: "Tuned") -> float:
        """0 for a rule that keeps within it, else all its false alarms an hour: of those, less is nearer."""
        return 0.0 if self.holds(tuned) else tuned.alarms


@dataclass(frozen=True, slots=True)
class Tuned:
    """A label's rule, and how it does on what it was chosen on."""

    rule: Rule
    counts: Counts  # on the recordings with events, by onset
    alarms_per_hour: float  # on those without
    apart: Mapping[str, float] = field(default_factory=dict)  # the same, for the kinds that have their own budget
    whole: Counts = Counts()  # on the recordings with events, by onset and offset

    @property
    def alarms(self) -> float:
        """An hour of each group of recordings, added up."""
        return self.alarms_per_hour + sum(self.apart.values())


def scored(model: OnnxModel, scenes: Sequence[Scene], step: Callable[[], None] = lambda: None) -> list[Scored]:
    """Listen to every recording once; what rules make of its scores can then be tried many times."""
    meta, found = model.metadata, list[Scored]()
    for scene in scenes:
        heard = hear(model, meta.rules, scene.read(meta.frontend.sample_rate))
        rows = Scores(0, meta.hop, heard.scores, meta.ahead)
        found.append(Scored(rows, scene.events, heard.seconds, scene.kind))
        step()
    return found


def tune(
    metadata: Metadata,
    recordings: Sequence[Scored],
    budget: Budget,
    labels: Sequence[str] | None = None,
    prompt: Mapping[str, float] = PROMPT,
    ends: bool = True,
) -> dict[str, Tuned]:
    """For each label, all of them or some, the rule that keeps within the budget and has the best onset F1.

    Of rules whose F1 is within NEAR of the best, the one that finds most and ends what it finds where it ends: the sum
    of recall and event F1 (onset and offset) decides; the budget says what false alarms may cost. Where no rule keeps
    within it, the one that comes nearest is taken. `on`, `off`, `min_duration` and `max_rise` change, by turns: `on`
    with each of the others while the rest stays at the best yet. Of equal rules the one harder to set off is taken. A
    label without any event in the recordings has nothing to be chosen by, and keeps its rule. `prompt` bounds the
    `min_duration` of some labels. Scores that cannot tell where an event `ends` are judged by what they find alone.
    """
    held = {event.label for recording in recordings for event in recording.events}
    wanted = [label for label in labels or metadata.labels if label in held]
    return {label: _best(metadata, label, recordings, budget, _durations(label, prompt), ends) for label in wanted}


def _durations(label: str, prompt: Mapping[str, float]) -> list[float]:
    return [seconds for seconds in MIN_DURATIONS if seconds <= prompt.get(label, MIN_DURATIONS[-1])]


def told(metadata: Metadata, label: str, rule: Rule, scores: Scores) -> tuple[Sound, ...]:
    """The events that a rule makes of a whole recording's scores, nearby ones joined."""
    rate, column = metadata.frontend.sample_rate, metadata.labels.index(label)
    own = scores.values[:, column : column + 1]
    if len(own) == 0 or own.max() < rule.on:
        return ()
    tracker = Tracker((label,), {label: rule.model_copy(update={"alert": True})}, rate)
    events = tracker.update(Scores(scores.start, scores.hop, own, scores.ahead)) + tracker.close()
    ends = (e for e in events if e.phase == "end")
    return joined(Sound(label, e.onset / rate, (e.offset or e.onset) / rate) for e in ends)


def rewritten(source: Path, metadata: Metadata, out: Path) -> None:
    """Write `source` to `out` with other metadata, whole or not at all; raises SinkError if that cannot be done."""
    onnx = library("onnx")
    model = onnx.load(str(source))
    for entry in model.metadata_props:
        if entry.key == KEY:
            entry.value = metadata.model_dump_json()
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(model.SerializeToString())
        part.replace(out)
    except OSError as error:
        raise SinkError(f"{out}: cannot be written ({error.strerror})") from error


def _best(
    metadata: Metadata,
    label: str,
    recordings: Sequence[Scored],
    budget: Budget,
    durations: Sequence[float],
    ends: bool,
) -> Tuned:
    seen: dict[Rule, Tuned] = {}

    def rank(rule: Rule) -> tuple[float, ...]:
        if rule not in seen:
            seen[rule] = _tried(metadata, label, rule, recordings, budget)
        tuned = seen[rule]
        return -budget.excess(tuned), tuned.counts.f1, rule.on, rule.min_duration, -rule.max_rise

    best = max(_first(metadata.rules[label], durations), key=rank)
    for _ in range(ROUNDS):
        for axis in ("max_rise", "off", "min_duration"):
            best = max((best, *_along(axis, best, durations)), key=rank)
    least = seen[best].counts.f1 - NEAR
    near = (tuned for tuned in seen.values() if budget.holds(tuned) and tuned.counts.f1 >= least)

    def worth(tuned: Tuned) -> tuple[float, tuple[float, ...]]:
        return tuned.counts.recall + (tuned.whole.f1 if ends else 0.0), rank(tuned.rule)

    return max(near, key=worth, default=seen[best])


def _first(given: Rule, durations: Sequence[float]) -> Iterator[Rule]:
    for on, shortest in itertools.product(ON, durations):
        yield given.model_copy(update={"on": on, "off": round(on * 0.3, 3), "min_duration": shortest})


def _along(axis: str, best: Rule, durations: Sequence[float]) -> Iterator[Rule]:
    """Every `on` with every value of one of the others."""
    share = best.off / best.on
    for on in ON:
        level = best.model_copy(update={"on": on, "off": round(on * share, 3)})
        match axis:
            case "off":
                yield from (level.model_copy(update={"off": round(on * other, 3)}) for other in OFF_SHARES)
            case "min_duration":
                yield from (level.model_copy(update={"min_duration": seconds}) for seconds in durations)
            case _:
                yield from (level.model_copy(update={"max_rise": seconds}) for seconds in MAX_RISES)


def _tried(metadata: Metadata, label: str, rule: Rule, recordings: Sequence[Scored], budget: Budget) -> Tuned:
    counts, whole = Counts(), Counts()
    alarms, seconds = defaultdict[str, float](float), defaultdict[str, float](float)
    for recording in recordings:
        found = told(metadata, label, rule, recording.scores)
        if recording.events:
            true = [event for event in recording.events if event.label == label]
            counts += match((sound.onset for sound in found), (event.onset for event in true))
            whole += match_whole(found, true)
        else:
            group = budget.group(recording.kind)
            alarms[group] += len(found)
            seconds[group] += recording.seconds
    rates = {group: 3600.0 * alarms[group] / max(seconds[group], 1e-9) for group in ("", *budget.by_kind)}
    return Tuned(rule, counts, rates.pop(""), rates, whole)
