"""The worst mistakes of each label, one of each recording, and the pictures of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sed.evaluate.mistakepicture import Picture
from sed.evaluate.mistakes import Alarm, Fate, Mistakes
from sed.metadata import Metadata, Rule

Mistake = TypeVar("Mistake", Fate, Alarm)


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures of one kind of mistake."""

    title: str
    pictures: tuple[tuple[str, Picture], ...]  # by file name


def galleries(found: Mistakes, label: str, rule: Rule, metadata: Metadata, most: int) -> Iterator[Gallery]:
    """Of a label the events that were scored lowest, those told latest, and the alarms that were scored highest."""
    column = found.labels.index(label)

    def gallery(kind: str, title: str, heaps: Sequence[tuple[Fate | Alarm, int]]) -> Gallery:
        pictures = (Picture(mistake, times, column, rule, metadata) for mistake, times in heaps)
        return Gallery(title, tuple((f"{label}-{kind}-{n}.png", one) for n, one in enumerate(pictures, start=1)))

    missed = worst(found.fates_of(label, "missed"), lambda fate: fate.score, most)
    late = worst(found.fates_of(label, "late", "early"), lambda fate: -abs(fate.delay or 0.0), most)
    false = worst(found.alarms_of(label), lambda alarm: -alarm.score, most)
    yield gallery("missed", "Missed, the lowest scores first", missed)
    yield gallery("late", "Told more than 500 ms away from their onset, the farthest first", late)
    yield gallery("false", "False alarms, the highest scores first", false)


def worst(mistakes: Sequence[Mistake], order: Callable[[Mistake], float], most: int) -> list[tuple[Mistake, int]]:
    """The first in order of each recording, and how many there are of it; mistakes come in heaps from few sounds."""
    heaps: dict[str, list[Mistake]] = {}
    for mistake in sorted(mistakes, key=order):
        heaps.setdefault(mistake.origin.clip or mistake.scene.name, []).append(mistake)
    return [(heap[0], len(heap)) for heap in heaps.values()][:most]
