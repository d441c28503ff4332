"""Recordings named on a command line: files as given, folders walked in name order."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sed.errors import UsageError

SUFFIXES = frozenset(
    ".aif .aifc .aiff .au .caf .flac .mp3 .oga .ogg .opus .rf64 .snd .w64 .wav .wave .wv".split()  # noqa: SIM905
)
"""What counts as a recording when a folder is walked; a file named by itself may have any name."""


def recordings(paths: Iterable[str]) -> Iterator[str | UsageError]:
    """Each recording in the order given; an error in the place of a path that leads to none."""
    for path in paths:
        if path != "-" and Path(path).is_dir():
            yield from _walk(Path(path))
        else:
            yield path


def _walk(folder: Path) -> Iterator[str | UsageError]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        yield UsageError(f"{folder}: no recordings in this folder (looked for {' '.join(sorted(SUFFIXES))})")
    yield from map(str, found)
