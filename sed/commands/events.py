"""`earwitness events` and `earwitness verdict`: what was heard, listed and exported, and what people say of it."""

import contextlib
import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sed.errors import SinkError, UsageError
from sed.eventline import harmless, local_time
from sed.history.event import WholeEvent
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.message import rfc3339

COLUMNS = (
    *("id", "node", "source", "label", "onset", "offset", "duration", "score", "level_dbfs", "lost_samples", "model"),
    *("clip", "detected_at", "verdict", "verdict_label", "verdict_at", "verdict_by", "verdict_comment"),
)
"""Of CSV and TSV."""

ROWS = 100
"""Of a table, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How events are to be shown."""

    format: str | None = None  # one of FORMATS; None: a table on a terminal, else TSV
    out: Path | None = None
    limit: int | None = None


def run(journal: Path, which: Filter, wish: Wish) -> None:
    """List events, newest first. Raises UsageError for an unknown format, SinkError for files."""
    name = wish.format or ("table" if wish.out is None and sys.stdout.isatty() else "tsv")
    if name not in FORMATS:
        raise UsageError(f"--format {name}: unknown; choose one of {', '.join(FORMATS)}")
    limit = ROWS if wish.limit is None and name == "table" else wish.limit
    events = islice(History(journal).walk(which), limit)
    with _opened(wish.out) as out:
        FORMATS[name](events, out)


def give(journal: Path, event: str, verdict: str, comment: str | None) -> str:
    """Give a verdict, or take it back with `none`; returns what to tell. Raises UsageError or SinkError."""
    verdicts = Verdicts(journal)
    if verdict == "none":
        return f"{event}: no verdict any more" if verdicts.withdraw(event) else f"{event}: there was no verdict"
    kind, label = (verdict, None) if verdict in ("right", "wrong") else ("other", verdict)
    given = verdicts.give(event, kind, label, comment=comment)
    return f"{event}: it was {given.label}" if given.label else f"{event}: {given.verdict}"


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """A file that is whole or not there, or standard output."""
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as out:
            yield out
        part.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SinkError(f"--output {path}: {reason}; name a file that this user can write") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _table(events: Iterable[WholeEvent], out: TextIO) -> None:
    table = Table(header_style="bold")
    for name in ("when", "source", "label", "lasted s", "score", "dBFS", "verdict", "id"):
        table.add_column(name, justify="right" if name in ("lasted s", "score", "dBFS") else "left", no_wrap=True)
    for event in events:
        lasted = f"{event.duration:.2f}" if event.duration is not None else "goes on" if event.open else "?"
        values = (local_time(event.onset), event.source, event.label, lasted, f"{event.score:.2f}",
                  f"{event.level_dbfs:.1f}", spoken(event), event.id)  # fmt: skip
        table.add_row(*(harmless(Text(value)) for value in values))
    if table.row_count == ROWS:
        table.caption = f"the newest {ROWS}; --limit N shows more"
    Console(file=out).print(table if table.row_count else "no events")


def spoken(event: WholeEvent) -> str:
    """Its verdict in a word: what it was, if it was something else."""
    if event.verdict is None:
        return ""
    return event.verdict.label or event.verdict.verdict


def _csv(events: Iterable[WholeEvent], out: TextIO) -> None:
    _separated(events, csv.writer(out, lineterminator="\n").writerow)


def _tsv(events: Iterable[WholeEvent], out: TextIO) -> None:
    _separated(events, lambda row: out.write("\t".join(" ".join(str(value).split()) for value in row) + "\n"))


def _separated(events: Iterable[WholeEvent], write: Callable[[Iterable[object]], object]) -> None:
    write(COLUMNS)
    for event in events:
        values = _flat(event)
        write("" if values[name] is None else values[name] for name in COLUMNS)


def _flat(event: WholeEvent) -> Mapping[str, object]:
    said = event.verdict
    return event.document() | {
        "verdict": said and said.verdict, "verdict_label": said and said.label,
        "verdict_at": said and rfc3339(said.at), "verdict_by": said and said.by,
        "verdict_comment": said and said.comment,
    }  # fmt: skip


def _json(events: Iterable[WholeEvent], out: TextIO) -> None:
    """One array, an event a line."""
    out.write("[")
    for n, event in enumerate(events):
        out.write((",\n" if n else "\n") + json.dumps(event.document(), ensure_ascii=False))
    out.write("\n]\n")


def _jsonl(events: Iterable[WholeEvent], out: TextIO) -> None:
    for event in events:
        out.write(json.dumps(event.document(), ensure_ascii=False) + "\n")


FORMATS: Mapping[str, Callable[[Iterable[WholeEvent], TextIO], None]] = {
    "table": _table, "csv": _csv, "json": _json, "jsonl": _jsonl, "tsv": _tsv,
}  # fmt: skip
