"""Journals that a disk has spoilt: read, begun anew, or refused in one line; never a crash, never a hang."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from sed.errors import SinkError
from sed.journal import Journal
from tests.fuzz.effort import fuzzed, one_line, spoilt
from tests.messages import message


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal with events told, untold and open, closed in order."""
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    with Journal(path, sinks=("mqtt",)) as journal:
        for n in range(30):
            journal.append(message("start", f"{n}"))
            journal.append(message("end", f"{n}"))
        journal.append(message("start", "open"))
        journal.mark("mqtt", 1, 2, 3)
    return path.read_bytes()


def used(path: Path) -> Any:
    """All that a daemon does with one."""
    with contextlib.suppress(SinkError), Journal(path, sinks=("mqtt",)) as journal:
        return [
            attempted(journal.close_abandoned),
            attempted(lambda: journal.append(message("start", "new"))),
            attempted(lambda: journal.pending("mqtt")),
            attempted(lambda: journal.undelivered("mqtt")),
            attempted(lambda: journal.rows(0, 1_000)),
            attempted(lambda: journal.last),
            attempted(lambda: journal.mark("mqtt", 5)),
        ]
    return None


def attempted(do: Any) -> Any:
    try:
        return do()
    except SinkError as error:
        one_line(error, "journal ")
        return error


def test_spoilt(whole: bytes, tmp_path: Path) -> None:
    @fuzzed(25)
    @given(spoilt(whole, head=200))
    def use(data: bytes) -> None:
        for left in tmp_path.iterdir():
            left.unlink()
        (tmp_path / "journal.db").write_bytes(data)
        used(tmp_path / "journal.db")

    (tmp_path / "journal.db").write_bytes(whole)
    assert not any(isinstance(outcome, SinkError) for outcome in used(tmp_path / "journal.db"))
    use()


def test_spoilt_beside_what_sqlite_has_not_put_in_yet(tmp_path: Path) -> None:
    """The log of a process that was killed, spoilt too."""
    living, dead = tmp_path / "living", tmp_path / "dead"
    living.mkdir()
    dead.mkdir()
    with Journal(living / "journal.db", sinks=("mqtt",)) as journal:
        for n in range(10):
            journal.append(message("start", f"{n}"))
        for part in living.iterdir():
            shutil.copy(part, dead)
    log = (dead / "journal.db-wal").read_bytes()
    database = (dead / "journal.db").read_bytes()

    @fuzzed(25)
    @given(spoilt(log, head=4_200))
    def use(data: bytes) -> None:
        for left in dead.iterdir():
            left.unlink()
        (dead / "journal.db").write_bytes(database)
        (dead / "journal.db-wal").write_bytes(data)
        used(dead / "journal.db")

    use()


BROKEN = ("'no JSON'", "'[]'", "'{}'", "'null'", "x'ff00ff'", "7", "'{\"source\": 1}'")


@pytest.mark.parametrize("message", BROKEN)
def test_a_message_that_was_spoilt(whole: bytes, tmp_path: Path, message: str) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(whole)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE event SET message = {message} WHERE seq IN (5, 61)")  # noqa: S608 - ours; 61 is open
    used(path)
