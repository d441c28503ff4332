"""The journal's file, looked at beside a running daemon: nothing is written, and nothing is left behind."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sed.config import JournalConfig
from sed.doctor.finding import Finding, failed, ok, warning
from sed.journal import VERSION

QUICK_SECONDS = 8.0
"""How long SQLite may look through the file."""

STEPS = 10_000
"""Of SQLite's virtual machine, between two looks at the clock."""

WAITING_SECONDS = 60.0
"""What waits longer than this for a broker is worth a word."""

_AWAY = "move it away (nothing is deleted here), or set another journal.path"


def look(config: JournalConfig) -> Iterator[Finding]:
    """Whether it opens, is whole, and holds what nobody has been told yet."""
    path, owner = config.path, owner_of(config.path)
    used = f", used by process {owner}" if owner else ""
    if not path.exists():
        yield ok(f"{path}: not there yet, made at the first start")
        return
    try:
        with path.open("rb"), closing(_opened(path)) as db:
            yield from _inside(db, f"{path}{used}")
    except OSError as error:
        yield failed(f"{path}: {(error.strerror or str(error)).lower()}", "ask as root, or as the daemon's user")
    except sqlite3.Error as error:
        yield failed(f"{path}: {error}", _AWAY)


def owner_of(path: Path) -> str:
    """The process that has the journal open, empty if none has; read from the kernel's list, without a lock of ours."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        inode = lock.stat().st_ino
        held = any(line.split()[1] == "FLOCK" and f":{inode} " in line for line in _locks())
        return (lock.read_text().strip() or "?") if held else ""
    except OSError:
        return ""


def _locks() -> list[str]:
    return [line for line in Path("/proc/locks").read_text().splitlines() if len(line.split()) > 1]


def _opened(path: Path) -> sqlite3.Connection:
    """Read-only; a file that nobody uses is read as it lies, for SQLite would leave two more beside it."""
    alone = not path.with_name(f"{path.name}-shm").exists()
    options = "mode=ro&immutable=1" if alone else "mode=ro"
    return sqlite3.connect(f"file:{quote(os.fspath(path.absolute()))}?{options}", uri=True, timeout=1.0)


def _inside(db: sqlite3.Connection, said: str) -> Iterator[Finding]:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        yield failed(f"{said}: SQLite, but not a journal", "set another journal.path")
        return
    if version > VERSION:
        yield failed(f"{said}: written by a newer earwitness", "upgrade, or set another journal.path")
        return
    trouble = _damage(db)
    if trouble is None:
        yield warning(f"{said}: opens; not looked through within {QUICK_SECONDS:g} s", "lower journal.max_size")
    elif trouble:
        yield failed(f"{said}: damaged ({trouble})", _AWAY)
        return
    else:
        messages = db.execute("SELECT count(*) FROM event").fetchone()[0]
        yield ok(f"{said}: whole, {messages} messages")
    yield from _untold(db)


def _damage(db: sqlite3.Connection) -> str | None:
    """The first thing that is wrong with the file; empty if nothing is, None if there was no time to see."""
    until = time.monotonic() + QUICK_SECONDS
    db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        db.set_progress_handler(None, 0)
    return "" if said == "ok" else said.splitlines()[-1]


def _untold(db: sqlite3.Connection) -> Iterator[Finding]:
    query = "SELECT sink, count(*), min(at) FROM delivery JOIN event USING (seq) GROUP BY sink"
    for sink, count, oldest in db.execute(query):
        if time.time() - oldest > WAITING_SECONDS:
            since = datetime.fromtimestamp(oldest, UTC)
            yield warning(f"{count} messages wait for {sink} since {since:%Y-%m-%d %H:%M} UTC", "see what it says here")
