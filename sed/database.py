"""One SQLite file in WAL mode that belongs to one process; every error is one line that says what to do."""

import contextlib
import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sed.errors import DamagedError, SinkError

RENEWAL_SECONDS = 60.0
"""The least time between two damaged files that are moved aside: a disk that spoils all is not filled with them."""

CHECK_BYTES = 50_000_000
"""A file up to this size is looked through when it is opened: about a second on a memory card."""

_LOG = logging.getLogger(__name__)
_BUSY_SECONDS = 5.0
_WAL_BYTES = 4_000_000

_ADVICE = {
    sqlite3.SQLITE_FULL: "free some space there, or set another journal.path",
    sqlite3.SQLITE_IOERR: "check the disk, and whether it is full, or set another journal.path",
    sqlite3.SQLITE_BUSY: "another program holds it; stop that one, or set another journal.path",
    sqlite3.SQLITE_LOCKED: "another program holds it; stop that one, or set another journal.path",
    sqlite3.SQLITE_READONLY: "make it writable for this user, or set another journal.path",
    sqlite3.SQLITE_CANTOPEN: "make its folder writable for this user, and some room, or set another journal.path",
}
_DAMAGED = {  # our SQL is right, and keeps all rules: where SQLite finds fault with it, the file is not what it was
    sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_SCHEMA,
}  # fmt: skip
_FOREIGN = ("no such table", "no such column", "has no column", "unsupported file format")  # in SQLITE_ERROR
_PARTS = ("", "-wal", "-shm")  # the files that SQLite makes of one


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What brings a file to the next version, in one transaction."""

    tables: str
    """SQL that makes the new tables."""
    fill: Callable[[sqlite3.Connection], None]


class Database:
    """Tables of a given version in a file, for any number of threads, one at a time.

    A file that is damaged is moved aside, nothing is deleted: at once when that is found while it is opened, else by
    `begin_anew`. Raises SinkError when another process has it open, and when it cannot be made, read, or written;
    DamagedError when it should be begun anew.
    """

    def __init__(self, path: Path, tables: str, version: int, upgrades: Mapping[int, Upgrade] | None = None) -> None:
        """`tables` is the SQL that makes a new file's tables; `version` is told from `PRAGMA user_version`.

        `upgrades` are what older versions need, each to become the next one.
        """
        self.path = path
        self.renewals = 0
        """How often the file was begun anew."""
        self._tables, self._version, self._sequel = tables, version, ""
        self._upgrades = dict(upgrades or {})
        self._closed = False
        self._lock = threading.RLock()
        self._renewed = float("-inf")  # monotonic seconds
        with contextlib.ExitStack() as opened:
            opened.enter_context(_owned(path))
            self._db: sqlite3.Connection | None = None
            opened.callback(self._disconnect)
            try:
                self._connect()
            except DamagedError as error:
                self._renew(error)
            self._opened = opened.pop_all()

    @contextlib.contextmanager
    def write(self, durable: bool) -> Iterator[sqlite3.Connection]:
        """One transaction, committed at the end; a durable one is on the disk then, whatever happens to the power."""
        with self._lock, explained(self.path):
            db = self._connect()
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, explained(self.path):
            return self._connect().execute(query, values).fetchall()

    def begin_anew(self, error: DamagedError, renewals: int, sequel: str) -> bool:
        """Move the file aside, unless that was done since there were so many `renewals`; says whether it was done now.

        `sequel` is SQL that follows the new file's tables. Raises the `error` again if it comes too soon after another.
        """
        with self._lock:
            if self.renewals != renewals:
                return False
            if time.monotonic() - self._renewed < RENEWAL_SECONDS:
                raise error
            self._sequel = sequel
            self._disconnect()
            self._renew(error)
            return True

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            self._closed = True
            self._opened.close()

    def _renew(self, error: DamagedError) -> None:
        """Move the file aside with all that SQLite made of it, and open a new one."""
        aside = self.path.with_name(f"{self.path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        try:
            for part in _PARTS:
                with contextlib.suppress(FileNotFoundError):
                    self.path.with_name(self.path.name + part).rename(aside.with_name(aside.name + part))
        except OSError as refused:
            reason = (refused.strerror or str(refused)).lower()
            advice = "move it away, or set another journal.path"
            raise SinkError(f"{error}; it cannot be moved aside ({reason}): {advice}") from refused
        told = (
            "%s: it is damaged, and now %s; a new one is begun, what was not told is lost; check disk and power supply"
        )
        _LOG.error(told, error, aside.name)
        self._renewed = time.monotonic()
        self.renewals += 1
        self._connect()

    def _connect(self) -> sqlite3.Connection:
        """The connection; a new one where there is none yet, or where the last attempt failed."""
        if self._db is not None:
            return self._db
        if self._closed:
            raise SinkError(f"journal {self.path}: it is a closed database")
        with contextlib.ExitStack() as opened, explained(self.path):
            db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            opened.callback(db.close)
            db.text_factory = _text
            self._prepare(db)
            opened.pop_all()
            self._db = db
        return db

    def _disconnect(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _prepare(self, db: sqlite3.Connection) -> None:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > self._version:
            raise SinkError(
                f"journal {self.path}: written by a newer earwitness (version {found}, this one knows "
                f"{self._version}); upgrade, or set another journal.path"
            )
        if found == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise SinkError(f"journal {self.path}: a database of another program; set another journal.path")
        if found < 0:
            raise DamagedError(f"journal {self.path}: it says that it is of version {found}, and there is none")
        self._check(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        if found == 0:
            made = f"{self._tables} {self._sequel}; PRAGMA user_version = {self._version};"
            db.executescript(f"BEGIN IMMEDIATE; {made} COMMIT;")
        for older in range(found, self._version) if found else ():
            self._upgrade(db, older)

    def _upgrade(self, db: sqlite3.Connection, older: int) -> None:
        """From one version to the next; what is interrupted is as if it had not begun."""
        upgrade = self._upgrades[older]
        db.executescript(f"BEGIN IMMEDIATE; {upgrade.tables}")
        upgrade.fill(db)
        db.execute(f"PRAGMA user_version = {older + 1}")
        db.execute("COMMIT")
        _LOG.info("journal %s: brought from version %d to %d", self.path, older, older + 1)

    def _check(self, db: sqlite3.Connection) -> None:
        """Not all damage shows when it is read: some of it spoils what is written next to it."""
        if self.path.stat().st_size <= CHECK_BYTES:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise DamagedError(f"journal {self.path}: {' '.join(found.split())}")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite complains of as one line: DamagedError where the file is not what it was, else SinkError."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quotes the file in its complaint
        raise DamagedError(f"journal {path}: its tables are not those of a journal any more") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR)
        barred = code == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK)  # its header says so, nobody else
        if code & 0xFF in _DAMAGED or barred or any(word in str(error) for word in _FOREIGN):
            raise DamagedError(f"journal {path}: {error}") from error
        advice = _ADVICE.get(code & 0xFF, "set another journal.path, and report this")
        raise SinkError(f"journal {path}: {error}; {advice}") from error


def _text(stored: bytes) -> str:
    """What is stored as text, even where it is none any more."""
    return stored.decode("utf-8", "replace")


@contextlib.contextmanager
def _owned(path: Path) -> Iterator[None]:
    """Hold the file `<path>.lock`, so that two processes never tell the same messages."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("a+")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        advice = "make its folder writable for this user, or set another journal.path"
        raise SinkError(f"journal {path}: {reason}; {advice}") from error
    with lock:
        _take(lock, path)
        yield


def _take(lock: IO[str], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().strip() or "?"
        advice = "stop that one, or set another journal.path"
        raise SinkError(f"journal {path}: another earwitness uses it (process {owner}); {advice}") from error
    with contextlib.suppress(OSError):  # a disk that is full: it is only for the message above
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), f"{os.getpid()}\n".encode())
