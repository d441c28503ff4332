"""What is written to the database: statements that may be repeated, in any order, by several collectors at once.

All write the tables in one order, and the rows of each by their keys, so that no two wait for each other for ever.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Table,
    and_,
    case,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from sed.fleet.schema import box, event, refusal, source

Row = dict[str, Any]

_TOLD = ("label", "onset", "offset", "duration", "score", "level_dbfs", "lost_samples", "model", "clip")
"""Columns of `event` that its end decides."""


@dataclass(slots=True)
class Page:
    """Rows for one transaction, in the order in which they were told."""

    events: list[Row] = field(default_factory=list)
    boxes: list[Row] = field(default_factory=list)
    sources: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.events) + len(self.boxes) + len(self.sources) + len(self.refusals)

    def singly(self) -> Iterator[tuple[Row, "Page"]]:
        """Each row, and a page of it alone."""
        for each in fields(self):
            for row in getattr(self, each.name):
                yield row, Page(**{each.name: [row]})


def write(connection: Connection, page: Page) -> None:
    """All rows of a page."""
    rows: Sequence[tuple[Callable[[str], Any], list[Row], Sequence[str]]] = (
        (_upsert_event, page.events, ("id",)),
        (_upsert_box, page.boxes, ("node",)),
        (_upsert_source, page.sources, ("node", "source")),
        (_upsert_refusal, page.refusals, ("node", "reason", "day")),
    )
    for upsert, told, keys in rows:
        if told:
            ordered = sorted(told, key=lambda row: [row[key] for key in keys])  # stable: as told, where keys agree
            connection.execute(upsert(connection.dialect.name), ordered)


def forget(connection: Connection, before: datetime, most: int) -> int:
    """Delete some events that were received before a moment, the oldest first; returns how many."""
    oldest = select(event.c.id).where(event.c.received_at < before).order_by(event.c.received_at).limit(most)
    ids = oldest.with_for_update(skip_locked=True)  # another collector may be at it
    done: CursorResult[Any] = connection.execute(delete(event).where(event.c.id.in_(ids.scalar_subquery())))
    return done.rowcount


def forget_refusals(connection: Connection, before: datetime) -> None:
    """Delete the counts of days before a moment."""
    connection.execute(delete(refusal).where(refusal.c.day < before.date()))


@cache
def _upsert_event(dialect: str) -> Any:
    """An end decides what is told, a start never changes that; the rest is the earliest of all that was said.

    So any order and any number of the same messages make the same row. Nobody changes another's events.
    """
    statement = _insert(dialect, event)
    old, new = event.c, statement.excluded
    ends = and_(old.ended_at.is_(None), new.ended_at.is_not(None))
    changes: dict[str, Any] = {name: case((ends, new[name]), else_=old[name]) for name in _TOLD}
    earlier: list[ColumnElement[bool]] = []
    for name in ("detected_at", "received_at", "ended_at"):
        earlier.append(new[name] < old[name])
        changes[name] = case((earlier[-1], new[name]), else_=func.coalesce(old[name], new[name]))
    changes["late"] = or_(old.late, new.late)
    news = or_(ends, *earlier, and_(new.late, old.late.is_(False)))
    same = and_(old.node == new.node, old.source == new.source)
    return statement.on_conflict_do_update(index_elements=[old.id], set_=changes, where=and_(same, news))


@cache
def _upsert_box(dialect: str) -> Any:
    return _latest(dialect, box, {"available": "available_since"}, ("clock_offset",))


@cache
def _upsert_source(dialect: str) -> Any:
    values = ("dropped_samples", "level_dbfs", "level_at", "model")
    return _latest(dialect, source, {"state": "state_since"}, values)


@cache
def _upsert_refusal(dialect: str) -> Any:
    statement = _insert(dialect, refusal)
    new = statement.excluded
    changes = {"count": refusal.c.count + new["count"], "last_at": new.last_at, "example": new.example}
    return statement.on_conflict_do_update(index_elements=list(refusal.primary_key), set_=changes)


def _latest(dialect: str, table: Table, since: Mapping[str, str], values: Iterable[str]) -> Any:
    """What is new replaces what is there, null says nothing; `since` names the moments at which columns changed."""
    statement = _insert(dialect, table)
    old, new = table.c, statement.excluded
    changes: dict[str, Any] = {name: func.coalesce(new[name], old[name]) for name in (*values, *since)}
    for name, moment in since.items():
        changed = and_(new[name].is_not(None), new[name].is_distinct_from(old[name]))
        changes[moment] = case((changed, new[moment]), else_=old[moment])
    later = or_(old.last_seen.is_(None), new.last_seen > old.last_seen)
    changes["last_seen"] = case((later, new.last_seen), else_=old.last_seen)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)


def _insert(dialect: str, table: Table) -> Any:
    """SQLAlchemy has ON CONFLICT for each dialect, and no common one."""
    return {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[dialect](table)
