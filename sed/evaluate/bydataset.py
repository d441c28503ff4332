"""Mistakes counted: events found and missed by data set, false alarms by class and data set of the sound under them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sed.evaluate.mistakes import BED, MISTIMED, WHOLE, Alarm, Fate, Mistakes, Outcome, ground
from sed.evaluate.scenelist import Origin, Scene

EVERY = ""
"""The data set of a row that counts all of them."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events of a label from one data set."""

    dataset: str
    outcomes: Counter[Outcome]

    @property
    def count(self) -> int:
        """All of them."""
        return self.outcomes.total()

    @property
    def recall(self) -> float:
        """The share found."""
        return self.outcomes["found"] / max(1, self.count)


@dataclass(frozen=True, slots=True)
class Alarms:
    """False alarms of a label on one class of sound, of one data set or of all, and how much of it was heard."""

    under: str
    dataset: str
    count: int
    recordings: int  # that set them off
    times: int  # such a sound was heard
    hours: float

    @property
    def per_hour(self) -> float | None:
        """Alarms an hour of it; None for short sounds, of which there is never an hour."""
        whole = self.under == BED or self.under.endswith(WHOLE)
        return self.count / self.hours if whole and self.hours else None


def events_by_dataset(fates: Iterable[Fate]) -> list[Events]:
    """Those with the most not found first."""
    counts: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for fate in fates:
        counts[fate.origin.dataset][fate.outcome] += 1
    rows = [Events(name, outcomes) for name, outcomes in counts.items()]
    return sorted(rows, key=lambda row: (row.outcomes["found"] - row.count, row.recall, row.dataset))


def alarms_by_class(found: Mistakes, label: str) -> list[Alarms]:
    """False alarms of a label by the class of sound under them, most first."""
    return _alarms(found, label, datasets=False)


def alarms_by_dataset(found: Mistakes, label: str) -> list[Alarms]:
    """The same, each class apart by data set."""
    return _alarms(found, label, datasets=True)


def _alarms(found: Mistakes, label: str, *, datasets: bool) -> list[Alarms]:
    heard: dict[tuple[str, str], list[float]] = defaultdict(list)  # seconds, each time
    for scene, one in found.heard:
        for under, origin, seconds in _sounds(scene, one.seconds):
            heard[under, origin.dataset if datasets else EVERY].append(seconds)
    told: dict[tuple[str, str], list[Alarm]] = defaultdict(list)
    for alarm in found.alarms_of(label):
        told[alarm.under, alarm.origin.dataset if datasets else EVERY].append(alarm)
    rows = [_row(under, name, own, heard[under.removesuffix(MISTIMED), name]) for (under, name), own in told.items()]
    return sorted(rows, key=lambda row: (-row.count, row.under, row.dataset))


def _row(under: str, dataset: str, told: list[Alarm], heard: list[float]) -> Alarms:
    recordings = {alarm.origin.clip or alarm.scene.name for alarm in told}
    return Alarms(under, dataset, len(told), len(recordings), len(heard), sum(heard) / 3600.0)


def _sounds(scene: Scene, seconds: float) -> Iterator[tuple[str, Origin, float]]:
    """The class, the origin and the length of all that sounds in a scene."""
    for part in scene.parts:
        yield part.sound.label, part.origin, part.sound.offset - part.sound.onset
    yield ground(scene), scene.bed, seconds
