"""Lists of recordings that somebody else made: CSV with a column of paths, or a path a line."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from sed.archive.engine import is_url
from sed.errors import UsageError
from sed.source.folder import SUFFIXES

COLUMNS = ("path", "file", "filename", "file_name", "filepath", "file_path", "url", "uri", "audio", "recording", "name")
"""What the column of paths is called, in capitals or not; the first of these that is there."""

_DELIMITERS = "\t;,"


def names(manifest: Path) -> Iterator[str]:
    """The paths and URLs in a manifest; relative paths begin at its folder. Raises UsageError if it names none."""
    try:
        with manifest.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            found = None
            for found in _cells(manifest, file):
                yield _path(manifest, found)
    except OSError as error:
        raise UsageError(f"--manifest {manifest}: cannot be read ({error.strerror})") from error
    except csv.Error as error:
        raise UsageError(f"--manifest {manifest}: no table that can be read ({error})") from error
    if found is None:
        raise UsageError(f"--manifest {manifest}: names no recordings")


def _cells(manifest: Path, file: TextIO) -> Iterator[str]:
    if manifest.suffix.lower() not in (".csv", ".tsv"):
        lines = (line.strip() for line in file)
        yield from (line for line in lines if line and not line.startswith("#"))
        return
    first = file.readline()
    file.seek(0)
    delimiter = max(_DELIMITERS, key=first.count)
    rows = csv.reader(file, delimiter=delimiter)
    header = next(rows, [])
    column = _column(manifest, header)
    if column is None:  # no header
        column = 0
        yield header[0]
    for row in rows:
        if len(row) > column and row[column].strip():
            yield row[column].strip()


def _column(manifest: Path, header: list[str]) -> int | None:
    """Where the paths stand; None if the first row is no header but has one already, first of all."""
    called = [cell.strip().lower() for cell in header]
    for name in COLUMNS:
        if name in called:
            return called.index(name)
    if header and (Path(header[0]).suffix.lower() in SUFFIXES or is_url(header[0])):
        return None
    raise UsageError(f"--manifest {manifest}: needs a column called path (or {', '.join(COLUMNS[1:])}), has {called}")


def _path(manifest: Path, name: str) -> str:
    if is_url(name):
        return name
    beside = os.path.normpath(manifest.parent / name)
    return beside if os.path.lexists(beside) or not os.path.lexists(name) else name
