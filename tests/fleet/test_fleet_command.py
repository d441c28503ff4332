"""`earwitness fleet` as a user runs it, and what boxes told on the way to it."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import func, select, text

from benchmarks.boxes import Disorder, fleet, in_order
from benchmarks.fleet import compare
from benchmarks.senders import Senders, tell
from sed.fleet import schema
from sed.fleet.roll import BoxLine, Roll, SourceLine
from sed.fleet.store import Store
from sed.fleet.view import COLUMNS, ago, document, span, summary, table, verdict
from sed.values import DATABASE_PASSWORD_VARIABLE
from tests.broker import PATIENCE_SECONDS as SECONDS
from tests.broker import Broker, eventually
from tests.fleet.collecting import Collecting
from tests.fleet.conftest import Place
from tests.fleet.test_roll import box, events, put

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def command(place: Place, *options: object) -> list[str]:
    return [sys.executable, "-m", "sed", "fleet", "--database", place.url, *map(str, options)]


def environment(place: Place, **more: str) -> dict[str, str]:
    password = {DATABASE_PASSWORD_VARIABLE: place.password} if place.password else {}
    return dict(os.environ) | {"NO_COLOR": "1", "COLUMNS": "160", "TZ": "Asia/Kolkata"} | password | more


def earwitness_fleet(place: Place, *options: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(place, *options), capture_output=True, text=True, check=False, timeout=SECONDS,
        env=environment(place, **more),
    )  # fmt: skip


@pytest.fixture
def three(tmp_path: Path) -> Place:
    """One well, one lost, one silent; the roll is called on PostgreSQL elsewhere."""
    place = Place(f"sqlite:///{tmp_path}/fleet.db")
    now = datetime.now(UTC)
    with place.open() as store:
        box(store, "gate", now, "hearing", "hearing")
        box(store, "yard", now, "lost", clock_offset=86_401.5)
        box(store, "roof", now - timedelta(hours=3), "hearing")
        events(store, "gate", now, now - timedelta(seconds=1), source="b")
        refused = {"node": "yard", "reason": "not JSON", "day": now.date(), "count": 7}
        put(store, schema.refusal, {**refused, "last_at": now, "example": "?"})
    return place


def test_a_table_shows_trouble_first(three: Place) -> None:
    done = earwitness_fleet(three)
    assert done.returncode == 0, done.stderr
    title, head, *rows = done.stdout.splitlines()
    assert title.startswith("3 boxes: 1 silent, 1 deaf, 1 ok; last message ")
    assert head.split() == " ".join(COLUMNS).split()
    assert [row.split()[:3] for row in rows[:2]] == [["roof", "!", "silent"], ["yard", "!", "deaf"]]
    assert rows[0].split()[3:8] == ["3", "h", "ago", "a", "hearing"]
    assert rows[1].split()[-4:] == ["0", "0", "+1", "d", "7"][-4:]
    assert rows[2].startswith("gate")
    assert rows[3].split() == ["b", "hearing", rows[3].split()[-2], "2"]


def test_a_narrow_terminal_gets_what_matters_most() -> None:
    line = SourceLine("yard", 3, 4, state="hearing", level_dbfs=-40.0, model="earwitness-1")
    roll = Roll(NOW, (BoxLine("gate", "ok", (line,), last_seen=NOW),))
    whole = printed(roll, 200)
    natural = max(map(len, whole))
    assert whole[1].split() == " ".join(COLUMNS).split()
    assert printed(roll, natural)[1].split() == " ".join(COLUMNS).split()
    assert printed(roll, natural - 1)[1].split() == " ".join(COLUMNS[:-1]).split()
    assert [" ".join(row.split()) for row in printed(roll, 48)[-2:]] == [
        "box stands seen source state today",
        "gate ok 0 s ago yard hearing 3",
    ]


def printed(roll: Roll, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    console.print(table(roll, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_json_has_all_of_it(three: Place) -> None:
    done = earwitness_fleet(three, "--json", "--node", "y*", "--node", "gate")
    answer = json.loads(done.stdout)
    assert answer["counts"] == {"offline": 0, "silent": 0, "deaf": 1, "ok": 1}
    yard, gate = answer["boxes"]
    assert (yard["node"], yard["standing"], yard["clock_offset"], yard["refused"]) == ("yard", "deaf", 86_401.5, 7)
    assert yard["sources"][0]["state"] == "lost"
    assert [source["events_24h"] for source in gate["sources"]] == [0, 2]
    assert datetime.fromisoformat(gate["last_seen"]).tzinfo is not None


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        ([], 1, "; roof silent, yard deaf\n"),
        (["--node", "gate"], 0, "1 box: 1 ok; last message "),
        (["--node", "roof", "--silent-after", "4h"], 0, "1 box: 1 ok; last message 3 h ago\n"),
        (["--node", "nobody"], 1, "no box is known"),
    ],
)
def test_check_is_for_monitoring(three: Place, options: list[str], code: int, line: str) -> None:
    done = earwitness_fleet(three, "--check", *options)
    assert (done.returncode, done.stdout.count("\n")) == (code, 1)
    assert line in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--silent-after", "soon"], "--silent-after soon: need an age such as 90s or 5m"),
        (["--check", "--watch"], "--check is answered once"),
        (["--events", "--watch"], "--events are listed once"),
        (["--events", "--since", "soon"], "--since soon: need an age such as 12h"),
    ],
)
def test_wrong_use_is_told_in_a_line(tmp_path: Path, options: list[str], words: str) -> None:
    done = earwitness_fleet(Place(f"sqlite:///{tmp_path}/fleet.db"), *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    done = earwitness_fleet(Place(f"sqlite:///{tmp_path}/fleet.db"))
    assert done.returncode == 1
    assert "run 'earwitness collect' first" in done.stderr
    assert not list(tmp_path.iterdir())


def test_events_of_all_are_listed(three: Place) -> None:
    done = earwitness_fleet(three, "--events")
    head, *rows = done.stdout.splitlines()
    assert head.split() == "when box source label lasted s score dBFS id".split()  # noqa: SIM905 - as it is read
    assert [row.split()[2:6] for row in rows] == [["gate", "b", "siren", "goes"]] * 2
    assert rows == sorted(rows, reverse=True)


def test_events_can_be_asked_for_as_json(three: Place) -> None:
    done = earwitness_fleet(three, "--events", "--json", "--limit", 1, "--label", "siren", "--node", "g*")
    (line,) = done.stdout.splitlines()
    event = json.loads(line)
    assert set(event) == {column.name for column in schema.event.columns}
    assert (event["node"], event["ended_at"]) == ("gate", None)
    assert datetime.fromisoformat(event["onset"]).tzinfo is not None


def test_a_watch_goes_on_until_interrupted(three: Place) -> None:
    watch = command(three, "--watch", "--every", "0.2", "--json")
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True, env=environment(three)) as watching:
        assert watching.stdout is not None
        first, second = (json.loads(watching.stdout.readline()) for _ in range(2))
        watching.send_signal(signal.SIGINT)
        assert watching.wait(SECONDS) == 0
    assert first["at"] < second["at"]
    assert len(first["boxes"]) == 3


def test_a_watch_outlives_a_database_that_is_in_trouble(three: Place) -> None:
    watch = command(three, "--watch", "--every", "0.2", "--json")
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with three.open() as store, subprocess.Popen(watch, env=environment(three), **pipes) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        watching.stdout.readline()
        execute(store, "ALTER TABLE box RENAME TO gone")
        assert "no such table: box" in watching.stderr.readline()
        execute(store, "ALTER TABLE gone RENAME TO box")
        before = datetime.now(UTC).isoformat()
        while json.loads(watching.stdout.readline())["at"] < before:
            pass
        watching.send_signal(signal.SIGINT)
        assert watching.wait(SECONDS) == 0


def execute(store: Store, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_watch_fills_the_terminal_and_no_more(three: Place) -> None:
    ours, theirs = pty.openpty()
    small = environment(three, LINES="5", TERM="xterm")
    shown = b""
    with (
        os.fdopen(ours, "rb", buffering=0) as screen,
        os.fdopen(theirs, "wb") as terminal,
        subprocess.Popen(command(three, "--watch"), stdin=terminal, stdout=terminal, env=small) as watching,
    ):
        while b"yard" not in shown:
            shown += screen.read(1_000)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(SECONDS) == 0
    assert b"; 2 rows more" in shown
    assert b"roof" in shown
    assert b"gate" not in shown


def source(**told: Any) -> SourceLine:
    return SourceLine("yard", 0, 0, **told)


def test_a_hostile_name_does_not_steer_the_terminal() -> None:
    roll = Roll(NOW, (BoxLine("\x1b[2Jgate", "silent", (source(state="hearing"),)),))
    assert "\x1b" not in verdict(roll)


def test_a_verdict_names_a_few() -> None:
    roll = Roll(NOW, tuple(BoxLine(f"box-{n}", "silent", ()) for n in range(8)))
    assert verdict(roll).endswith("; box-0 silent, box-1 silent, box-2 silent, box-3 silent, box-4 silent, and 3 more")
    assert summary(roll) == "8 boxes: 8 silent; last message never"


def test_a_document_is_json() -> None:
    roll = Roll(NOW, (BoxLine("gate", "ok", (source(level_at=NOW),), last_seen=NOW),))
    (gate,) = json.loads(json.dumps(document(roll)))["boxes"]
    assert gate["last_seen"] == gate["sources"][0]["level_at"] == "2026-11-20T12:00:00.000Z"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_199, "1 h"), (-1e5, "1 d"), (1e7, "115 d")],
)
def test_spans_have_one_unit(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_what_is_ahead_was_seen_just_now() -> None:
    assert ago(NOW + timedelta(seconds=5), NOW) == "0 s ago"
    assert ago(None, NOW) == "never"


def test_what_boxes_tell_in_disorder_is_collected_as_it_was_told(place: Place, tmp_path: Path) -> None:
    """The benchmark in small: nothing lost, nothing twice, each row as it was told, the fleet as it stands."""
    rough = Disorder(rubbish=0.1, swapped=0.1, again=0.1, unended=0.05, abandoned=0.05, late=0.05, wrong_clock=0.2)
    boxes = fleet(20, 1, datetime.now(UTC), 15.0, rough)
    happenings = [happening for each in boxes for happening in each.happenings()]
    ends = sum(happening.row["phase"] == "end" for happening in happenings)
    rubbish = sum(sending.is_rubbish for happening in happenings for sending in happening.sendings)
    with (
        Broker(tmp_path, extra="max_queued_messages 0") as broker,
        Collecting(tmp_path, broker, place) as one,
        Collecting(tmp_path, broker, place, "b") as other,
    ):
        eventually(lambda: one.said("connected") and other.said("connected"), SECONDS)
        with Senders(broker.mqtt(), boxes, 4) as senders:
            tell(in_order(boxes), senders, speed=None)
            assert senders.drain(SECONDS) == 0
        with place.open() as store:
            told = select(func.count(schema.event.c.ended_at))
            refused = select(func.coalesce(func.sum(schema.refusal.c.count), 0))
            eventually(lambda: (number(store, told), number(store, refused)) == (ends, rubbish), SECONDS)
            eventually(lambda: number(store, select(func.count()).select_from(schema.source)) == 22, SECONDS)
            eventually(lambda: number(store, select(func.count(schema.box.c.clock_offset))) == 20, SECONDS)
            found = compare(boxes, store)
            spoil(store, *(str(happening.row["id"]) for happening in happenings[:3]))
            spoilt = compare(boxes, store)
    assert (found.events, found.faults) == (len(happenings), 0), found
    assert (spoilt.lost, spoilt.strange, dict(spoilt.wrong)) == (2, 1, {"score": 1})
    answer = json.loads(earwitness_fleet(place, "--json").stdout)
    assert len(answer["boxes"]) == 20
    off = {each["node"] for each in answer["boxes"] if abs(each["clock_offset"]) > 40_000}
    assert off == {each.node for each in boxes if each.clock_error}


def spoil(store: Store, lost: str, strange: str, wrong: str) -> None:
    """What a comparison has to find."""
    execute(store, f"DELETE FROM event WHERE id = '{lost}'")  # noqa: S608
    execute(store, f"UPDATE event SET id = 'nobody' WHERE id = '{strange}'")  # noqa: S608
    execute(store, f"UPDATE event SET score = 0.123 WHERE id = '{wrong}'")  # noqa: S608


def number(store: Store, query: Any) -> int:
    with store.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
