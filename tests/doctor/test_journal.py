"""A real journal, looked at while it is used, after it was used, and broken in several ways."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sed.config import JournalConfig
from sed.doctor import journal as doctor
from sed.doctor.finding import Finding
from sed.journal import Journal
from tests.messages import message


def found(path: Path) -> list[Finding]:
    return list(doctor.look(JournalConfig(path=path)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_one_that_is_not_there_is_made_later(path: Path) -> None:
    (finding,) = found(path)
    assert (finding.status, finding.found) == ("ok", f"{path}: not there yet, made at the first start")
    assert not list(path.parent.iterdir())


def test_one_in_use_is_read_without_getting_in_the_way(path: Path) -> None:
    with Journal(path, ("mqtt",)) as journal:
        journal.append(message())
        before = sorted(path.parent.iterdir())
        (finding,) = found(path)
        journal.append(message())
        assert sorted(path.parent.iterdir()) == before
        assert journal.undelivered("mqtt") == 2
    assert (finding.status, finding.found) == ("ok", f"{path}, used by process {os.getpid()}: whole, 1 messages")
    assert doctor.owner_of(path) == ""


def test_one_that_nobody_uses_is_left_without_files_beside_it(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(message())
    before = sorted(path.parent.iterdir())
    (finding,) = found(path)
    assert (finding.status, finding.found) == ("ok", f"{path}: whole, 1 messages")
    assert sorted(path.parent.iterdir()) == before


def test_what_a_killed_process_left_is_counted(path: Path, tmp_path: Path) -> None:
    with Journal(path) as journal:
        journal.append(message())
        (tmp_path / "left").mkdir()
        for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
            shutil.copy(tmp_path / name, tmp_path / "left" / name)
    (finding,) = found(tmp_path / "left" / "journal.db")
    assert finding.found.endswith(": whole, 1 messages")


def test_what_waits_for_a_broker_for_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path, ("mqtt",)) as journal:
        for _ in range(3):
            journal.append(message())
        assert [finding.status for finding in found(path)] == ["ok"]
        monkeypatch.setattr(doctor, "WAITING_SECONDS", -1.0)
        findings = found(path)
    assert [finding.status for finding in findings] == ["ok", "warning"]
    assert findings[1].found.startswith("3 messages wait for mqtt since 20")


def test_a_damaged_one(path: Path) -> None:
    with Journal(path) as journal:
        for _ in range(300):
            journal.append(message())
    content = bytearray(path.read_bytes())
    content[8192:40_000] = os.urandom(40_000 - 8192)
    path.write_bytes(content)
    (finding,) = found(path)
    assert finding.status == "failed"
    assert finding.found.startswith(f"{path}: d")  # SQLite's words: damaged, or "database disk image is malformed"
    assert finding.advice == "move it away (nothing is deleted here), or set another journal.path"
    assert path.read_bytes() == bytes(content)


def sql(path: Path, command: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(command)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("no database" * 1000), "file is not a database; move it away"),
        (
            lambda path: sql(path, "CREATE TABLE t (x)"),
            "SQLite, but not a journal",
        ),
        (
            lambda path: sql(path, "PRAGMA user_version = 99"),
            "written by a newer",
        ),
        (lambda path: path.mkdir(), "is a directory"),
    ],
)
def test_what_is_no_journal(path: Path, make: Callable[[Path], object], said: str) -> None:
    make(path)
    (finding,) = found(path)
    assert finding.status == "failed"
    assert said in finding.line


def test_there_is_a_limit_to_looking_through(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        for _ in range(300):
            journal.append(message())
    monkeypatch.setattr(doctor, "QUICK_SECONDS", -1.0)
    monkeypatch.setattr(doctor, "STEPS", 10)
    (finding,) = found(path)
    assert (finding.status, "not looked through within" in finding.found) == ("warning", True)
