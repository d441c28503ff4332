"""The tables of a scan, made up of outcomes without any sound, and the order they would come from."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sed.archive.engine import Order, Outcome, Recording, Status
from sed.archive.rows import EVENTS, FILES, event_rows, file_row
from sed.formats import Detection
from sed.metadata import Rule
from tests.toy import metadata, write_toy

NO_ORDER = Order(b"", "toy", "0" * 64, {})


def toy_order(folder: Path, labels: tuple[str, ...] = ("tone",), timezone: str = "UTC") -> Order:
    """An order for the toy model, which gives every label the same score."""
    model = write_toy(folder / "toy.onnx", metadata(labels), labels=len(labels)).read_bytes()
    rules = {label: Rule(on=0.5, off=0.4) for label in labels}
    return Order(model, "toy", hashlib.sha256(model).hexdigest(), rules, timezone=timezone)


def outcome(
    name: str,
    *found: Detection,
    begins: datetime | None = None,
    seconds: float = 10.0,
    status: Status = "done",
    error: str | None = None,
) -> Outcome:
    recording = Recording(name, 320_044)
    return Outcome(
        recording, None, status, error, found, duration=seconds, sample_rate=16_000, channels=1, begins=begins,
        time_source=None if begins is None else "name", seconds_taken=0.01,
    )  # fmt: skip


def detection(name: str, onset: float, label: str = "tone", score: float = 0.9, level: float = -20.0) -> Detection:
    return Detection(name, onset, onset + 0.5, label, score, level)


def write_scan(folder: Path, *parts: Sequence[Outcome]) -> Path:
    """Write both tables, a part each for a sequence of outcomes."""
    for number, outcomes in enumerate(parts):
        files = [file_row(one, NO_ORDER) for one in outcomes]
        events = [row for one in outcomes for row in event_rows(one)]
        for table, rows in ((FILES, files), (EVENTS, events)):
            (folder / table.name).mkdir(parents=True, exist_ok=True)
            path = folder / table.name / f"part-{number:06d}.parquet"
            pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    return folder
