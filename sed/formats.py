"""Event lists as other programs read them: TSV (DCASE), JSON lines, Audacity and Raven; a table for people."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Protocol, TextIO

from rich.console import Console
from rich.table import Column, Table

from sed.errors import UsageError


@dataclass(frozen=True, slots=True)
class Detection:
    """A sound event found in a recording."""

    filename: str
    onset: float  # seconds from the file's start
    offset: float  # seconds
    label: str
    score: float
    level_dbfs: float


class Writer(Protocol):
    """Writes the detections of one recording after the other."""

    def write(self, detections: Iterable[Detection]) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class TsvWriter:
    """`filename onset offset event_label score`, tab-separated with a header, as DCASE and DESED tools read it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        out.write("filename\tonset\toffset\tevent_label\tscore\n")

    def write(self, detections: Iterable[Detection]) -> None:
        """A line an event."""
        for d in detections:
            self._out.write(f"{d.filename}\t{d.onset:.3f}\t{d.offset:.3f}\t{d.label}\t{d.score:.4f}\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing is held back."""


class JsonLinesWriter:
    """One JSON object an event."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, detections: Iterable[Detection]) -> None:
        """A line an event."""
        for d in detections:
            row = asdict(d) | {"onset": round(d.onset, 3), "offset": round(d.offset, 3), "score": round(d.score, 4)}
            self._out.write(json.dumps(row | {"level_dbfs": round(d.level_dbfs, 1)}, ensure_ascii=False) + "\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing is held back."""


class AudacityWriter:
    """Audacity's label track: start, end, text. It names no file, so it takes one recording."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, detections: Iterable[Detection]) -> None:
        """A line an event."""
        for d in detections:
            self._out.write(f"{d.onset:.6f}\t{d.offset:.6f}\t{d.label} {d.score:.2f}\n")

    def close(self) -> None:
        """Nothing is held back."""


_RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tBegin File\tLabel\tScore\n"


class RavenWriter:
    """A Raven selection table, numbered through; its times count from the start of `Begin File`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._selection = 0
        out.write(_RAVEN)

    def write(self, detections: Iterable[Detection]) -> None:
        """A line an event."""
        for d in detections:
            self._selection += 1
            times = f"{d.onset:.6f}\t{d.offset:.6f}"
            self._out.write(f"{self._selection}\tSpectrogram 1\t1\t{times}\t{d.filename}\t{d.label}\t{d.score:.4f}\n")

    def close(self) -> None:
        """Nothing is held back."""


class TableWriter:
    """A table on a terminal, drawn when all recordings are done."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out)
        self._table = Table(Column("recording", overflow="fold"), Column("label", no_wrap=True), header_style="bold")
        for name in ("onset s", "offset s", "score", "dBFS"):
            self._table.add_column(name, justify="right", no_wrap=True)

    def write(self, detections: Iterable[Detection]) -> None:
        """A row an event; the recording's name only on its first."""
        for n, d in enumerate(detections):
            values = (f"{d.onset:.2f}", f"{d.offset:.2f}", f"{d.score:.2f}", f"{d.level_dbfs:.1f}")
            self._table.add_row("" if n else d.filename, d.label, *values)

    def close(self) -> None:
        """Draw the table, or say that there is nothing to draw."""
        self._console.print(self._table if self._table.row_count else "no events")


FORMATS: dict[str, Callable[[TextIO], Writer]] = {
    "table": TableWriter,
    "tsv": TsvWriter,
    "jsonl": JsonLinesWriter,
    "audacity": AudacityWriter,
    "raven": RavenWriter,
}


def open_writer(name: str, out: TextIO, recordings: int) -> Writer:
    """The writer of that name; raises UsageError for an unknown one, or one that cannot hold several recordings."""
    if name not in FORMATS:
        raise UsageError(f"--format {name}: unknown; choose one of {', '.join(FORMATS)}")
    if name == "audacity" and recordings > 1:
        raise UsageError(f"--format audacity: its labels name no file, got {recordings} recordings; use tsv or raven")
    return FORMATS[name](out)
