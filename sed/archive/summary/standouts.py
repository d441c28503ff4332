"""The events of a scan that are worth a look: of each label the loudest and the most doubtful."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sed.archive.summary.tables import batches
from sed.metadata import Rule

MOST = 12
"""Events on a picture."""

_COLUMNS = ("file", "label", "onset", "offset", "score", "level_dbfs", "onset_time")

_Ranks = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standout:
    """A row of the table of events."""

    file: str
    label: str
    onset: float  # seconds, as `offset`
    offset: float
    score: float
    level_dbfs: float
    onset_time: datetime | None  # aware, UTC


def standouts(folder: Path, labels: Sequence[str], rules: Mapping[str, Rule]) -> tuple[list[Standout], list[Standout]]:
    """The loudest, and those whose score is closest to the threshold they had to pass; label by label, one a file.

    Of more than MOST labels the first ones are shown. The share of the way from `on` to 1 tells how close a score is.
    """
    shown = list(labels[:MOST])
    each = max(1, MOST // max(1, len(shown)))
    on = np.array([rules[label].on if label in rules else 0.0 for label in shown])
    loudest, doubtful = _Podium(shown, each), _Podium(shown, each)
    for batch in batches(folder, "events", _COLUMNS):
        codes = _codes(batch, shown)
        level, score = (batch.column(name).to_numpy(zero_copy_only=False) for name in ("level_dbfs", "score"))
        loudest.offer(batch, codes, level.astype(np.float64))
        doubtful.offer(batch, codes, (on[codes] - score) / np.maximum(1.0 - on[codes], 1e-9))
    return loudest.rows(), doubtful.rows()


def _codes(batch: pa.RecordBatch, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """The number of each row's label, -1 if it is not shown."""
    from pyarrow import compute

    found = compute.index_in(batch.column("label").cast("string"), value_set=pa.array(labels, "string"))
    codes: npt.NDArray[np.int64] = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


class _Podium:
    """The highest few of each label, one a file, of rows that come batch by batch."""

    def __init__(self, labels: Sequence[str], most: int) -> None:
        self._most = most
        self._kept: list[dict[str, tuple[float, Standout]]] = [{} for _ in labels]  # by file
        self._floors = np.full(len(labels) + 1, -np.inf)  # what a row has to be above; the last: of no label
        self._floors[-1] = np.inf

    def offer(self, batch: pa.RecordBatch, codes: npt.NDArray[np.int64], ranks: _Ranks) -> None:
        """Take in those rows that belong among the highest; of equals the first stays."""
        while len(better := np.flatnonzero(ranks > self._floors[codes])):
            chunk, rest = better[:_CHUNK], better[_CHUNK:]
            rows = batch.take(pa.array(chunk)).to_pylist()
            for code, rank, row in zip(codes[chunk].tolist(), ranks[chunk].tolist(), rows, strict=True):
                self._keep(code, rank, Standout(**row))
            if not len(rest):
                return
            batch, codes, ranks = batch.slice(rest[0]), codes[rest[0] :], ranks[rest[0] :]

    def _keep(self, code: int, rank: float, row: Standout) -> None:
        kept = self._kept[code]
        if rank <= self._floors[code] or (row.file in kept and kept[row.file][0] >= rank):
            return
        kept[row.file] = rank, row
        if len(kept) > self._most:
            del kept[min(kept, key=lambda file: kept[file][0])]
        if len(kept) == self._most:
            self._floors[code] = min(rank for rank, _ in kept.values())

    def rows(self) -> list[Standout]:
        """Label by label, the highest first."""
        ordered = (sorted(kept.values(), key=lambda own: -own[0]) for kept in self._kept)
        return [row for own in ordered for _, row in own]


_CHUNK = 256
"""Rows looked at before the floors are asked again: the first batch would else be turned into objects whole."""
