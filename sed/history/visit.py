"""A look into the journal's file beside the daemon that owns it: a connection for each call, for any thread."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sed.database import explained
from sed.errors import SinkError
from sed.journal import VERSION

_BUSY_SECONDS = 5.0


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The journal, to read from. Raises SinkError; a file that nobody uses is left without others beside it."""
    alone = not path.with_name(f"{path.name}-shm").exists()
    with _visiting(path, "mode=ro&immutable=1" if alone else "mode=ro") as db:
        yield db


@contextlib.contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, on the disk when it ends; the owner of the journal need not stop. Raises SinkError."""
    with _visiting(path, "mode=rw") as db:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")  # where it does not come to that, closing takes all back


@contextlib.contextmanager
def _visiting(path: Path, options: str) -> Iterator[sqlite3.Connection]:
    _check(path)
    with explained(path), contextlib.closing(_opened(path, options)) as db:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            raise SinkError(f"journal {path}: a database of another program; name the journal of a daemon")
        if found != VERSION:
            age = "an older earwitness: let 'earwitness run' open it once" if found < VERSION else "a newer earwitness"
            raise SinkError(f"journal {path}: written by {age} (version {found}, this one reads {VERSION})")
        yield db


def _check(path: Path) -> None:
    try:
        if not path.is_file():
            raise SinkError(
                f"journal {path}: no such file; 'earwitness run' makes it, -c FILE says where, or --journal FILE"
            )
        readable = os.access(path, os.R_OK)
    except PermissionError:
        readable = False
    if not readable:
        raise SinkError(f"journal {path}: permission denied; ask as root, or as the daemon's user")


def _opened(path: Path, options: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fspath(path.absolute()))}?{options}"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
