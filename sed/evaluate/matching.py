"""Event-based counts: an event is found if its onset is told within a collar, each telling counting once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sed.evaluate.reference import Sound

COLLAR = 0.5
"""Seconds between a told and a true onset (onset-only, as sed_eval with evaluate_offset=False)."""
WHOLE_COLLAR, LENGTH_SHARE = 0.2, 0.2
"""Seconds between onsets, and between offsets if that is more than this share of the event's length."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of one label."""

    found: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.found + other.found, self.missed + other.missed, self.false + other.false)

    @property
    def precision(self) -> float:
        """The share of what was told that is true; 0 if nothing was told."""
        return self.found / max(1, self.found + self.false)

    @property
    def recall(self) -> float:
        """The share of what is there that was told; 0 if nothing is there."""
        return self.found / max(1, self.found + self.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.found / max(1, 2 * self.found + self.missed + self.false)


def match(told: Iterable[float], true: Iterable[float], collar: float = COLLAR) -> Counts:
    """Pair as many onsets as can be paired within `collar` seconds.

    Taking the earliest partner still free, in order of time, pairs the most, because all collars are equally wide.
    """
    rest, wanted = sorted(told), sorted(true)
    found = at = 0
    for onset in wanted:
        while at < len(rest) and rest[at] < onset - collar - 1e-9:
            at += 1
        if at < len(rest) and rest[at] <= onset + collar + 1e-9:
            found, at = found + 1, at + 1
    return Counts(found, len(wanted) - found, len(rest) - found)


def match_whole(told: Iterable[Sound], true: Iterable[Sound]) -> Counts:
    """Pair sounds whose onsets are within WHOLE_COLLAR, and whose ends within it or LENGTH_SHARE of the true length.

    Both are of one label. Each true sound, in order of onset, takes the first that fits; where sounds of a label are
    apart by two collars or more, as nearby.joined leaves them, no other pairing finds more.
    """
    rest, wanted = sorted(told, key=_onset), sorted(true, key=_onset)
    said = len(rest)
    for sound in wanted:
        slack = max(WHOLE_COLLAR, LENGTH_SHARE * (sound.offset - sound.onset)) + 1e-9
        near = (t for t in rest if abs(t.onset - sound.onset) <= WHOLE_COLLAR + 1e-9)
        if (fits := next((t for t in near if abs(t.offset - sound.offset) <= slack), None)) is not None:
            rest.remove(fits)
    found = said - len(rest)
    return Counts(found, len(wanted) - found, len(rest))


def _onset(sound: Sound) -> float:
    return sound.onset


def count(
    told: Sequence[Sound], true: Sequence[Sound], labels: Sequence[str], collar: float = COLLAR
) -> dict[str, Counts]:
    """The counts of one recording, by label."""
    return {
        label: match((s.onset for s in told if s.label == label), (s.onset for s in true if s.label == label), collar)
        for label in labels
    }


def compare(
    told: Mapping[str, Sequence[Sound]],
    true: Mapping[str, Sequence[Sound]],
    labels: Sequence[str],
    collar: float = COLLAR,
) -> dict[str, Counts]:
    """The counts of two event lists by file name, over every file that either of them names."""
    names = sorted({*told, *true})
    return total((count(told.get(name, ()), true.get(name, ()), labels, collar) for name in names), labels)


def total(counts: Iterable[Mapping[str, Counts]], labels: Sequence[str]) -> dict[str, Counts]:
    """The counts of many recordings, by label."""
    sums = dict.fromkeys(labels, Counts())
    for one in counts:
        sums = {label: sums[label] + one[label] for label in labels}
    return sums


def macro_f1(counts: Mapping[str, Counts]) -> float:
    """The mean of the labels' F1."""
    return sum(c.f1 for c in counts.values()) / max(1, len(counts))
