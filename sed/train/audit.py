"""What a data set holds, class by class, and what is wrong with it."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from sed.errors import EarwitnessError
from sed.train.manifest import Row
from sed.train.sound import Sound, measure
from sed.train.splits import crossing

SHAPES = ("centroid", "flatness", "change")
"""What is told of each class's spectrum; sed.train.sound has the formulas."""

UNDECIDED = "none"
"""The side of the split of clips that have none."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A clip that could be read."""

    row: Row
    sound: Sound


@dataclass(frozen=True, slots=True)
class Spread:
    """Quartiles over the clips of a class; NaN if none of them tells."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class."""

    label: str
    clips: int
    by_split: Mapping[str, int]
    groups: int
    minutes: float
    silence: float  # share of the time, 0 to 1
    centroid: Spread  # Hz
    flatness: Spread
    change: Spread


@dataclass(slots=True)
class Audit:
    """Everything that was found, in the order of the rows."""

    folder: str
    layout: str
    checked: list[Checked] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)  # path: what is wrong

    def take(self, results: Iterable[tuple[Row, Sound | EarwitnessError]]) -> None:
        """Add what was measured."""
        for row, result in results:
            if isinstance(result, Sound):
                self.checked.append(Checked(row, result))
            else:
                self.unreadable[row.path] = str(result)

    def classes(self) -> list[ClassFigures]:
        """The figures of each class, the one with the most clips first."""
        members: dict[str, list[Checked]] = {}
        for clip in self.checked:
            members.setdefault(clip.row.label, []).append(clip)
        return sorted((_figures(*item) for item in members.items()), key=lambda one: (-one.clips, one.label))

    def flaws(self) -> dict[str, list[str]]:
        """The paths of the clips with each flaw."""
        found: dict[str, list[str]] = {"near-empty": [], "clipped": [], "offset": []}
        for clip in self.checked:
            for flaw in clip.sound.flaws:
                found[flaw].append(clip.row.path)
        return found

    def suspects(self) -> dict[str, list[str]]:
        """For each target, the paths of the clips of other classes in which it is heard."""
        found: dict[str, list[str]] = {}
        for clip in self.checked:
            if clip.row.suspect:
                found.setdefault(clip.row.suspect, []).append(clip.row.path)
        return dict(sorted(found.items()))

    def crossing(self) -> dict[str, list[str]]:
        """The groups that are on more than one side of the split."""
        return crossing(clip.row for clip in self.checked)

    def count(self, what: Callable[[Checked], object]) -> dict[str, int]:
        """How many clips there are of each kind, the commonest first."""
        return dict(Counter(str(what(clip)) for clip in self.checked).most_common())

    def durations(self) -> dict[str, float]:
        """Seconds: min, median, max and total."""
        seconds = [clip.sound.seconds for clip in self.checked] or [0.0]
        return {
            "min": min(seconds),
            "median": float(np.median(seconds)),
            "max": max(seconds),
            "total": math.fsum(seconds),
        }

    def silence(self) -> float:
        """The share of the time that is silent."""
        return _silence(self.checked)

    def document(self) -> dict[str, object]:
        """All of it, ready for JSON; what could not be told is null."""
        return {
            "folder": self.folder,
            "layout": self.layout,
            "clips": len(self.checked),
            "groups": len({clip.row.key for clip in self.checked}),
            "seconds": self.durations(),
            "silence": self.silence(),
            "rates": self.count(lambda clip: clip.sound.rate),
            "channels": self.count(lambda clip: clip.sound.channels),
            "splits": self.count(lambda clip: clip.row.split or UNDECIDED),
            "licence_kinds": self.count(lambda clip: clip.row.licence_kind),
            "licences": self.count(lambda clip: clip.row.licence or "none stated"),
            "classes": [_without_nan(asdict(one)) for one in self.classes()],
            "flaws": self.flaws(),
            "suspects": self.suspects(),
            "crossing_groups": self.crossing(),
            "unreadable": self.unreadable,
        }


def measured(
    folder: Path, rows: Iterable[Row], step: Callable[[], None] = lambda: None
) -> Iterator[tuple[Row, Sound | EarwitnessError]]:
    """Each row with what its clip holds, or with what keeps it from being read; `step` is called after each."""
    for row in rows:
        try:
            yield row, measure(folder / row.path, row.section)
        except EarwitnessError as error:
            yield row, error
        step()


def _figures(label: str, clips: Sequence[Checked]) -> ClassFigures:
    return ClassFigures(
        label=label,
        clips=len(clips),
        by_split=dict(Counter(clip.row.split or UNDECIDED for clip in clips)),
        groups=len({clip.row.key for clip in clips}),
        minutes=math.fsum(clip.sound.seconds for clip in clips) / 60.0,
        silence=_silence(clips),
        centroid=_spread(clip.sound.centroid for clip in clips),
        flatness=_spread(clip.sound.flatness for clip in clips),
        change=_spread(clip.sound.change for clip in clips),
    )


def _silence(clips: Sequence[Checked]) -> float:
    total = math.fsum(clip.sound.seconds for clip in clips)
    return math.fsum(clip.sound.silence * clip.sound.seconds for clip in clips) / total if total else 0.0


def _spread(values: Iterable[float]) -> Spread:
    known = [value for value in values if math.isfinite(value)]
    low, median, high = np.percentile(known, (25, 50, 75)).tolist() if known else (math.nan,) * 3
    return Spread(low, median, high)


def _without_nan(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
