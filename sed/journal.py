"""What is remembered before it is told: every message, and to which sinks it still has to be told.

A message is on the disk before `append` returns, so it outlives `kill -9` and a power cut. Threads meet here: sources
append and report; sinks wait, read and mark.
"""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from sed.bounds import discard_beyond, discard_older
from sed.database import Database, Upgrade
from sed.errors import DamagedError
from sed.history import table
from sed.message import Message, abandoned
from sed.signals import State

MAX_AGE = 365 * 86_400.0  # seconds
MAX_BYTES = 1_000_000_000
VERSION = 2

_TABLES = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, id TEXT NOT NULL, open INTEGER NOT NULL,
    message TEXT NOT NULL);
CREATE INDEX event_open ON event (id) WHERE open = 1;
CREATE TABLE delivery (seq INTEGER NOT NULL, sink TEXT NOT NULL, PRIMARY KEY (seq, sink)) WITHOUT ROWID;
CREATE INDEX delivery_sink ON delivery (sink, seq);
"""  # event.open: a start whose end has not come; delivery: what is still to be told
_ROW = "SELECT seq, CAST(message AS TEXT), CAST(at AS REAL)"  # whatever became of them on the disk
_UNTOLD = "FROM delivery JOIN event USING (seq) WHERE sink = ?"
_KEYS = {"id", "phase", "source", "label"}  # of a message that was not damaged
_LOG = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One message and its place in the journal."""

    seq: int
    message: Message
    at: float
    """When it was appended, in UNIX seconds."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """The latest word on one source; kept in memory only."""

    source: str
    state: State
    level_dbfs: float
    dropped_samples: int
    model: str


class Journal:
    """The messages of one process, oldest first. `seq` counts up from 1 and is never used twice.

    `sinks` are the names of those that confirm with `mark` what they have told. Bounded by age and size: the oldest
    messages go first, and those that a sink had not told yet are counted in `discarded`. A file that turns out to be
    damaged is moved aside and a new one begun. Raises SinkError when the file cannot be used; it never deletes one.
    """

    def __init__(
        self, path: Path, sinks: Sequence[str] = (), max_age: float = MAX_AGE, max_bytes: int = MAX_BYTES
    ) -> None:
        """Open or make the file; `max_age` in seconds."""
        self.path = path
        self.discarded: Counter[str] = Counter()  # by sink
        self.sinks = tuple(sinks)
        """Who is to confirm the messages appended from now on; may be changed."""
        self._max_age, self._max_bytes = max_age, max_bytes
        self._states: dict[str, SourceState] = {}
        self._changes = 0
        self._changed = threading.Condition()
        self._last = 0  # seq, as far as is known without the file
        self._untold: Counter[str] = Counter()  # by sink, as well
        self._file = Database(path, _TABLES + table.TABLES, VERSION, {1: Upgrade(table.TABLES, table.fill)})
        try:
            self._surely(self._look)
        except BaseException:
            self._file.close()
            raise

    def append(self, message: Message) -> int:
        """Remember a message for good and wake who waits; returns its `seq`. It is on the disk when this returns."""
        seq, unsent = self._surely(lambda: self._append(message))
        self._count(unsent, "the journal's bounds are reached")
        self.wake()
        return seq

    def mark(self, sink: str, *seqs: int) -> None:
        """The sink has told these. Not forced to the disk: after a power cut it may tell them again."""
        self._surely(lambda: self._mark(sink, seqs))
        self.wake()

    def close_abandoned(self) -> list[int]:
        """Append an `end` for every `start` whose process died before its end; call it before anything is heard."""
        return [self.append(abandoned(start, datetime.now(UTC))) for start in self.open_events()]

    def pending(self, sink: str, after: int = 0, limit: int = 100) -> list[Row]:
        """What a sink has not told yet, oldest first."""
        return self._rows(f"{_ROW} {_UNTOLD} AND seq > ? ORDER BY seq LIMIT ?", sink, after, limit)

    def undelivered(self, sink: str) -> int:
        """How many messages a sink has not told yet."""
        count = "SELECT count(*) FROM delivery WHERE sink = ?"
        return int(self._surely(lambda: self._file.read(count, sink))[0][0])

    def rows(self, after: int = 0, limit: int = 100) -> list[Row]:
        """What is remembered, told or not, oldest first."""
        return self._rows(f"{_ROW} FROM event WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)

    def open_events(self, source: str | None = None) -> list[Message]:
        """The `start` messages whose end has not come, oldest first."""
        rows = self._rows(f"{_ROW} FROM event WHERE open = 1 ORDER BY seq")
        return [row.message for row in rows if source in (None, row.message["source"])]

    @property
    def last(self) -> int:
        """The newest message's `seq`; 0 when there never was one."""
        return self._last

    def report(self, state: SourceState) -> None:
        """The latest word on a source. A new level or more dropped samples alone wake nobody."""
        with self._changed:
            before = self._states.get(state.source)
            self._states[state.source] = state
        if before is None or (before.state, before.model) != (state.state, state.model):
            self.wake()

    def states(self) -> list[SourceState]:
        """The latest word on each source, in the order in which they first spoke."""
        with self._changed:
            return list(self._states.values())

    @property
    def changes(self) -> int:
        """How many changes there were: messages appended or marked, states reported, wakes."""
        with self._changed:
            return self._changes

    def wait(self, after: int, timeout: float) -> int:
        """Sleep until there are more changes than `after`, for `timeout` seconds at most; returns `changes`.

        Read `changes` first, then the rows, then wait: no message slips through in between.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._changes > after, timeout)
            return self._changes

    def wake(self) -> None:
        """Wake everyone who waits."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()

    def _look(self) -> None:
        """What the file holds already."""
        ((self._last,),) = self._file.read("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'")
        self._untold = Counter(dict(self._file.read("SELECT sink, count(*) FROM delivery GROUP BY sink")))

    def _append(self, message: Message) -> tuple[int, Counter[str]]:
        """Write a message; returns its `seq`, and how many others were discarded before they were told, by sink."""
        started, sinks = message["phase"] == "start", self.sinks
        with self._file.write(durable=True) as db:
            if not started:
                db.execute("UPDATE event SET open = 0 WHERE id = ? AND open = 1", (message["id"],))
            values = (time.time(), message["id"], started, json.dumps(message, ensure_ascii=False))
            insert = "INSERT INTO event (at, id, open, message) VALUES (?, ?, ?, ?)"
            seq = int(db.execute(insert, values).lastrowid or 0)
            table.remember(db, seq, values[0], message)
            db.executemany("INSERT INTO delivery VALUES (?, ?)", [(seq, sink) for sink in sinks])
            unsent = discard_older(db, values[0] - self._max_age) + discard_beyond(db, self._max_bytes)
        with self._changed:
            self._last = max(self._last, seq)
            self._untold.update(sinks)
            self._untold -= unsent
        return seq, unsent

    def _mark(self, sink: str, seqs: Sequence[int]) -> None:
        with self._file.write(durable=False) as db:
            values = [(seq, sink) for seq in seqs]
            marked = db.executemany("DELETE FROM delivery WHERE seq = ? AND sink = ?", values).rowcount
        with self._changed:
            self._untold -= Counter({sink: max(0, marked)})

    def _rows(self, query: str, *values: object) -> list[Row]:
        return self._surely(
            lambda: [Row(seq, self._message(text), at) for seq, text, at in self._file.read(query, *values)]
        )

    def _message(self, text: str) -> Message:
        try:
            message: Message = json.loads(text)
            if message.keys() >= _KEYS:
                return message
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        raise DamagedError(f"journal {self.path}: what it holds is no message any more")

    def _surely(self, work: Callable[[], T]) -> T:
        """Do it; where the file turns out to be damaged, do it in a new one."""
        renewals = self._file.renewals
        try:
            return work()
        except DamagedError as error:
            go_on = f"INSERT INTO sqlite_sequence VALUES ('event', {self._last})"  # noqa: S608 - a number of ours
            if self._file.begin_anew(error, renewals, go_on):
                self._count(self._untold, "they were in the damaged file")
                self._untold.clear()
            return work()

    def _count(self, unsent: Mapping[str, int], why: str) -> None:
        for sink, count in unsent.items():
            if count:
                self.discarded[sink] += count
                _LOG.warning("journal %s: discarded %d messages that %s had not told: %s", self.path, count, sink, why)
