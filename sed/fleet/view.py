"""A roll for people, as a table or a line, and for programs, as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from sqlalchemy import Row

from sed.eventline import harmless, local_time
from sed.fleet.roll import STANDINGS, BoxLine, Roll, SourceLine
from sed.message import rfc3339

COLUMNS = ("box", "stands", "seen", "source", "state", "dBFS", "today", "24 h", "lost", "clock", "refused", "model")
_NUMBERS = {"seen", "dBFS", "today", "24 h", "lost", "clock", "refused"}
_LEFT_OUT = ("model", "dBFS", "24 h", "refused", "clock", "lost")
"""The first to go where there is no room."""
_GAP = 2  # characters
_STYLES = {"offline": "bold red", "silent": "bold red", "deaf": "yellow", "ok": "green"}
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

NAMED = 5
"""So many boxes in trouble are named in a line."""
HEAD = 3
"""Lines that are no rows: the sum, the names of the columns, and the last one of the screen."""


def table(roll: Roll, width: int, height: int | None = None) -> Group:
    """A line that sums up, and one row a source; columns and rows for which there is no room are left out."""
    rows = [cells for box in roll.boxes for cells in _rows(box, roll.at)]
    room = len(rows) if height is None else max(1, height - HEAD)
    shown = _columns(rows, width)
    grid = Table(header_style="bold", box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for name in shown:
        grid.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    for cells in rows[:room]:
        grid.add_row(*(cells[COLUMNS.index(name)] for name in shown))
    more = f"; {len(rows) - room} rows more" if len(rows) > room else ""
    return Group(Text(summary(roll) + more), *([grid] if rows else []))


def summary(roll: Roll) -> str:
    """How many stand how, and when anything came last."""
    if not roll.boxes:
        return "no box is known: is 'earwitness collect' running, and are its broker and prefix theirs?"
    counts = ", ".join(f"{count:,} {standing}" for standing in STANDINGS if (count := roll.count(standing)))
    boxes = "1 box" if len(roll.boxes) == 1 else f"{len(roll.boxes):,} boxes"
    return f"{boxes}: {counts}; last message {ago(roll.last_seen, roll.at)}"


def verdict(roll: Roll) -> str:
    """The sum in a line, with the names of those in trouble: for monitoring."""
    troubled = [f"{box.node} {box.standing}" for box in roll.boxes if box.standing != "ok"]
    named = troubled[:NAMED] + ([f"and {len(troubled) - NAMED} more"] if len(troubled) > NAMED else [])
    text = "; ".join([summary(roll), *([", ".join(named)] if named else [])])
    return harmless(Text(text)).plain


def document(roll: Roll) -> dict[str, Any]:
    """As JSON has it; moments in UTC."""
    counts = {standing: roll.count(standing) for standing in STANDINGS}
    return {"at": rfc3339(roll.at), "counts": counts, "boxes": [_plain(asdict(box)) for box in roll.boxes]}


def heard(rows: Sequence[Row[Any]]) -> Table | str:
    """Events for people, times as the clock on the wall has them."""
    grid = Table(header_style="bold", box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for name in ("when", "box", "source", "label", "lasted s", "score", "dBFS", "id"):
        grid.add_column(name, justify="right" if name in ("lasted s", "score", "dBFS") else "left", no_wrap=True)
    for row in rows:
        lasted = f"{row.duration:.2f}" if row.duration is not None else "?" if row.ended_at else "goes on"
        values = (local_time(row.onset), row.node, row.source, row.label, lasted, f"{row.score:.2f}")
        grid.add_row(*map(_text, (*values, f"{row.level_dbfs:.1f}", row.id)))
    return grid if rows else "no events"


def event_document(row: Row[Any]) -> dict[str, Any]:
    """One event as JSON has it: the columns of the table."""
    return _plain(dict(row._mapping))


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago in one unit, as `3 min ago`; a clock a little ahead of ours has told it just now."""
    return f"{span(max(timedelta(), now - moment))} ago" if moment else "never"


def span(length: timedelta) -> str:
    """In the largest unit of which it has one, rounded down."""
    seconds = int(abs(length).total_seconds())
    size, unit = next(((size, unit) for size, unit in _SPANS if seconds >= size), (1, "s"))
    return f"{seconds // size} {unit}"


def _columns(rows: list[list[Text]], width: int) -> list[str]:
    """Those that fit."""
    widths = {name: max(map(len, (name, *cells))) for name, *cells in zip(COLUMNS, *rows, strict=True)}
    for name in _LEFT_OUT:
        if sum(widths.values()) + _GAP * (len(widths) - 1) <= width:
            break
        del widths[name]
    return list(widths)


def _rows(box: BoxLine, now: datetime) -> Iterator[list[Text]]:
    """A row a source; what is the box's own stands in the first."""
    stands = Text(box.standing if box.standing == "ok" else f"! {box.standing}", _STYLES[box.standing])
    own = [_text(box.node), stands, _text(ago(box.last_seen, now))]
    refused = Text(f"{box.refused:,}" if box.refused else "", "yellow")
    for n, source in enumerate(box.sources or (None,)):
        first = own if n == 0 else [Text()] * len(own)
        tail = [_clock(box), refused] if n == 0 else [Text(), Text()]
        model = _text(source.model or "" if source else "")
        yield [*first, *(_source_cells(source) if source else [Text()] * 6), *tail, model]


def _source_cells(source: SourceLine) -> list[Text]:
    lost = source.dropped_samples or 0
    return [
        _text(source.source),
        _text(source.state or "?", "" if source.hears else "yellow"),
        Text("" if source.level_dbfs is None else f"{source.level_dbfs:.1f}"),
        Text(f"{source.events_today:,}"),
        Text(f"{source.events_24h:,}"),
        Text(f"{lost:,}" if lost else "", "yellow"),
    ]


def _clock(box: BoxLine) -> Text:
    if not box.clock_is_off:
        return Text()
    offset = box.clock_offset or 0.0
    return Text(f"{'+' if offset > 0 else '-'}{span(timedelta(seconds=offset))}", "yellow")


def _text(text: str, style: str = "") -> Text:
    return harmless(Text(text, style))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _plain_value(value) for key, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value
