"""Which data set a folder holds, and its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sed.errors import AudioError, UsageError
from sed.source.folder import SUFFIXES
from sed.train.datasets import read_esc50, read_fsd50k, read_urbansound8k
from sed.train.manifest import CATALOGUE, Row, read_catalogue
from sed.train.mapping import DESED, ESC50, FSD50K, URBANSOUND8K, Table
from sed.train.strong import read_strong, strong_tables

_SIDES = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test", "eval": "test"}


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to lay out a data set."""

    name: str
    holds: Callable[[Path], bool]  # whether a folder is laid out so
    read: Callable[[Path], list[Row]]  # raises AudioError
    labels: Table


def layout_of(folder: Path) -> Layout:
    """The layout of a folder; raises UsageError if it is none that we know."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    for layout in LAYOUTS:
        if layout.holds(folder):
            return layout
    raise UsageError(
        f"{folder}: no data set that we know; need clips.csv, folders of classes with recordings in them, tables of "
        "events (filename, onset, offset, event_label), or UrbanSound8K, ESC-50 or FSD50K as published"
    )


def rows_of(folder: Path, layout: Layout) -> list[Row]:
    """The rows of a folder in the order of their paths, whatever the order of the disk; raises AudioError."""
    rows = sorted(layout.read(folder), key=lambda row: (row.path, row.section or (0.0, 0.0), row.labels))
    if not rows:
        raise AudioError(f"{folder}: holds no clips ({layout.name})")
    return rows


def read_classes(folder: Path) -> list[Row]:
    """One row a recording below `folder/<class>/`, or below `folder/train/<class>/` and its like; no group is known."""
    rows: list[Row] = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith((".", "__MACOSX")) for part in parts):  # what archives leave behind
            continue
        split = _SIDES.get(parts[0].lower(), "") if len(parts) > 2 else ""
        if len(parts) > 1 and path.suffix.lower() in SUFFIXES and path.is_file():
            rows.append(Row("/".join(parts), (parts[1 if split else 0],), split=split, dataset=folder.resolve().name))
    return rows


def _has(name: str) -> Callable[[Path], bool]:
    return lambda folder: (folder / name).is_file()


LAYOUTS = (
    Layout(CATALOGUE, _has(CATALOGUE), read_catalogue, {}),
    Layout("UrbanSound8K", _has("metadata/UrbanSound8K.csv"), read_urbansound8k, URBANSOUND8K),
    Layout("ESC-50", _has("meta/esc50.csv"), read_esc50, ESC50),
    Layout("FSD50K", _has("FSD50K.ground_truth/dev.csv"), read_fsd50k, FSD50K),
    Layout("strong labels", lambda folder: bool(strong_tables(folder)), read_strong, DESED),
    Layout("folders of classes", lambda folder: bool(read_classes(folder)), read_classes, {}),
)
"""The first that fits is taken: what was published with a table is never taken for folders of classes."""
