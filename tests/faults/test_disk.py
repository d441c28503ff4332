"""A journal whose disk is full, and one whose file is damaged."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.broker import Broker, Listener, eventually
from tests.daemon import START_SECONDS
from tests.faults.accounts import (
    assert_accounted,
    assert_beats,
    assert_holds,
    everything_arrives,
    given_up,
    heard_on,
    held,
    logged,
    received,
)
from tests.faults.box import Box
from tests.faults.disk import SmallDisk


def test_full_for_a_while(box: Box, tmp_path: Path) -> None:
    """What cannot be written waits, and comes in order once there is room; nothing is lost."""
    disk = SmallDisk(tmp_path)
    with Broker(tmp_path) as broker, Listener(broker, tmp_path) as listener:
        box.configure(broker, journal=disk.path / "journal.db", yard=box.beats("yard", 300))
        with box.run(before=disk.before) as run:
            heard_on(run)
            everything_arrives(box.runs, listener)
            before = held(run)
            disk.fill(run)
            logged(run, "disk is full; free some space there")
            logged(run, "events wait in memory")
            known = len(received(listener))
            disk.free(run)
            logged(run, "the journal takes events again, 0 were lost")
            eventually(lambda: len(received(listener)) > known + 4, START_SECONDS)
            assert_holds(run, before)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert_beats(received(listener).values())
        assert given_up(box.runs) == 0


def test_full_to_the_end(box: Box, tmp_path: Path) -> None:
    """What was never written is counted when the daemon ends, and its exit code tells that something went wrong."""
    disk, beats = SmallDisk(tmp_path), 6
    with Broker(tmp_path) as broker, Listener(broker, tmp_path) as listener:
        box.configure(broker, journal=disk.path / "journal.db", yard=box.beats("yard", beats))
        with box.run(before=disk.before) as run:
            heard_on(run)
            disk.fill(run)
            assert run.end() == 1
        assert run.said("error source yard: stopped: ")
        assert given_up(box.runs) > 0
        assert_accounted(box.runs, listener, events=beats)


def test_full_from_the_start(box: Box, tmp_path: Path) -> None:
    """One line says so; there is nothing to account for, for nothing was heard."""
    disk = SmallDisk(tmp_path)
    box.configure(None, journal=disk.path / "journal.db", yard=box.beats("yard", 1))
    with box.run(before=disk.full()) as run:
        assert run.end() == 1
    (line,) = run.log().splitlines()
    assert line.startswith(f"earwitness: journal {disk.path}/journal.db: ")
    assert "full" in line or "some room" in line
    assert run.events() == []


@pytest.mark.parametrize("damage", ["rubbish", "half of it"])
def test_damaged_while_nobody_looked(box: Box, tmp_path: Path, damage: str) -> None:
    """The damaged file is kept under another name, and the daemon hears on: it does not die again and again."""
    with Broker(tmp_path) as broker, Listener(broker, tmp_path) as listener:
        box.configure(broker, yard=box.beats("yard", 1))
        with box.run() as run:
            assert run.end() == 0
        whole = box.journal.read_bytes()
        content = b"rubbish" * 3_000 if damage == "rubbish" else whole[: len(whole) // 2]
        box.journal.write_bytes(content)
        with box.run() as run:
            assert run.end() == 0
        (aside,) = tmp_path.glob("journal.db.corrupt-*Z")
        assert aside.read_bytes() == content
        assert run.log().count(f"it is damaged, and now {aside.name}; a new one is begun") == 1
        assert_accounted(box.runs, listener, events=2)


def test_damaged_while_it_is_written(box: Box, tmp_path: Path) -> None:
    """What it held and was not told is counted; the events after it are told."""
    with Broker(tmp_path, persistent=True) as broker, Listener(broker, tmp_path, lasting=True) as listener:
        box.configure(broker, yard=box.beats("yard", 300))
        with box.run() as run:
            heard_on(run)
            everything_arrives(box.runs, listener)
            before = held(run)
            broker.stop()
            heard_on(run, 2)
            with closing(sqlite3.connect(box.journal, timeout=30.0)) as db, db:
                db.execute("PRAGMA writable_schema = 1")
                db.execute("UPDATE sqlite_master SET rootpage = 4000 WHERE name = 'event'")
                db.execute("PRAGMA schema_version = 99")
            logged(run, "it is damaged, and now journal.db.corrupt-")
            known = len(run.events())
            heard_on(run, 2)
            broker.start()
            logged(run, "connected", 2)
            after = {(event["id"], event["phase"]) for event in run.events()[known:]}
            eventually(lambda: after <= set(received(listener)), START_SECONDS)
            assert_holds(run, before)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert given_up(box.runs) > 3
        assert_accounted(box.runs, listener)
        assert_beats(run.events())
