"""What is remembered before it is told: every message, and to which sinks it still has to be told.

A message is on the disk before `append` returns, so it outlives `kill -9` and a power cut. Threads meet here: sources
append and report; sinks wait, read and mark.
"""

import json
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sed.database import Database
from sed.message import Message, abandoned
from sed.signals import State

MAX_AGE = 30 * 86_400.0  # seconds
MAX_BYTES = 500_000_000
VERSION = 1

_TABLES = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, id TEXT NOT NULL, open INTEGER NOT NULL,
    message TEXT NOT NULL);
CREATE INDEX event_open ON event (id) WHERE open = 1;
CREATE TABLE delivery (seq INTEGER NOT NULL, sink TEXT NOT NULL, PRIMARY KEY (seq, sink)) WITHOUT ROWID;
CREATE INDEX delivery_sink ON delivery (sink, seq);
"""  # event.open: a start whose end has not come; delivery: what is still to be told
_UNTOLD = "FROM delivery JOIN event USING (seq) WHERE sink = ?"
_CHUNK = 64  # messages discarded at a time when the journal is too big
_LOG = logging.getLogger(__name__)


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
    messages go first, and those that a sink had not told yet are counted in `discarded`. Raises SinkError when the
    file cannot be used; it never deletes one.
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
        self._file = Database(path, _TABLES, VERSION)

    def append(self, message: Message) -> int:
        """Remember a message for good and wake who waits; returns its `seq`. It is on the disk when this returns."""
        started = message["phase"] == "start"
        with self._file.write(durable=True) as db:
            if not started:
                db.execute("UPDATE event SET open = 0 WHERE id = ? AND open = 1", (message["id"],))
            values = (time.time(), message["id"], started, json.dumps(message, ensure_ascii=False))
            insert = "INSERT INTO event (at, id, open, message) VALUES (?, ?, ?, ?)"
            seq = int(db.execute(insert, values).lastrowid or 0)
            db.executemany("INSERT INTO delivery VALUES (?, ?)", [(seq, sink) for sink in self.sinks])
            unsent = _discard_older(db, values[0] - self._max_age) + _discard_beyond(db, self._max_bytes)
        self._count(unsent, "the journal's bounds are reached")
        self.wake()
        return seq

    def mark(self, sink: str, *seqs: int) -> None:
        """The sink has told these. Not forced to the disk: after a power cut it may tell them again."""
        with self._file.write(durable=False) as db:
            db.executemany("DELETE FROM delivery WHERE seq = ? AND sink = ?", [(seq, sink) for seq in seqs])
        self.wake()

    def close_abandoned(self) -> list[int]:
        """Append an `end` for every `start` whose process died before its end; call it before anything is heard."""
        return [self.append(abandoned(start, datetime.now(UTC))) for start in self.open_events()]

    def pending(self, sink: str, after: int = 0, limit: int = 100) -> list[Row]:
        """What a sink has not told yet, oldest first."""
        query = f"SELECT seq, message, at {_UNTOLD} AND seq > ? ORDER BY seq LIMIT ?"
        return _rows(self._file.read(query, sink, after, limit))

    def undelivered(self, sink: str) -> int:
        """How many messages a sink has not told yet."""
        return int(self._file.read("SELECT count(*) FROM delivery WHERE sink = ?", sink)[0][0])

    def rows(self, after: int = 0, limit: int = 100) -> list[Row]:
        """What is remembered, told or not, oldest first."""
        query = "SELECT seq, message, at FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        return _rows(self._file.read(query, after, limit))

    def open_events(self, source: str | None = None) -> list[Message]:
        """The `start` messages whose end has not come, oldest first."""
        rows = _rows(self._file.read("SELECT seq, message, at FROM event WHERE open = 1 ORDER BY seq"))
        return [row.message for row in rows if source in (None, row.message["source"])]

    @property
    def last(self) -> int:
        """The newest message's `seq`; 0 when there never was one."""
        return int(self._file.read("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'")[0][0])

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

    def _count(self, unsent: Mapping[str, int], why: str) -> None:
        for sink, count in unsent.items():
            if count:
                self.discarded[sink] += count
                _LOG.warning("journal %s: discarded %d messages that %s had not told: %s", self.path, count, sink, why)


def _rows(found: list[tuple[int, str, float]]) -> list[Row]:
    return [Row(seq, json.loads(message), at) for seq, message, at in found]


def _discard_older(db: sqlite3.Connection, horizon: float) -> Counter[str]:
    """Drop messages from the oldest on, up to the first that was appended since `horizon`; the untold ones by sink."""
    (oldest,) = db.execute("SELECT at FROM event ORDER BY seq LIMIT 1").fetchone()
    if oldest >= horizon:
        return Counter()
    (fresh,) = db.execute("SELECT seq FROM event WHERE at >= ? ORDER BY seq LIMIT 1", (horizon,)).fetchone()
    return _discard_before(db, fresh)


def _discard_beyond(db: sqlite3.Connection, max_bytes: int) -> Counter[str]:
    """Drop the oldest messages until the rest fits into `max_bytes`; the newest always stays."""
    unsent: Counter[str] = Counter()
    while _bytes(db) > max_bytes:
        first, last = db.execute("SELECT min(seq), max(seq) FROM event").fetchone()
        if first == last:
            break
        unsent += _discard_before(db, min(first + _CHUNK, last))
    return unsent


def _discard_before(db: sqlite3.Connection, seq: int) -> Counter[str]:
    unsent = db.execute("SELECT sink, count(*) FROM delivery WHERE seq < ? GROUP BY sink", (seq,)).fetchall()
    db.execute("DELETE FROM delivery WHERE seq < ?", (seq,))
    db.execute("DELETE FROM event WHERE seq < ?", (seq,))
    return Counter(dict(unsent))


def _bytes(db: sqlite3.Connection) -> int:
    """What the tables take up, without the pages that are free to be used again."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * size)
