"""One collector between a real broker and a real database."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Table, func, select, text, update

from sed.config import FleetConfig
from sed.errors import ConfigError
from sed.fleet.collector import Collector
from sed.fleet.schema import box, event, refusal, source
from sed.fleet.store import Store
from sed.message import Message
from sed.values import DATABASE_PASSWORD_VARIABLE
from tests.broker import Broker, certificates, eventually
from tests.fleet.collecting import SECONDS, ended, now, pair, rows, send
from tests.fleet.conftest import Place


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setattr("sed.fleet.presence.PATIENCE_SECONDS", 0.1)
    if place.password:
        monkeypatch.setenv(DATABASE_PASSWORD_VARIABLE, place.password)


def client_id(settings: FleetConfig) -> str:
    return f"earwitness-collect-{settings.name}" + (f"-in-{settings.group}" if settings.group else "")


def acknowledged(broker: Broker, name: str) -> int:
    return broker.log().count(f"Received PUBACK from earwitness-collect-{name} ")


@contextlib.contextmanager
def collecting(broker: Broker, place: Place, mqtt: Any = None, **fleet: Any) -> Iterator[Collector]:
    """A collector in a thread, ready."""
    ready = threading.Event()
    settings = FleetConfig(database=place.url, **{"name": "a", "group": "collectors", **fleet})
    collector = Collector(mqtt or broker.mqtt(), settings, ready.set)
    thread = threading.Thread(target=collector.run, name="collector")
    thread.start()
    try:
        assert ready.wait(SECONDS)
        eventually(lambda: subscribed(broker, settings), SECONDS)
        yield collector
    finally:
        collector.stop()
        thread.join(SECONDS)


def subscribed(broker: Broker, settings: FleetConfig) -> bool:
    """Whether it is there now: its last word in the broker's log is not a farewell."""
    whole = re.compile(re.escape(client_id(settings)) + r"(?![\w-])")
    said = [line for line in broker.log().splitlines() if whole.search(line)]
    here = [i for i, line in enumerate(said) if "Sending SUBACK" in line]
    gone = [i for i, line in enumerate(said) if "disconnected" in line or "closed its connection" in line]
    return bool(here) and here[-1] > max(gone, default=-1)


@contextlib.contextmanager
def chatter(broker: Broker) -> Iterator[None]:
    """A box that tells its level all the time."""
    over = threading.Event()

    def talk() -> None:
        while not over.wait(0.2):
            broker.publish("earwitness/gate/yard/level", b"-40.0")

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def broker(tmp_path: Any) -> Iterator[Broker]:
    with Broker(tmp_path, extra="log_type all") as running:
        yield running


def table(store: Store, which: Table) -> list[Any]:
    with store.engine.connect() as connection:
        return list(connection.execute(select(which).order_by(*which.primary_key)))


def test_disorder_makes_one_row_an_event(broker: Broker, place: Place, store: Store) -> None:
    """Each message five times, in any order; boxes whose clocks are a day ahead and a day behind."""
    shifts = {"gate": timedelta(), "hall": timedelta(days=1), "yard": timedelta(days=-1)}
    pairs = [
        pair(node, detected_at=now(shift), onset=now(shift), offset=None, duration=None)
        for node, shift in shifts.items()
    ]
    pairs = [
        (start, {**end, "offset": now(shifts[str(end["node"])] + timedelta(seconds=3)), "duration": 3.0})
        for start, end in pairs
    ]
    messages: list[Message] = [message for both in pairs for message in both] * 5
    Random(7).shuffle(messages)
    with collecting(broker, place):
        send(broker, messages)
        eventually(lambda: len(ended(store)) == 3, SECONDS)
        eventually(lambda: all(row.clock_offset is not None for row in table(store, box)), SECONDS)
    found = rows(store)
    assert set(found) == {str(start["id"]) for start, _ in pairs}
    for _, end in pairs:
        row = found[str(end["id"])]
        assert (row.node, row.score, row.duration, row.late) == (end["node"], 0.95, 3.0, False)
        assert row.ended_at >= row.received_at
    offsets = {row.node: row.clock_offset for row in table(store, box)}
    assert offsets == {node: pytest.approx(shift.total_seconds(), abs=SECONDS) for node, shift in shifts.items()}


def test_boxes_and_sources(broker: Broker, place: Place, store: Store) -> None:
    kept = {"state": "hearing", "dropped_samples": 0, "model": "earwitness-1"}
    broker.publish("earwitness/gate/availability", b"online", retain=True)
    broker.publish("earwitness/gate/yard/state", json.dumps(kept).encode(), retain=True)
    with collecting(broker, place):
        eventually(lambda: table(store, source) and table(store, box), SECONDS)
        (at_gate,), (yard,) = table(store, box), table(store, source)
        assert (at_gate.node, at_gate.available, at_gate.last_seen) == ("gate", True, None)  # it may be long gone
        assert (yard.state, yard.dropped_samples, yard.model, yard.last_seen) == ("hearing", 0, "earwitness-1", None)
        broker.publish("earwitness/gate/yard/level", b"-41.5")
        broker.publish(
            "earwitness/gate/yard/state", json.dumps({**kept, "state": "lost", "dropped_samples": 9}).encode()
        )
        broker.publish("earwitness/gate/availability", b"offline", retain=True)
        broker.publish("earwitness/gate/hut/state", b"", retain=True)  # somebody tidies up
        eventually(lambda: table(store, source)[0].level_dbfs is not None, SECONDS)
        eventually(lambda: table(store, source)[0].state == "lost", SECONDS)
        eventually(lambda: table(store, box)[0].available is False, SECONDS)
    (at_gate,), (yard,) = table(store, box), table(store, source)
    assert (yard.level_dbfs, yard.dropped_samples) == (-41.5, 9)
    assert yard.state_since <= yard.last_seen <= at_gate.available_since <= at_gate.last_seen
    assert table(store, refusal) == []


def test_rubbish_is_counted_and_stops_nobody(broker: Broker, place: Place, store: Store) -> None:
    start, end = pair()
    with collecting(broker, place):
        broker.publish(
            "earwitness/bad/yard/event", b"\xff", b"{}", b'{"schema": "earwitness.event/9"}', b"[1]", b"x" * 20_000
        )
        broker.publish(
            "earwitness/gate/yard/event",
            b'{"schema": "earwitness.event/1"}',
            json.dumps({**start, "label": "a\0b"}).encode(),
        )
        broker.publish("earwitness/gate/yard/level", b"loud")
        broker.publish("earwitness/gate/availability", b"\x01")
        send(broker, [start, end])
        broker.publish("earwitness/hall/yard/event", json.dumps(start).encode())  # another's, on its topic
        eventually(lambda: len(table(store, refusal)) == 9 and ended(store), SECONDS)
    counted = {(row.node, row.reason): (row.count, row.example) for row in table(store, refusal)}
    assert counted == {
        ("bad", "not JSON"): (1, "\N{REPLACEMENT CHARACTER}"),
        ("bad", "schema: not earwitness.event/1"): (2, '{"schema": "earwitness.event/9"}'),
        ("bad", "not a JSON object"): (1, "[1]"),
        ("bad", "too large"): (1, "x" * 200),
        ("gate", "id: missing"): (1, '{"schema": "earwitness.event/1"}'),
        ("gate", "label: wrong"): (1, json.dumps({**start, "label": "a\0b"})[:200]),
        ("gate", "level: not a number of dBFS"): (1, "loud"),
        ("gate", "availability: neither online nor offline"): (1, "\N{REPLACEMENT CHARACTER}"),
        ("hall", "node or source are not those of the topic"): (1, json.dumps(start)[:200]),
    }
    assert set(rows(store)) == {start["id"]}


def test_what_only_the_database_refuses_is_counted(broker: Broker, place: Place, store: Store) -> None:
    """A rule that somebody has added to the table; the others of the same batch are committed."""
    if store.engine.dialect.name == "sqlite":
        rule = "CREATE TRIGGER rule BEFORE INSERT ON event WHEN NEW.label = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
    else:
        rule = "ALTER TABLE event ADD CHECK (label <> 'bad')"
    with store.engine.begin() as connection:
        connection.execute(text(rule))
    good = [pair()[0] for _ in range(5)]
    with collecting(broker, place):
        send(broker, [good[0], pair(label="bad")[0], *good[1:]])
        eventually(lambda: table(store, refusal), SECONDS)
    assert set(rows(store)) == {start["id"] for start in good}
    assert [(row.node, row.reason, row.count) for row in table(store, refusal)] == [
        ("gate", "the database refuses it", 1)
    ]


def test_two_share_the_load(broker: Broker, place: Place, store: Store) -> None:
    starts = [pair(node)[0] for node in ("gate", "hall") for _ in range(50)]
    with collecting(broker, place, name="a"), collecting(broker, place, name="b"):
        send(broker, starts)
        eventually(lambda: len(rows(store)) == 100, SECONDS)
    assert set(rows(store)) == {start["id"] for start in starts}
    for name in ("a", "b"):
        sent = [
            line
            for line in broker.log().splitlines()
            if f"Sending PUBLISH to earwitness-collect-{name}-in-collectors " in line
        ]
        assert sum("/event'" in line for line in sent) == 50  # Mosquitto takes turns


def test_without_a_group_each_hears_all(broker: Broker, place: Place, store: Store) -> None:
    starts = [pair()[0] for _ in range(20)]
    with collecting(broker, place, name="a", group=None), collecting(broker, place, name="b", group=None):
        send(broker, starts)
        eventually(lambda: len(rows(store)) == 20, SECONDS)
        eventually(lambda: min(acknowledged(broker, name) for name in ("a", "b")) >= 20, SECONDS)
    assert set(rows(store)) == {start["id"] for start in starts}


def test_another_group_has_them_all(
    broker: Broker, place: Place, store: Store, tmp_path: Any, monkeypatch: Any
) -> None:
    other = Place(f"sqlite:///{tmp_path}/other.db")
    start, end = pair()
    with collecting(broker, place), collecting(broker, other, name="b", group="others"), other.open() as second:
        send(broker, [start, end])
        eventually(lambda: ended(store) and ended(second), SECONDS)


def test_what_is_too_old_is_deleted(
    broker: Broker, place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its receipt, not by what a box takes for the time; in portions, between batches."""
    monkeypatch.setattr("sed.fleet.collector.FORGET_ROWS", 3)
    old, new = [pair()[0] for _ in range(10)], [pair(onset="1970-01-01T00:00:00.000Z")[0]]
    with collecting(broker, place):
        send(broker, [*old, *new])
        eventually(lambda: len(rows(store)) == 11, SECONDS)
    then = rows(store)[str(old[0]["id"])].received_at - timedelta(days=8)
    with store.engine.begin() as connection:
        connection.execute(update(event).where(event.c.id.in_([start["id"] for start in old])).values(received_at=then))
    with collecting(broker, place, keep="7d"):
        eventually(lambda: set(rows(store)) == {new[0]["id"]}, SECONDS)


def test_a_minute_in_a_line(
    broker: Broker, place: Place, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sed.fleet.tally.MINUTE", 1.0)
    caplog.set_level("INFO")
    with collecting(broker, place):
        send(broker, pair())
        broker.publish("earwitness/bad/yard/event", b"siren!")
        eventually(lambda: "refused" in caplog.text, SECONDS)
    text = " ".join(caplog.messages)
    assert "messages of events in 1 s (" in text
    assert "95 % of them committed within 0." in text
    assert "1 messages refused, of them 1 of bad: not JSON" in text


def test_encrypted_and_with_a_password(
    tmp_path: Any, place: Place, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    paths = certificates(tmp_path)
    with Broker(tmp_path, users={"collector": "ge:heim"}, tls=paths, extra="log_type all") as broker:
        mqtt = broker.mqtt("collector", password="ge:heim", ca_file=paths["ca"])
        with collecting(broker, place, mqtt=mqtt):
            pass
    assert "ge:heim" not in caplog.text


def test_an_older_protocol_has_no_such_sessions(broker: Broker, place: Place) -> None:
    with pytest.raises(ConfigError, match=r'^mqtt.protocol: should be "5" to collect'):
        Collector(broker.mqtt(protocol="3.1.1"), FleetConfig(database=place.url)).run()


def test_a_newer_database_ends_it(broker: Broker, place: Place, store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer earwitness"):
        Collector(broker.mqtt(), FleetConfig(database=place.url)).run()


def test_who_leaves_takes_its_share_along(broker: Broker, place: Place, store: Store) -> None:
    with collecting(broker, place, name="a"), collecting(broker, place, name="b"):
        pass
    first, second = [pair()[0] for _ in range(40)], [pair()[0] for _ in range(40)]
    send(broker, first)
    settings = FleetConfig(database=place.url, name="b", group="collectors")
    with chatter(broker):  # what it has asked for goes on
        Collector(broker.mqtt(), settings).run(leaving=True)
    assert len(rows(store)) == 20  # the others wait for a
    send(broker, second)
    with collecting(broker, place, name="a"):
        eventually(lambda: len(rows(store)) == 80, SECONDS)


def test_what_came_meanwhile_waits(broker: Broker, place: Place, store: Store) -> None:
    """The session outlives the collector; the count says that nothing is delivered twice."""
    with collecting(broker, place):
        pass
    starts = [pair()[0] for _ in range(50)]
    send(broker, starts)
    with collecting(broker, place):
        eventually(lambda: len(rows(store)) == 50, SECONDS)
    with store.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(event)).scalar() == 50
