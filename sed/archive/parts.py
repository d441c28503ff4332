"""The files that a table consists of: each is whole or not there."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sed.errors import DamagedError, SinkError

_PART = re.compile(r"part-(\d{6,})\.parquet")
_UNFINISHED = ".tmp"


def part_of(folder: Path, number: int) -> Path:
    """The file of a part."""
    return folder / f"part-{number:06d}.parquet"


def parts(folder: Path) -> dict[int, Path]:
    """The parts that are there, by their numbers."""
    found = ((_PART.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
    return {int(match[1]): path for match, path in found if match is not None}


def remove_unfinished(folder: Path) -> None:
    """What a kill left half written."""
    for path in folder.glob(f"*{_UNFINISHED}"):
        path.unlink()


def read_part(path: Path, columns: list[str] | None = None) -> Any:
    """The rows of a part, as pyarrow has them. Raises DamagedError."""
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns)
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise DamagedError(f"{path}: cannot be read ({why}); remove it, and give the same command again") from error


def write_part(path: Path, table: Any) -> None:
    """Write rows. Raises OSError; then nothing is there that was not there before."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    write_whole(path, buffer.getvalue())


def write_whole(path: Path, content: Any) -> None:
    """Write a file that is there with all of its content or not at all, also after a power cut. Raises OSError."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """As SinkError, what a disk has against it."""
    try:
        yield
    except OSError as error:
        raise SinkError(
            f"{folder}: cannot be written ({error.strerror}); see to it, and give the same command again: "
            "it goes on where it stopped"
        ) from error
