"""What is known of a scene: where each label is heard, and where one cannot be sure."""

from collections.abc import Sequence
from dataclasses import dataclass

from sed.signals import Floats
from sed.train.envelope import CUTS, DEFAULT_CUT


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a label is heard in a scene, or, with `certainty` below 1, where it is doubtful that it is not."""

    label: str
    onset: int  # samples
    offset: int  # samples
    certainty: float = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One mixture and what is in it."""

    samples: Floats  # (n,)
    events: tuple[Mark, ...]
    doubts: tuple[Mark, ...]
    extras: tuple[Mark, ...] = ()  # sounds of the labels that are scored besides


class Sheet:
    """What is known so far of a scene that is being mixed."""

    def __init__(self) -> None:
        """An empty scene."""
        self.events: list[Mark] = []
        self.doubts: list[Mark] = []
        self.extras: list[Mark] = []

    def scene(self, samples: Floats, rate: int) -> Scene:
        """The finished scene."""
        return Scene(samples, merged(self.events, rate), tuple(self.doubts), merged(self.extras, rate))


def merged(marks: Sequence[Mark], rate: int) -> tuple[Mark, ...]:
    """The marks in order of onset; those of one label that touch, or that a pause within its cut parts, are one."""
    joined: dict[str, list[Mark]] = {}
    for mark in sorted(marks, key=lambda m: m.onset):
        row = joined.setdefault(mark.label, [])
        gap = CUTS.get(mark.label, DEFAULT_CUT).gap * rate
        if row and mark.onset - row[-1].offset <= gap:
            row[-1] = Mark(mark.label, row[-1].onset, max(mark.offset, row[-1].offset))
        else:
            row.append(mark)
    return tuple(sorted((m for row in joined.values() for m in row), key=lambda m: m.onset))
