"""The two tables of a scan, read part by part: no question asked here holds more than its answer in memory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

READ_AHEAD = 2
"""Batches and parts read before they are asked for; Arrow's 16 are for machines with more memory."""


def parts(folder: Path, table: str) -> list[Path]:
    """The parts of a table, `events` or `files`, in the order in which they were written."""
    return sorted((folder / table).glob("*.parquet"))


def batches(folder: Path, table: str, columns: Sequence[str], where: Any = None) -> Iterator[pa.RecordBatch]:
    """The rows of which the Arrow expression `where` is true, in order."""
    opened = _opened(folder, table)
    if opened is not None:
        scanner = opened.scanner(
            columns=list(columns), filter=where, batch_readahead=READ_AHEAD, fragment_readahead=READ_AHEAD
        )
        yield from scanner.to_batches()


def grouped(folder: Path, table: str, keys: Mapping[str, Any], sums: Sequence[str] = ()) -> pa.Table:
    """A row for each combination of `keys`, which are Arrow expressions: how many have it, in the column `rows`.

    Of the columns in `sums` there are the sums too, under their names.
    """
    from pyarrow import acero, dataset

    opened = _opened(folder, table)
    if opened is None:
        return pa.table({name: [] for name in (*keys, *sums, "rows")})
    columns = {name: dataset.field(name) for name in sums} | dict(keys)
    counted = [([], "hash_count_all", None, "rows"), *((name, "hash_sum", None, name) for name in sums)]
    plan = [
        acero.Declaration("scan", acero.ScanNodeOptions(opened, columns=columns)),
        acero.Declaration("project", acero.ProjectNodeOptions(list(columns.values()), list(columns))),
        acero.Declaration("aggregate", acero.AggregateNodeOptions(counted, keys=list(keys))),
    ]
    return acero.Declaration.from_sequence(plan).to_table(use_threads=False)


def _opened(folder: Path, table: str) -> Any:
    from pyarrow import dataset

    found = [str(path) for path in parts(folder, table)]
    return dataset.dataset(found, format="parquet") if found else None
