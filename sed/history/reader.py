"""Looking back: the events of a journal, filtered, page by page, and counted over time."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sed.errors import DamagedError, UsageError
from sed.history import query
from sed.history.event import WholeEvent, moment, whole
from sed.history.filter import Filter
from sed.history.query import FEW, Cursor, Query
from sed.history.visit import reading

MOST = 1_000
"""Events on one page."""

ALL: Final = Filter()


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest onset first, and where the next page begins."""

    events: tuple[WholeEvent, ...]
    next: str | None
    """None: this was the last one."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many events of a label and a source began in one slot of time."""

    begin: datetime  # UTC
    label: str
    source: str
    count: int


class History:
    """What a journal holds of whole events, read beside its owner, from any thread, over a connection for each call.

    Raises SinkError where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the journal's."""
        self._path = path

    def events(self, which: Filter = ALL, limit: int = 100, after: str | None = None) -> Page:
        """One page; `after` is the `next` of the page before. Raises UsageError for no such page, or limit."""
        if not 1 <= limit <= MOST:
            raise UsageError(f"limit: need a number from 1 to {MOST}, got {limit}")
        place = None if after is None else _place(after)
        with reading(self._path) as db:
            few = bool(which.min_score) and _asked(db, query.few_score(which))[0][0] <= FEW
            rows = _asked(db, query.page(which, place, limit + 1, few))
        more = len(rows) > limit
        last = f"{rows[limit - 1][1]}-{rows[limit - 1][0]}" if more else None
        return Page(tuple(self._whole(row[2:]) for row in rows[:limit]), last)

    def walk(self, which: Filter = ALL) -> Iterator[WholeEvent]:
        """All of them, newest onset first, read page by page as they are taken."""
        after: str | None = None
        while True:
            page = self.events(which, MOST, after)
            yield from page.events
            if (after := page.next) is None:
                return

    def event(self, event: str) -> WholeEvent | None:
        """The event of an id; None if there is none, or none any more."""
        with reading(self._path) as db:
            rows = _asked(db, query.one(event.encode("utf-8", "replace").decode()))
        return self._whole(rows[0]) if rows else None

    def counts(self, which: Filter = ALL, every: float = 86_400.0) -> tuple[Count, ...]:
        """By slot of `every` seconds since 1970 in UTC, label and source, in this order; slots without are left out."""
        if not 60.0 <= every <= 1e9:
            raise UsageError(f"every: need seconds from 60 on, got {every:g}")
        slot = round(every * 1_000)
        with reading(self._path) as db:
            rows = _asked(db, query.counts(which, slot))
        return tuple(Count(moment(number * slot), label, source, count) for number, label, source, count in rows)

    def _whole(self, row: tuple[Any, ...]) -> WholeEvent:
        try:
            return whole(row)
        except (TypeError, ValueError, OverflowError, UsageError) as error:
            raise DamagedError(f"journal {self._path}: what it holds is no event any more") from error


def _place(after: str) -> Cursor:
    match = re.fullmatch(r"(-?\d{1,15})-(\d{1,18})", after, re.ASCII)
    if match is None:
        raise UsageError(f"after: need the 'next' of the page before, got {after[:40]!r}")
    return int(match[1]), int(match[2])


def _asked(db: sqlite3.Connection, question: Query) -> list[tuple[Any, ...]]:
    return db.execute(question.sql, question.values).fetchall()
