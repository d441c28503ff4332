"""The journal: nothing that was appended is ever lost in silence."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.errors import SinkError
from sed.journal import Journal, SourceState
from sed.message import event_schema
from tests.messages import message

HEARING = SourceState("yard", "hearing", -40.0, 0, "earwitness-1")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", ["mqtt", "zmq"]) as opened:
        yield opened


def seqs(journal: Journal, sink: str = "mqtt", after: int = 0, limit: int = 100) -> list[int]:
    return [row.seq for row in journal.pending(sink, after, limit)]


def test_rows_come_back_in_order_and_as_they_were(journal: Journal) -> None:
    messages = [message(label="bell ünïcode"), message(), message("end")]
    assert [journal.append(each) for each in messages] == [1, 2, 3]
    assert [row.message for row in journal.rows()] == messages
    assert [row.seq for row in journal.rows(after=1, limit=1)] == [2]
    assert journal.last == 3


def test_each_sink_has_its_own_account(journal: Journal) -> None:
    for _ in range(4):
        journal.append(message())
    journal.mark("mqtt", 1, 3)
    assert (seqs(journal), seqs(journal, "zmq")) == ([2, 4], [1, 2, 3, 4])
    assert (seqs(journal, after=2), seqs(journal, "zmq", limit=2)) == ([4], [1, 2])
    assert (journal.undelivered("mqtt"), journal.undelivered("zmq")) == (2, 4)
    journal.mark("mqtt", 1, 99)  # a second time, and one that never was
    assert journal.undelivered("mqtt") == 2


def test_a_new_process_goes_on_where_the_old_one_stopped(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db", ["mqtt"]) as journal:
        journal.append(message())
        journal.append(message())
        journal.mark("mqtt", 1)
    with Journal(tmp_path / "j.db", ["mqtt"]) as journal:
        assert seqs(journal) == [2]
        assert journal.append(message()) == 3


def test_open_events_are_those_without_an_end(journal: Journal) -> None:
    journal.append(message(name="A"))
    journal.append(message(name="B", source="gate"))
    journal.append(message("end", name="A"))
    assert [event["id"] for event in journal.open_events()] == ["B"]
    assert journal.open_events("yard") == []
    assert [event["id"] for event in journal.open_events("gate")] == ["B"]


def test_abandoned_events_are_ended_once(journal: Journal) -> None:
    start = message()
    journal.append(message(name="0" * 26))
    journal.append(message("end", name="0" * 26))
    journal.append(start)
    assert journal.close_abandoned() == [4]
    end = journal.rows(after=3)[0].message
    assert {**start, "phase": "end", "detected_at": end["detected_at"]} == end
    jsonschema.Draft202012Validator(event_schema()).validate(end)
    assert journal.open_events() == []
    assert journal.close_abandoned() == []
    assert seqs(journal) == [1, 2, 3, 4]


def test_old_messages_go_and_the_untold_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    with Journal(tmp_path / "j.db", ["mqtt"], max_age=60.0) as journal:
        journal.append(message())
        journal.append(message())
        journal.mark("mqtt", 1)
        now += 61.0
        journal.append(message())
        assert [row.seq for row in journal.rows()] == seqs(journal) == [3]
        assert journal.discarded == {"mqtt": 1}


def test_a_big_journal_loses_its_oldest_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Journal(tmp_path / "j.db", ["mqtt"], max_bytes=100_000) as journal:
        for _ in range(300):
            journal.append(message())
        left = seqs(journal, limit=1_000)
        assert left == list(range(left[0], 301))
        assert journal.discarded["mqtt"] == 300 - len(left) > 0
        assert (tmp_path / "j.db").stat().st_size < 150_000
    assert "messages that mqtt had not told: the journal's bounds are reached" in caplog.text


def test_the_newest_message_stays_however_small_the_bound(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db", max_bytes=1) as journal:
        for _ in range(3):
            journal.append(message())
        assert [row.seq for row in journal.rows()] == [3]


def test_a_row_knows_when_it_was_appended(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_795_000_000.25
    monkeypatch.setattr(time, "time", lambda: now)
    journal.append(message())
    now += 10.0
    journal.append(message())
    assert [row.at for row in journal.pending("mqtt")] == [row.at for row in journal.rows()] == [now - 10.0, now]


def test_waiting_ends_with_a_message_a_state_or_the_timeout(journal: Journal) -> None:
    seen = journal.changes
    assert journal.wait(seen, timeout=0.01) == seen
    threading.Timer(0.02, journal.append, [message()]).start()
    began = time.monotonic()
    assert journal.wait(seen, timeout=60.0) > seen
    assert time.monotonic() - began < 30.0
    assert journal.wait(seen, timeout=60.0) > seen  # what has happened already is not waited for


def test_only_a_new_state_wakes(journal: Journal) -> None:
    journal.report(HEARING)
    seen = journal.changes
    journal.report(SourceState("yard", "hearing", -20.0, 5, "earwitness-1"))
    assert journal.changes == seen
    journal.report(SourceState("yard", "lost", -120.0, 5, "earwitness-1"))
    assert journal.changes > seen
    journal.report(SourceState("gate", "hearing", -20.0, 0, "earwitness-1"))
    assert [(state.source, state.state) for state in journal.states()] == [("yard", "lost"), ("gate", "hearing")]


def test_many_threads_append_and_nothing_is_lost(journal: Journal) -> None:
    threads = [threading.Thread(target=lambda: [journal.append(message()) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seqs(journal) == list(range(1, 81))


STEPS = st.lists(
    st.one_of(
        st.just(("append", 0)),
        st.just(("append", 0)),
        st.tuples(st.just("mark"), st.integers(0, 40)),
        st.just(("restart", 0)),
    ),
    max_size=40,
)


@given(steps=STEPS, max_bytes=st.sampled_from([1, 45_000, 10_000_000]))
@settings(max_examples=40, deadline=None)
def test_pending_is_what_was_appended_less_what_was_marked_or_discarded(
    steps: list[tuple[str, int]], max_bytes: int
) -> None:
    appended, marked, discarded = set[int](), set[int](), 0
    with ExitStack() as opened:
        path = Path(opened.enter_context(tempfile.TemporaryDirectory())) / "j.db"
        journal = opened.enter_context(Journal(path, ["mqtt"], max_bytes=max_bytes))
        for step, number in steps:
            if step == "append":
                appended.add(journal.append(message()))
            elif step == "mark" and number in (pending := seqs(journal)):
                journal.mark("mqtt", number)
                marked.add(number)
                assert number in pending
            elif step == "restart":
                discarded += journal.discarded["mqtt"]
                journal.close()
                journal = opened.enter_context(Journal(path, ["mqtt"], max_bytes=max_bytes))
            left = seqs(journal)
            assert set(left) <= appended - marked
            assert len(left) == len(appended) - len(marked) - discarded - journal.discarded["mqtt"]
            assert left == sorted(left)


APPENDING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.messages import message
from sed.journal import Journal
journal = Journal(Path(sys.argv[1]), ["mqtt"])
while True:
    seq = journal.append(message())
    print(seq, flush=True)
    if seq % 3 == 0:
        journal.mark("mqtt", seq)
        print(-seq, flush=True)
"""


def test_what_was_appended_survives_kill_9(tmp_path: Path) -> None:
    """Whatever the killed process had reported as appended is there; what it had marked is not told again."""
    command = [sys.executable, "-c", APPENDING, str(tmp_path / "j.db"), str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    appended, marked = {n for n in said if n > 0}, {-n for n in said if n < 0}
    with Journal(tmp_path / "j.db", ["mqtt"]) as journal:
        rows, pending = {row.seq for row in journal.rows(limit=10_000)}, set(seqs(journal, limit=10_000))
        assert appended <= rows
        assert len(rows - appended) <= 1  # appended, and killed before it could say so
        assert not pending & marked
        assert pending >= appended - marked - {max(appended)}
        assert journal.append(message()) == max(rows) + 1


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    told = rf"j.db: another earwitness uses it \(process {os.getpid()}\); stop that"
    with Journal(tmp_path / "j.db"), pytest.raises(SinkError, match=told):
        Journal(tmp_path / "j.db")
    Journal(tmp_path / "j.db").close()


def test_a_held_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sed.database._BUSY_SECONDS", 0.05)
    with Journal(tmp_path / "j.db") as journal, closing(sqlite3.connect(tmp_path / "j.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SinkError, match="database is locked; another program holds it; stop that one"):
            journal.append(message())
        other.rollback()
        assert journal.append(message()) == 1


def aside(folder: Path) -> Path:
    """The one damaged file that was moved away."""
    (found,) = folder.glob("j.db.corrupt-????????T??????Z")
    return found


def test_rubbish_is_moved_aside_and_a_new_journal_begun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "j.db").write_bytes(b"rubbish" * 1_000)
    with Journal(tmp_path / "j.db") as journal:
        assert journal.append(message()) == 1
    assert aside(tmp_path).read_bytes() == b"rubbish" * 1_000
    (line,) = caplog.messages
    assert line == (
        f"journal {tmp_path}/j.db: file is not a database: it is damaged, and now {aside(tmp_path).name}; "
        "a new one is begun, what was not told is lost; check disk and power supply"
    )


def test_a_journal_damaged_while_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path, ["mqtt"]) as journal:
        for _ in range(50):
            journal.append(message())
    damaged = path.read_bytes()[:4_096] + b"\xff" * (path.stat().st_size - 4_096)
    path.write_bytes(damaged)
    with Journal(path, ["mqtt"]) as journal:
        assert journal.rows() == []
        journal.append(message())
        assert len(journal.rows()) == journal.undelivered("mqtt") == 1
    assert aside(tmp_path).read_bytes() == damaged


def test_a_journal_damaged_while_it_is_open_goes_on_in_a_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its numbers go on, so that those who follow it miss nothing; what it had not told is counted."""
    path = tmp_path / "j.db"
    with Journal(path, ["mqtt"]) as journal:
        for _ in range(50):
            journal.append(message())
        journal.mark("mqtt", 1, 2, 3)
        damage(journal)
        assert [journal.append(message()) for _ in range(3)] == [51, 52, 53]
        assert seqs(journal) == [row.seq for row in journal.rows()] == [51, 52, 53]
        assert journal.last == 53
        assert journal.discarded == {"mqtt": 47}
    aside(tmp_path)
    assert "discarded 47 messages that mqtt had not told: they were in the damaged file" in caplog.text


def test_a_disk_that_spoils_everything_is_not_filled_with_journals(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path, ["mqtt"]) as journal:
        for _ in range(50):
            journal.append(message())
        damage(journal)
        journal.append(message())
        damage(journal)
        with pytest.raises(SinkError, match=r"malformed|not a database"):
            journal.append(message())
    aside(tmp_path)


def damage(journal: Journal) -> None:
    """Overwrite all pages, and let SQLite forget what it knows of them."""
    for part in (journal.path, journal.path.with_name(f"{journal.path.name}-wal")):
        with part.open("r+b") as file:
            file.write(b"\xff" * part.stat().st_size)
    journal._file.read("PRAGMA shrink_memory")


def test_a_message_that_was_damaged_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path, ["mqtt"]) as journal:
        journal.append(message())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE event SET message = substr(message, 1, 40)")
    with Journal(path, ["mqtt"]) as journal:
        assert journal.pending("mqtt") == []
        assert journal.discarded == {"mqtt": 1}


@given(st.lists(st.tuples(st.integers(0, 2**31), st.binary(min_size=1, max_size=300)), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_to_the_file_it_goes_on(written: Path, damages: list[tuple[int, bytes]]) -> None:
    """Fuzzing: no damage ends in anything but a journal that takes messages and hands them over."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.db"
        content = bytearray(written.read_bytes())
        for place, junk in damages:
            at = place % len(content)
            content[at : at + len(junk)] = junk
        content[60:64] = written.read_bytes()[60:64]  # the version: from a newer one we keep our hands
        path.write_bytes(content)
        with Journal(path, ["mqtt"]) as journal:
            journal.close_abandoned()
            journal.rows()
            journal.append(message())
            journal.mark("mqtt", *[row.seq for row in journal.pending("mqtt", limit=1_000)][:-1])
            journal.undelivered("mqtt")
            sent = message()
            journal.append(sent)
            assert sent in [row.message for row in journal.pending("mqtt", limit=1_000)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with messages told and untold, and events that have not ended."""
    path = tmp_path_factory.mktemp("written") / "j.db"
    with Journal(path, ["mqtt"], max_age=1e9) as journal:
        for n in range(60):
            journal.append(message(name=f"{n // 2:026}", phase="end" if n % 2 else "start"))
        journal.append(message())
        journal.mark("mqtt", *range(1, 30))
    return path


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "j.db")) as db:
        db.execute("PRAGMA user_version = 7")
    with pytest.raises(SinkError, match=r"written by a newer earwitness \(version 7, this one knows 2\); upgrade"):
        Journal(tmp_path / "j.db")


def test_a_version_that_there_never_was_is_damage(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    content = bytearray(written.read_bytes())
    content[60] = 0x80  # the first byte of the version: version 2 becomes -2,147,483,646
    path.write_bytes(content)
    with Journal(path, ["mqtt"]) as journal:
        journal.append(message())
        assert len(journal.pending("mqtt")) == 1
    (aside,) = tmp_path.glob("j.db.corrupt-*")
    assert aside.read_bytes() == content


def test_another_programs_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "j.db")) as db:
        db.execute("CREATE TABLE event (id)")
    before = (tmp_path / "j.db").read_bytes()
    with pytest.raises(SinkError, match=r"a database of another program; set another journal\.path"):
        Journal(tmp_path / "j.db")
    assert (tmp_path / "j.db").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=r"file/j.db: (not a directory|file exists); make its folder writable"):
        Journal(tmp_path / "file" / "j.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(0o500)
    with pytest.raises(SinkError, match="permission denied; make its folder writable"):
        Journal(tmp_path / "locked" / "j.db")


def test_a_full_disk_is_told_and_the_journal_goes_on_when_there_is_space(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db", ["mqtt"]) as journal:
        journal.append(message())
        with journal._file.write(durable=False) as db:  # a disk that is full at this size
            (pages,) = db.execute("PRAGMA page_count").fetchone()
        journal._file.read(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SinkError, match="database or disk is full; free some space there"):
            [journal.append(message()) for _ in range(100)]
        kept = journal.last
        journal._file.read("PRAGMA max_page_count = 100000")
        assert journal.append(message()) == kept + 1
        assert seqs(journal) == list(range(1, kept + 2))
