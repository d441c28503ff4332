"""The two tables of a scan: their columns, and the rows that outcomes become."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from sed.archive.engine import Order, Outcome

_MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Table:
    """A folder of parts, and what is in its columns."""

    name: str
    schema: Any  # of pyarrow


EVENTS = Table(
    "events",
    pa.schema(
        [
            ("file", pa.string()),
            ("onset", pa.float64()),  # seconds from the beginning of the recording, as the next
            ("offset", pa.float64()),
            ("label", pa.dictionary(pa.int32(), pa.string())),
            ("score", pa.float32()),
            ("level_dbfs", pa.float32()),
            ("onset_time", _MOMENT),  # null where it is not known when the recording began
            ("offset_time", _MOMENT),
        ]
    ),
)

FILES = Table(
    "files",
    pa.schema(
        [
            ("file", pa.string()),
            ("status", pa.string()),  # done, failed, timed_out, crashed
            ("error", pa.string()),
            ("duration", pa.float64()),  # seconds that were heard
            ("sample_rate", pa.int32()),
            ("channels", pa.int16()),
            ("bytes", pa.int64()),
            ("begins", _MOMENT),
            ("time_source", pa.string()),  # name, header, format
            ("model", pa.string()),
            ("model_sha256", pa.string()),
            ("seconds_taken", pa.float32()),
            ("events", pa.int32()),
            ("pieces", pa.int16()),
        ]
    ),
)


def spelt(name: str) -> str:
    """A name as a table can hold it: bytes that are no UTF-8 are written out."""
    return os.fsencode(name).decode(errors="backslashreplace")


def file_row(outcome: Outcome, order: Order) -> dict[str, Any]:
    """The row of a recording."""
    return {
        "file": spelt(outcome.recording.name),
        "status": outcome.status,
        "error": None if outcome.error is None else spelt(outcome.error),
        "duration": outcome.duration,
        "sample_rate": outcome.sample_rate,
        "channels": outcome.channels,
        "bytes": outcome.recording.size,
        "begins": outcome.begins,
        "time_source": outcome.time_source,
        "model": order.model_name,
        "model_sha256": order.model_sha256,
        "seconds_taken": outcome.seconds_taken,
        "events": len(outcome.detections),
        "pieces": 1 if outcome.piece is None else outcome.piece.of,
    }


def event_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """The rows of what was found in a recording."""
    begins, name = outcome.begins, spelt(outcome.recording.name)
    return [
        {
            "file": name,
            "onset": one.onset,
            "offset": one.offset,
            "label": one.label,
            "score": one.score,
            "level_dbfs": one.level_dbfs,
            "onset_time": None if begins is None else begins + timedelta(seconds=one.onset),
            "offset_time": None if begins is None else begins + timedelta(seconds=one.offset),
        }
        for one in outcome.detections
    ]
