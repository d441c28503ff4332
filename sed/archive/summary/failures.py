"""The files of a scan that could not be heard to their end, by the kind of their error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from sed.archive.summary.tables import batches

MOST_KINDS, MOST_EXAMPLES = 30, 5

OTHER = "other errors"
"""What comes after MOST_KINDS kinds is counted as one."""


@dataclass(slots=True)
class Failure:
    """A kind of error, how many files have it, and some of them with their own words."""

    status: str
    kind: str
    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)


def failures(folder: Path) -> list[Failure]:
    """The most frequent kinds first."""
    from pyarrow import dataset

    found: dict[tuple[str, str], Failure] = {}
    for file, status, error in _rows(batches(folder, "files", _COLUMNS, dataset.field("status") != "done")):
        key = status, kind(error)
        if key not in found and len(found) >= MOST_KINDS:
            key = "", OTHER
        failure = found.setdefault(key, Failure(*key))
        failure.count += 1
        if len(failure.examples) < MOST_EXAMPLES:
            failure.examples.append((file, error))
    return sorted(found.values(), key=lambda failure: (failure.kind == OTHER, -failure.count))


def kind(error: str) -> str:
    """An error without what differs from file to file: its numbers, and what is quoted."""
    return re.sub(r"\d+(?:[.,]\d+)*", "…", re.sub(r"(['\"]).*?\1", "…", error))


_COLUMNS = ("file", "status", "error")


def _rows(found: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, str, str]]:
    for batch in found:
        for row in batch.to_pylist():
            yield row["file"], row["status"], row["error"] or ""
