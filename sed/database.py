"""One SQLite file in WAL mode that belongs to one process; every error is one line that says what to do."""

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sed.errors import SinkError

_BUSY_SECONDS = 5.0
_WAL_BYTES = 4_000_000

_ADVICE = {
    sqlite3.SQLITE_FULL: "free some space there, or set another journal.path",
    sqlite3.SQLITE_IOERR: "check the disk, or set another journal.path",
    sqlite3.SQLITE_BUSY: "another program holds it; stop that one, or set another journal.path",
    sqlite3.SQLITE_LOCKED: "another program holds it; stop that one, or set another journal.path",
    sqlite3.SQLITE_READONLY: "make it writable for this user, or set another journal.path",
    sqlite3.SQLITE_CANTOPEN: "make its folder writable for this user, or set another journal.path",
    sqlite3.SQLITE_NOTADB: "move it away (nothing is deleted here), or set another journal.path",
    sqlite3.SQLITE_CORRUPT: "move it away (nothing is deleted here), or set another journal.path",
}


class Database:
    """Tables of a given version in a file, for any number of threads, one at a time.

    Raises SinkError when another process has it open, and when it cannot be made, read, or written.
    """

    def __init__(self, path: Path, tables: str, version: int) -> None:
        """`tables` is the SQL that makes a new file's tables; `version` is told from `PRAGMA user_version`."""
        self.path = path
        self._lock = threading.RLock()
        with contextlib.ExitStack() as opened:
            opened.enter_context(_owned(path))
            with self._explained():
                self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
                opened.callback(self._db.close)
                self._prepare(tables, version)
            self._opened = opened.pop_all()

    @contextlib.contextmanager
    def write(self, durable: bool) -> Iterator[sqlite3.Connection]:
        """One transaction, committed at the end; a durable one is on the disk then, whatever happens to the power."""
        with self._lock, self._explained():
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, self._explained():
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            self._opened.close()

    def _prepare(self, tables: str, version: int) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise SinkError(
                f"journal {self.path}: written by a newer earwitness (version {found}, this one knows {version}); "
                "upgrade, or set another journal.path"
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        if found == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {version}; COMMIT;")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF  # without the extended part
            advice = _ADVICE.get(code, "set another journal.path, and report this")
            raise SinkError(f"journal {self.path}: {error}; {advice}") from error


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
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
