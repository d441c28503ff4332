"""A folder of scenes as `earwitness scenes` writes it: what to listen to, what is in it, and how loud."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
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
_LEVEL = "bed_dbfs"


@dataclass(frozen=True, slots=True)
class Origin:
    """The recording that a sound was cut from; empty where a list does not say."""

    clip: str = ""
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One sound mixed into a scene, target or not."""

    sound: Sound
    ratio_db: float  # over the bed
    target: bool
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Scene:
    """A recording to measure on."""

    name: str
    path: Path
    kind: str  # what false alarms are told apart by
    events: tuple[Sound, ...] = ()  # nearby ones joined
    parts: tuple[Part, ...] = ()  # if it is known what was mixed
    bed: Origin = Origin()  # of all that is no part
    bed_dbfs: float | None = None  # its RMS, if that is known

    @property
    def source(self) -> str:
        """What scenes that are wrong together have in common: the bed, or where it is not known the scene itself."""
        return self.bed.clip or self.name

    def read(self, rate: int) -> Floats:
        """Its samples at a rate; raises AudioError."""
        with AudioFile(self.path) as file:
            blocks = resampled(file.blocks(), file.sample_rate, rate)
            return np.concatenate([block.samples for block in blocks])

    def part(self, event: Sound) -> Part | None:
        """What an event was mixed from, if that is known."""
        return next((p for p in self.parts if p.target and _same(p.sound, event)), None)

    def ratio_db(self, event: Sound) -> float | None:
        """How far an event stands above the bed, if that is known."""
        part = self.part(event)
        return None if part is None else part.ratio_db


def read_scenes(folder: Path) -> list[Scene]:
    """The scenes of a folder with scenes.tsv and, if it is known what was mixed, scenes.csv; raises UsageError.

    Without scenes.csv a scene's kind is `target` or `empty`.
    """
    if not (folder / EVENTS).is_file():
        raise UsageError(f"{folder}: holds no {EVENTS}; make scenes with 'earwitness scenes {folder} --data DATA'")
    known = read_references(folder / EVENTS)
    mixed = _mixed(folder / PARTS) if (folder / PARTS).is_file() else {}
    if not known:
        raise UsageError(f"{folder}: its {EVENTS} names no scenes")
    if absent := [name for name in known if not (folder / name).is_file()]:
        raise UsageError(f"{folder}: lacks {absent[0]}, which {EVENTS} names")
    scenes: list[Scene] = []
    for name, events in known.items():
        own = mixed.get(name) or _Mixed("target" if events else "empty", Origin(), None)
        scenes.append(Scene(name, folder / name, own.kind, joined(events), tuple(own.parts), own.bed, own.bed_dbfs))
    return scenes


@dataclass(frozen=True, slots=True)
class _Mixed:
    kind: str
    bed: Origin
    bed_dbfs: float | None
    parts: list[Part] = field(default_factory=list)


def _mixed(path: Path) -> dict[str, _Mixed]:
    """What each scene was mixed from, by its name; clips, data sets and beds' levels may be left out of the list."""
    found: dict[str, _Mixed] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        try:
            reader = csv.DictReader(lines)
            if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
                raise UsageError(f"{path}: lacks {', '.join(missing)}")
            for row in reader:
                level = _level(row, path, reader.line_num)
                mixed = _Mixed(row["kind"], _origin(row, "bed", "bed_dataset"), level)
                found.setdefault(row["filename"], mixed).parts.append(_part(row, path, reader.line_num))
        except (UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"{path}: not a table in UTF-8 ({error}); save it as CSV in UTF-8") from error
    return found


def _part(row: Mapping[str, str], path: Path, line: int) -> Part:
    try:
        sound = Sound(row["label"], float(row["onset"]), float(row["offset"]))
        return Part(sound, float(row["ebr_db"]), row["role"] == "event", _origin(row, "clip", "dataset"))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}:{line}: onset, offset and ebr_db need to be numbers ({error})") from error


def _level(row: Mapping[str, str | None], path: Path, line: int) -> float | None:
    try:
        return float(text) if (text := row.get(_LEVEL)) else None
    except ValueError as error:
        raise UsageError(f"{path}:{line}: {_LEVEL} needs to be a number ({error})") from error


def _origin(row: Mapping[str, str | None], clip: str, dataset: str) -> Origin:
    return Origin(row.get(clip) or "", row.get(dataset) or "")


def _same(one: Sound, other: Sound) -> bool:
    return one.label == other.label and abs(one.onset - other.onset) < 0.002
