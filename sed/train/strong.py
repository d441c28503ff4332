"""Strong labels as in DESED: tables of events with onset and offset, and the audio they speak of."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sed.errors import AudioError
from sed.source.folder import SUFFIXES
from sed.train.manifest import Row, read_table, seconds

COLUMNS = ("filename", "onset", "offset", "event_label")

_SIDES = {"train": "train", "validation": "valid", "valid": "valid", "eval": "test", "test": "test"}
_YOUTUBE = re.compile(r"^Y(?P<video>.{11})_\d+\.\d+_\d+\.\d+$")
"""AudioSet's clips: Y, the video, and the seconds they were cut from."""


class _Event(NamedTuple):
    filename: str
    onset: float  # seconds
    offset: float
    label: str


def strong_tables(folder: Path) -> list[Path]:
    """The tables of events in a folder and below its metadata/; neither weak labels nor detections with a score."""
    found = sorted(folder.glob("*.tsv")) + sorted((folder / "metadata").rglob("*.tsv"))
    return [table for table in found if _header(table) == list(COLUMNS)]


def read_strong(folder: Path) -> list[Row]:
    """One row an event, its section as people marked it; raises AudioError.

    DESED keeps metadata/validation/validation.tsv beside audio/validation/, so the side of the split is in the path.
    An event under which another label is heard has that label as well.
    """
    audio = _Audio(folder)
    return [row for table in strong_tables(folder) for row in _table_rows(table, folder, audio)]


class _Audio:
    """Where the recordings lie, by their names."""

    def __init__(self, folder: Path) -> None:
        self._paths: dict[str, list[PurePosixPath]] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                self._paths.setdefault(path.name, []).append(PurePosixPath(path.relative_to(folder).as_posix()))

    def find(self, name: str, beside: PurePosixPath) -> str:
        """The recording of that name, of several the one whose folder is most like the table's."""
        wanted = set(beside.with_suffix("").parts)
        found = self._paths.get(PurePosixPath(name).name, [PurePosixPath("audio", name)])
        return str(max(found, key=lambda path: len(wanted & set(path.parts[:-1]))))


def _table_rows(table: Path, folder: Path, audio: _Audio) -> Iterator[Row]:
    place = PurePosixPath(table.relative_to(folder).as_posix())
    split = next((_SIDES[part] for part in place.with_suffix("").parts if part in _SIDES), "")
    mixture = any(part.startswith(("synthetic", "soundscapes")) for part in place.with_suffix("").parts)
    for filename, group in groupby(sorted(_events(table)), key=lambda event: event.filename):
        events = list(group)
        for event in events:
            yield Row(
                path=audio.find(filename, place),
                labels=(event.label, *_under(event, events)),
                split=split,
                group=_group(filename),
                dataset=folder.resolve().name,
                realism="mixture" if mixture else "recording",
                section=(event.onset, event.offset),
            )


def _events(table: Path) -> Iterator[_Event]:
    for number, line in enumerate(read_table(table, COLUMNS, delimiter="\t"), 2):
        if not line["event_label"]:  # a file in which nothing is heard
            continue
        where = f"{table}, line {number}"
        onset, offset = seconds(line["onset"], where), seconds(line["offset"], where)
        if offset <= onset:
            raise AudioError(f"{where}: need onset < offset, got {onset:g} and {offset:g}")
        yield _Event(line["filename"], onset, offset, line["event_label"])


def _under(event: _Event, events: Sequence[_Event]) -> Iterable[str]:
    """The other labels that are heard during an event."""
    others = (e.label for e in events if e.label != event.label and e.onset < event.offset and event.onset < e.offset)
    return dict.fromkeys(others)


def _group(filename: str) -> str:
    stem = PurePosixPath(filename).stem
    video = _YOUTUBE.match(stem)
    return f"youtube-{video['video']}" if video else stem


def _header(table: Path) -> list[str]:
    try:
        with table.open(encoding="utf-8-sig") as lines:
            return lines.readline().rstrip("\r\n").split("\t")
    except (OSError, UnicodeDecodeError):
        return []
