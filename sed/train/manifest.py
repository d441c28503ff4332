"""The rows of a data set, whatever its layout, and clips.csv, in which all layouts meet."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sed.errors import AudioError, SinkError

CATALOGUE = "clips.csv"

LICENCE_KINDS = ("open", "noncommercial", "unknown")
"""From the freest on; what a licence filter names includes the kinds before it."""

_NONCOMMERCIAL = ("-nc", " nc", "/nc", "noncommercial", "non-commercial", "research", "sampling+", "sampling plus")
_OPEN = ("cc0", "cc by", "cc-by", "creativecommons.org/licenses/by", "publicdomain", "public domain", "mit", "gpl")


@dataclass(frozen=True, slots=True)
class Row:
    """One clip of a data set: a file, or a section of one."""

    path: str  # under the data folder, with forward slashes
    labels: tuple[str, ...]  # the class first, then what else is heard in it; as the data set names them until mapped
    split: str = ""  # train, valid or test; empty: not decided
    group: str = ""  # clips cut from one recording share it; empty: not known
    dataset: str = ""
    fold: str = ""  # the data set's own
    licence: str = ""
    realism: str = ""
    section: tuple[float, float] | None = None  # seconds of the file, where people marked it; None: the whole file
    onset: float | None = None  # seconds into the clip: where something is heard
    offset: float | None = None
    suspect: str = ""  # a target that is heard in it although it is of another class
    more: Mapping[str, str] = field(default_factory=dict)  # other columns of clips.csv, kept as they are

    @property
    def label(self) -> str:
        """The class."""
        return self.labels[0]

    @property
    def key(self) -> str:
        """What its clip is split by: its group, or its file where none is known."""
        return self.group or self.path

    @property
    def licence_kind(self) -> str:
        """One of LICENCE_KINDS: as clips.csv says, or from the licence's name."""
        return self.more.get("licence_kind") or licence_kind(self.licence)


def licence_kind(licence: str) -> str:
    """`open`, `noncommercial` or `unknown`, from a licence's name or address.

    Creative Commons Sampling Plus counts as noncommercial: it lets nobody sell the whole work.
    """
    text = licence.lower()
    if text.startswith("unknown"):
        return "unknown"
    if any(mark in text for mark in _NONCOMMERCIAL):
        return "noncommercial"
    return "open" if any(mark in text for mark in _OPEN) else "unknown"


def licensed(rows: Iterable[Row], least: str) -> list[Row]:
    """The rows whose licence is `least` or freer, as in LICENCE_KINDS."""
    wanted = LICENCE_KINDS[: LICENCE_KINDS.index(least) + 1]
    return [row for row in rows if row.licence_kind in wanted]


def read_table(table: Path, needed: Sequence[str], delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a table with a header; raises AudioError if it is absent, not text, or lacks a column."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, delimiter=delimiter, restval="")
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            if missing:
                raise AudioError(f"{table}: lacks the columns {', '.join(missing)}")
            return [{name: value for name, value in row.items() if isinstance(name, str)} for row in reader]
    except OSError as error:
        raise AudioError(f"{table}: cannot be read ({(error.strerror or str(error)).lower()})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise AudioError(f"{table}: not a table ({error})") from error


def seconds(text: str, where: str) -> float:
    """A time in a table; raises AudioError that names the place."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e9:
        raise AudioError(f"{where}: need seconds, got {text!r}")
    return value


_READ = ("path", "class", "split", "source_group", "dataset", "fold", "licence", "realism", "suspect")
_TIMES = ("active_onset", "active_offset")


def read_catalogue(folder: Path) -> list[Row]:
    """The rows of `folder/clips.csv`; only path and class have to be there. Raises AudioError."""
    table = folder / CATALOGUE
    read = read_table(table, ("path", "class"))
    return [_row(values, f"{table}, line {number}") for number, values in enumerate(read, 2)]


def _row(values: Mapping[str, str], where: str) -> Row:
    if not values["path"] or not values["class"]:
        raise AudioError(f"{where}: needs a path and a class")
    text = {name: values.get(name) or "" for name in _READ}
    onset, offset = (seconds(values[name], f"{where}, {name}") if values.get(name) else None for name in _TIMES)
    return Row(
        path=text["path"],
        labels=(text["class"],),
        split=text["split"],
        group=text["source_group"],
        dataset=text["dataset"],
        fold=text["fold"],
        licence=text["licence"],
        realism=text["realism"],
        onset=onset,
        offset=offset,
        suspect=text["suspect"],
        more={name: value for name, value in values.items() if name not in (*_READ, *_TIMES) and value is not None},
    )


def write_catalogue(rows: Iterable[Row], folder: Path) -> Path:
    """Write `folder/clips.csv`, whole or not at all; raises SinkError."""
    written = [_values(row) for row in rows]
    names = list(dict.fromkeys(name for values in written for name in values))
    table = folder / CATALOGUE
    part = table.with_suffix(f".part{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(written)
        part.replace(table)
    except OSError as error:
        raise SinkError(f"{table}: cannot be written ({error.strerror})") from error
    return table


def _values(row: Row) -> dict[str, str]:
    return {
        "path": row.path,
        "class": row.label,
        "split": row.split,
        "source_group": row.key,
        "dataset": row.dataset,
        "fold": row.fold,
        "licence": row.licence,
        "licence_kind": row.licence_kind,
        "realism": row.realism,
        "active_onset": "" if row.onset is None else f"{row.onset:.2f}",
        "active_offset": "" if row.offset is None else f"{row.offset:.2f}",
        "suspect": row.suspect,
        **{name: value for name, value in row.more.items() if name != "licence_kind"},
    }


def moved(row: Row, source: Path, target: Path) -> Row:
    """The row with its path seen from the folder `target` instead of `source`."""
    path = os.path.relpath(source.resolve() / row.path, target.resolve())
    return replace(row, path=Path(path).as_posix(), group=row.key)
