"""What became of every known event, and what every false alarm was told of: mistakes one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sed.evaluate.hearing import Heard
from sed.evaluate.matching import COLLAR
from sed.evaluate.pairs import paired
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Origin, Scene

Outcome = Literal["found", "late", "early", "missed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

BED = "bed"
"""The class of what lies under a whole scene that was mixed."""

WHOLE = ", whole"
"""Behind the class of a recording that was not mixed: no sound in it is known."""

MISTIMED = ", mistimed"
"""Behind the class of an alarm that its own label's event set off, more than the collar before or after its onset."""


@dataclass(frozen=True, slots=True)
class Fate:
    """One known event and what became of it."""

    scene: Scene
    heard: Heard
    event: Sound
    outcome: Outcome
    score: float  # the highest from a collar before it to a collar after it
    at_onset: float  # the highest within a collar of its onset: in time to be found by
    delay: float | None  # seconds from its onset to that of what was told of it, if anything was
    ratio_db: float | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something told of which no event's onset is near, and the sound under it."""

    scene: Scene
    heard: Heard
    told: Sound
    score: float  # the highest within it
    under: str  # class
    ratio_db: float | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Mistakes:
    """All of a model's on some scenes."""

    labels: tuple[str, ...]
    heard: Sequence[tuple[Scene, Heard]]
    fates: tuple[Fate, ...]
    alarms: tuple[Alarm, ...]

    def fates_of(self, label: str, *outcomes: Outcome) -> list[Fate]:
        """The events of a label, of some outcomes or of all."""
        return [f for f in self.fates if f.event.label == label and (not outcomes or f.outcome in outcomes)]

    def alarms_of(self, label: str) -> list[Alarm]:
        """The false alarms of a label."""
        return [a for a in self.alarms if a.told.label == label]


def mistakes(labels: Sequence[str], heard: Iterable[tuple[Scene, Heard]]) -> Mistakes:
    """Events are found as onset F1 counts them; the scores of `heard` are those of `labels`, in their order.

    A label's events that are not found are late or early where something was told of them all the same.
    """
    own = tuple(labels)
    fates: list[Fate] = []
    alarms: list[Alarm] = []
    pairs = [(scene, one) for scene, one in heard]
    for scene, one in pairs:
        known = [event for event in scene.events if event.label in own]
        matched = paired(known, one.told)
        used = {id(pair.told) for pair in matched}
        fates += [_fate(scene, one, own, pair.known, pair.told) for pair in matched]
        alarms += [_alarm(scene, one, own, told) for told in one.told if id(told) not in used and told.label in own]
    return Mistakes(own, pairs, tuple(fates), tuple(alarms))


def ground(scene: Scene) -> str:
    """The class of an alarm under which there is no known sound."""
    return BED if scene.parts else scene.kind + WHOLE


def _fate(scene: Scene, heard: Heard, labels: Sequence[str], event: Sound, told: Sound | None) -> Fate:
    outcome: Outcome = "found" if told else "missed"
    if told is None and (over := [s for s in heard.told if s.label == event.label and _over(s, event)]):
        told = min(over, key=lambda s: abs(s.onset - event.onset))
        outcome = "late" if told.onset > event.onset else "early"
    part = scene.part(event)
    score, at_onset = (
        _highest(heard, labels, Sound(event.label, event.onset - COLLAR, last + COLLAR))
        for last in (event.offset, event.onset)
    )
    delay = told.onset - event.onset if told else None
    ratio, origin = (part.ratio_db, part.origin) if part else (None, Origin())
    return Fate(scene, heard, event, outcome, score, at_onset, delay, ratio, origin)


def _alarm(scene: Scene, heard: Heard, labels: Sequence[str], told: Sound) -> Alarm:
    """An alarm with what sounds there: its own label's event, else what begins nearest to it, else the bed."""
    mistimed = any(event.label == told.label and _over(told, event) for event in scene.events)
    near = [p for p in scene.parts if (p.sound.label == told.label and p.target if mistimed else _near(told, p.sound))]
    part = min(near, key=lambda p: abs(p.sound.onset - told.onset), default=None)
    under = part.sound.label if part else ground(scene)
    return Alarm(
        scene, heard, told, _highest(heard, labels, told), told.label + MISTIMED if mistimed else under,
        part.ratio_db if part else None, part.origin if part else scene.bed,
    )  # fmt: skip


def _highest(heard: Heard, labels: Sequence[str], span: Sound) -> float:
    """The highest score of a label in a stretch, 0 where there is none."""
    rows = slice(max(0, int(span.onset / heard.period)), max(1, int(span.offset / heard.period) + 1))
    return float(heard.scores[rows, labels.index(span.label)].max(initial=0.0))


def _over(told: Sound, event: Sound) -> bool:
    """Whether something is told of an event, however late, or goes on into it."""
    return told.onset <= event.offset + COLLAR and told.offset > event.onset


def _near(told: Sound, sound: Sound) -> bool:
    return sound.onset - COLLAR <= told.onset <= sound.offset + COLLAR
