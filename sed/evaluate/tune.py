"""Rules chosen for a budget of false alarms, and written into a model file."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sed.errors import SinkError
from sed.evaluate.hearing import hear
from sed.evaluate.libraries import library
from sed.evaluate.matching import Counts, match
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Scene
from sed.metadata import KEY, Metadata, Rule
from sed.model import OnnxModel
from sed.postprocess import Tracker
from sed.signals import Scores

ON = (*(n / 20 for n in range(1, 20)), 0.97, 0.99)
OFF_SHARE = (0.3, 0.6)
"""`off` as a share of `on`."""
MIN_DURATIONS = (0.04, 0.08, 0.12, 0.2, 0.4, 0.8)
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The score rows of a whole recording, and the events in it."""

    scores: Scores  # (rows, labels)
    events: tuple[Sound, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """A label's rule, and how it does on what it was chosen on."""

    rule: Rule
    counts: Counts  # on the recordings with events
    alarms_per_hour: float  # on those without


def scored(model: OnnxModel, scenes: Sequence[Scene], step: Callable[[], None] = lambda: None) -> list[Scored]:
    """Listen to every recording once; what rules make of its scores can then be tried many times."""
    meta, found = model.metadata, list[Scored]()
    for scene in scenes:
        heard = hear(model, meta.rules, scene.read(meta.frontend.sample_rate))
        found.append(Scored(Scores(0, meta.hop, heard.scores, meta.ahead), scene.events, heard.seconds))
        step()
    return found


def tune(metadata: Metadata, recordings: Sequence[Scored], budget: float) -> dict[str, Tuned]:
    """For each label the rule with the best onset F1 that keeps within `budget` false alarms an hour.

    Alarms are counted on the recordings without any event. Where no rule keeps within the budget, the one that comes
    nearest is taken. Only `on`, `off` and `min_duration` change; of equal rules the one harder to set off is taken.
    A label without any event in the recordings has nothing to be chosen by, and keeps its rule.
    """
    held = {event.label for recording in recordings for event in recording.events}
    return {label: _best(metadata, label, recordings, budget) for label in metadata.labels if label in held}


def onsets(metadata: Metadata, label: str, rule: Rule, scores: Scores) -> list[float]:
    """The onsets, in seconds, of the events that a rule makes of a whole recording's scores, nearby ones joined."""
    rate, column = metadata.frontend.sample_rate, metadata.labels.index(label)
    own = scores.values[:, column : column + 1]
    if len(own) == 0 or own.max() < rule.on:
        return []
    tracker = Tracker((label,), {label: rule.model_copy(update={"alert": True})}, rate)
    events = tracker.update(Scores(scores.start, scores.hop, own, scores.ahead)) + tracker.close()
    ends = (e for e in events if e.phase == "end")
    return [s.onset for s in joined(Sound(label, e.onset / rate, (e.offset or e.onset) / rate) for e in ends)]


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


def _best(metadata: Metadata, label: str, recordings: Sequence[Scored], budget: float) -> Tuned:
    tried = [_tried(metadata, label, rule, recordings) for rule in _rules(metadata.rules[label])]
    within = [one for one in tried if one.alarms_per_hour <= budget]
    if not within:
        fewest = min(one.alarms_per_hour for one in tried)
        within = [one for one in tried if one.alarms_per_hour == fewest]
    return max(within, key=lambda one: (one.counts.f1, one.rule.on, one.rule.min_duration))


def _rules(given: Rule) -> Iterator[Rule]:
    for on, share, shortest in itertools.product(ON, OFF_SHARE, MIN_DURATIONS):
        yield given.model_copy(update={"on": on, "off": round(on * share, 3), "min_duration": shortest})


def _tried(metadata: Metadata, label: str, rule: Rule, recordings: Sequence[Scored]) -> Tuned:
    counts, alarms, seconds = Counts(), 0, 0.0
    for recording in recordings:
        told = onsets(metadata, label, rule, recording.scores)
        if recording.events:
            counts += match(told, [event.onset for event in recording.events if event.label == label])
        else:
            alarms, seconds = alarms + len(told), seconds + recording.seconds
    return Tuned(rule, counts, 3600.0 * alarms / max(seconds, 1e-9))
