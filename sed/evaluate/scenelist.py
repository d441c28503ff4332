"""A folder of scenes as `earwitness scenes` writes it: what to listen to, what is in it, and how loud."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sed.errors import UsageError
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound, read_references
from sed.resample import resampled
from sed.signals import Floats
from sed.source.file import AudioFile

EVENTS, PARTS = "scenes.tsv", "scenes.csv"
_COLUMNS = ("filename", "kind", "role", "label", "onset", "offset", "ebr_db")


@dataclass(frozen=True, slots=True)
class Part:
    """One sound mixed into a scene, target or not."""

    sound: Sound
    ratio_db: float  # over the bed
    target: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """A recording to measure on."""

    name: str
    path: Path
    kind: str  # what false alarms are told apart by
    events: tuple[Sound, ...] = ()  # nearby ones joined
    parts: tuple[Part, ...] = ()  # if it is known what was mixed

    def read(self, rate: int) -> Floats:
        """Its samples at a rate; raises AudioError."""
        with AudioFile(self.path) as file:
            blocks = resampled(file.blocks(), file.sample_rate, rate)
            return np.concatenate([block.samples for block in blocks])

    def ratio_db(self, event: Sound) -> float | None:
        """How far an event stands above the bed, if that is known."""
        near = (p.ratio_db for p in self.parts if p.target and _same(p.sound, event))
        return next(near, None)


def read_scenes(folder: Path) -> list[Scene]:
    """The scenes of a folder with scenes.tsv and, if it is known what was mixed, scenes.csv; raises UsageError.

    Without scenes.csv a scene's kind is `target` or `empty`.
    """
    if not (folder / EVENTS).is_file():
        raise UsageError(f"{folder}: holds no {EVENTS}; make scenes with 'earwitness scenes {folder} --data DATA'")
    known = read_references(folder / EVENTS)
    kinds, parts = _parts(folder / PARTS) if (folder / PARTS).is_file() else ({}, {})
    if not known:
        raise UsageError(f"{folder}: its {EVENTS} names no scenes")
    if absent := [name for name in known if not (folder / name).is_file()]:
        raise UsageError(f"{folder}: lacks {absent[0]}, which {EVENTS} names")
    scenes: list[Scene] = []
    for name, events in known.items():
        kind = kinds.get(name, "target" if events else "empty")
        scenes.append(Scene(name, folder / name, kind, joined(events), tuple(parts.get(name, ()))))
    return scenes


def _parts(path: Path) -> tuple[dict[str, str], dict[str, list[Part]]]:
    kinds: dict[str, str] = {}
    parts: dict[str, list[Part]] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
            raise UsageError(f"{path}: lacks {', '.join(missing)}")
        for number, row in enumerate(reader, start=2):
            try:
                sound = Sound(row["label"], float(row["onset"]), float(row["offset"]))
                part = Part(sound, float(row["ebr_db"]), row["role"] == "event")
            except (TypeError, ValueError) as error:
                raise UsageError(f"{path}:{number}: onset, offset and ebr_db need to be numbers ({error})") from error
            kinds[row["filename"]] = row["kind"]
            parts.setdefault(row["filename"], []).append(part)
    return kinds, parts


def _same(one: Sound, other: Sound) -> bool:
    return one.label == other.label and abs(one.onset - other.onset) < 0.002
