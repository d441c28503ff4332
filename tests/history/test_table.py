"""The rows of whole events: kept with their messages, made from those of an older journal, none too many."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sed.errors import DamagedError, SinkError
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.journal import VERSION, Journal
from tests.messages import message

VERSION_1 = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, id TEXT NOT NULL, open INTEGER NOT NULL,
    message TEXT NOT NULL);
CREATE INDEX event_open ON event (id) WHERE open = 1;
CREATE TABLE delivery (seq INTEGER NOT NULL, sink TEXT NOT NULL, PRIMARY KEY (seq, sink)) WITHOUT ROWID;
CREATE INDEX delivery_sink ON delivery (sink, seq);
PRAGMA user_version = 1;
"""  # as the first journals were made


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A journal as version 1 left it: one event over, one open and not told, one message that was spoilt."""
    path = tmp_path / "j.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(f"PRAGMA journal_mode = WAL; {VERSION_1}")
        rows = [message(name="A"), message("end", name="A"), message(name="B")]
        for one in rows:
            insert = "INSERT INTO event (at, id, open, message) VALUES (1795000000.5, ?, ?, ?)"
            db.execute(insert, (one["id"], one["id"] == "B", json.dumps(one)))
        db.execute("INSERT INTO event (at, id, open, message) VALUES (1795000000.5, 'C', 0, '{\"id\": ')")
        db.execute("INSERT INTO delivery VALUES (3, 'mqtt')")
    return path


def test_an_older_journal_is_brought_up_to_date_and_nothing_is_lost(old: Path) -> None:
    with Journal(old, ["mqtt"]) as journal:
        assert [row.seq for row in journal.pending("mqtt")] == [3]
        assert [event["id"] for event in journal.open_events()] == ["B"]
        assert journal.append(message("end", name="B")) == 5
    found = {event.id: event for event in History(old).walk()}
    assert set(found) == {"A", "B"}
    assert (found["A"].duration, found["A"].open, found["B"].open) == (1.5, False, False)
    assert version(old) == VERSION == 2
    Journal(old).close()  # a second time there is nothing to do


def test_it_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    Journal(old).close()
    Journal(tmp_path / "new.db").close()
    assert tables(old) == tables(tmp_path / "new.db")


def test_an_upgrade_that_was_interrupted_begins_anew(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sed.history.table.remember", die)
    with pytest.raises(KeyboardInterrupt):
        Journal(old)
    monkeypatch.undo()
    assert version(old) == 1
    Journal(old).close()
    assert len(list(History(old).walk())) == 2


def test_only_its_owner_brings_it_up_to_date(old: Path) -> None:
    with pytest.raises(SinkError, match="written by an older earwitness: let 'earwitness run' open it once"):
        History(old).events()
    with pytest.raises(SinkError, match="an older earwitness"):
        Verdicts(old).give("A", "right")
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(SinkError, match=r"written by a newer earwitness \(version 9, this one reads 2\)"):
        History(old).events()


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        (found,) = db.execute("PRAGMA user_version").fetchone()
    return int(found)


def tables(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_events_go_with_their_messages_and_take_their_verdicts_along(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path, max_bytes=110_000) as journal:
        for n in range(60):
            journal.append(message(name=f"{n:03}"))
            Verdicts(path).give(f"{n:03}", "wrong")
            journal.append(message("end", name=f"{n:03}"))
        kept = {row.message["id"] for row in journal.rows(limit=1_000)}
    assert 0 < len(kept) < 60
    assert {event.id for event in History(path).walk()} == kept
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM verdict").fetchone() == (len(kept),)


def test_old_events_go_with_their_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_795_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    with Journal(tmp_path / "j.db", max_age=60.0) as journal:
        journal.append(message(name="A"))
        journal.append(message("end", name="A"))
        journal.append(message(name="B"))
        now += 61.0
        journal.append(message("end", name="B"))
        assert [event.id for event in History(journal.path).walk()] == ["B"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"onset": "soon"}, {"onset": None}, {"onset": "2026-11-20T02:59:01"}, {"onset": "0001-01-01T00:00:00+14:00"},
        {"score": "high"}, {"score": 1e300}, {"score": None}, {"level_dbfs": []}, {"duration": "long"},
        {"label": ["siren"]}, {"source": 7}, {"clip": {}}, {"lost_samples": True}, {"model": None},
    ],
)  # fmt: skip
def test_a_message_that_a_disk_has_spoilt_is_remembered_as_well_as_it_goes(
    tmp_path: Path, spoilt: dict[str, object]
) -> None:
    """An event that never ended is ended at the next start, from what the journal holds of it."""
    with Journal(tmp_path / "j.db") as journal:
        journal.append({**message(name="A"), **spoilt})
        (event,) = History(journal.path).walk()
        assert (event.id, event.open) == ("A", True)


def test_a_journal_whose_history_was_damaged_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.append(message(name="A"))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE history")
    with Journal(path) as journal:
        journal.append(message(name="B"))
        assert [event.id for event in History(path).walk()] == ["B"]
    assert "no such table" in caplog.text


def test_a_row_that_was_damaged_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.append(message(name="A"))
    for spoilt in ("score = 'high'", "onset = 9e17", "detected = -9e17"):
        with closing(sqlite3.connect(path)) as db, db:
            db.execute(f"UPDATE history SET {spoilt}")  # noqa: S608 - ours
        with pytest.raises(DamagedError, match="what it holds is no event any more"):
            History(path).events()


def test_a_header_that_forbids_writing_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.append(message(name="A"))
    content = bytearray(path.read_bytes())
    content[18] = 3  # the version that a program has to know to write it
    path.write_bytes(content)
    with Journal(path) as journal:
        assert journal.append(message(name="B")) == 2
    assert len(list(tmp_path.glob("j.db.corrupt-*"))) == 1
    shutil.rmtree(tmp_path)
