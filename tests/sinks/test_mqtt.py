"""What a receiver of another make hears from the MQTT sink: topics, payloads, retained flags, order, speed."""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sed.config import MqttConfig
from sed.errors import ConfigError, SinkError
from sed.journal import Journal, SourceState
from sed.message import event_schema
from sed.signals import FLOOR_DBFS
from sed.sinks import follower, mqtt
from sed.sinks.follower import IDLE_SECONDS
from sed.sinks.mqtt import NAME, MqttSink
from sed.sinks.topics import topic_level
from sed.watch import Subscriber
from tests.broker import PATIENCE_SECONDS, Broker, Heard, Listener, eventually
from tests.messages import message

HEARING = SourceState("yard", "hearing", -43.21, 0, "earwitness-1")
LABELS = ["glass_break", "siren"]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", [NAME]) as opened:
        yield opened


@pytest.fixture
def listener(broker: Broker, tmp_path: Path) -> Iterator[Listener]:
    with Listener(broker, tmp_path) as listening:
        yield listening


def connect(journal: Journal, broker: Broker, protocol: str = "5") -> MqttSink:
    sink = MqttSink(journal, broker.mqtt(protocol=protocol), "gate", ["yard"], LABELS)
    sink.wait_connected(PATIENCE_SECONDS)
    return sink


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_everything_in_its_topic(
    journal: Journal, broker: Broker, listener: Listener, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "LEVEL_SECONDS", 3600.0)  # one level
    start = message(name="01JD0000000000000000000000")
    end = message("end", name="01JD0000000000000000000000")
    journal.report(HEARING)
    with connect(journal, broker, protocol) as sink:
        eventually(lambda: listener.heard("/state"))
        journal.append(start)
        eventually(lambda: listener.heard("siren")[-1].payload == "ON")
        journal.append(end)
        assert sink.drain(PATIENCE_SECONDS) == 0
        assert sink.connected
    assert not sink.connected
    eventually(lambda: listener.heard()[-1].payload == "offline")
    told = [heard for heard in listener.heard() if not heard.topic.endswith("event")]
    hearing, stopped = (
        f'{{"state": "{state}", "dropped_samples": 0, "model": "earwitness-1"}}' for state in ("hearing", "stopped")
    )
    assert told == [
        Heard("earwitness/gate/availability", "online", 1, True),
        Heard("earwitness/gate/yard/glass_break", "OFF", 1, True),
        Heard("earwitness/gate/yard/siren", "OFF", 1, True),
        Heard("earwitness/gate/yard/level", "-43.2", 0, False),
        Heard("earwitness/gate/yard/state", hearing, 1, True),
        Heard("earwitness/gate/yard/siren", "ON", 1, True),
        Heard("earwitness/gate/yard/siren", "OFF", 1, True),
        Heard("earwitness/gate/yard/state", stopped, 1, True),
        Heard("earwitness/gate/availability", "offline", 1, True),
    ]
    events = listener.heard("event")
    assert [event.json() for event in events] == [start, end]
    assert {(event.topic, event.qos, event.retain) for event in events} == {("earwitness/gate/yard/event", 1, False)}
    for event in events:
        jsonschema.Draft202012Validator(event_schema()).validate(event.json())


def test_events_arrive_in_order(journal: Journal, broker: Broker, listener: Listener) -> None:
    with connect(journal, broker) as sink:
        sent = [message(name=f"{number:026}") for number in range(200)]
        for each in sent:
            journal.append(each)
        assert sink.drain(PATIENCE_SECONDS) == 0
    eventually(lambda: len(listener.heard("event")) == 200)
    assert [event.json() for event in listener.heard("event")] == sent


def test_a_broker_with_a_small_window_is_not_overrun(journal: Journal, tmp_path: Path) -> None:
    with Broker(tmp_path, extra="max_inflight_messages 1") as broker, Listener(broker, tmp_path) as listener:
        with connect(journal, broker) as sink:
            sent = [journal.append(message()) for _ in range(50)]
            assert sink.drain(PATIENCE_SECONDS) == 0
        eventually(lambda: len(listener.heard("event")) == len(sent))
        assert "exceeded" not in broker.log()


def test_an_event_is_told_at_once(journal: Journal, broker: Broker) -> None:
    config = broker.mqtt()
    delays = []
    with connect(journal, broker), Subscriber(config, ["earwitness/gate/yard/event"]) as subscriber:
        subscriber.wait_connected(PATIENCE_SECONDS)
        for _ in range(30):
            journal.append(message())
            appended = time.time()
            delays.append(next(subscriber.messages(PATIENCE_SECONDS)).at.timestamp() - appended)
    assert statistics.median(delays) < IDLE_SECONDS / 5  # woken, not polled


def test_levels_are_told_again_and_again_and_silence_is_the_floor(
    journal: Journal, broker: Broker, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "LEVEL_SECONDS", 0.1)
    with connect(journal, broker):
        journal.report(SourceState("yard", "hearing", -0.04, 0, "m"))
        eventually(lambda: listener.heard("level"))
        journal.report(SourceState("yard", "silent", FLOOR_DBFS, 0, "m"))
        eventually(lambda: [heard.payload for heard in listener.heard("level")][-2:] == ["-120.0"] * 2)
        journal.report(SourceState("yard", "lost", FLOOR_DBFS, 0, "m"))
        eventually(lambda: "lost" in listener.heard("state")[-1].payload)
        told = len(listener.heard("level"))
        time.sleep(0.3)
        assert len(listener.heard("level")) == told  # who hears nothing has no level
    assert {(heard.qos, heard.retain) for heard in listener.heard("level")} == {(0, False)}
    assert {heard.payload for heard in listener.heard("level")} == {"0.0", "-120.0"}


def test_states_are_told_when_they_change(
    journal: Journal, broker: Broker, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "LEVEL_SECONDS", 0.2)
    with connect(journal, broker):
        journal.report(HEARING)
        eventually(lambda: len(listener.heard("state")) == 1)
        journal.report(SourceState("yard", "hearing", -10.0, 0, "earwitness-1"))  # a level is no news
        journal.report(SourceState("yard", "silent", -120.0, 0, "earwitness-1"))
        eventually(lambda: len(listener.heard("state")) == 2)
        journal.report(SourceState("yard", "silent", -120.0, 160, "earwitness-1"))  # waits for the next level
        eventually(lambda: len(listener.heard("state")) == 3)
    told = [heard.json() for heard in listener.heard("state")[:3]]
    assert [(state["state"], state["dropped_samples"]) for state in told] == [
        ("hearing", 0),
        ("silent", 0),
        ("silent", 160),
    ]


def test_an_open_event_is_on_at_connect_and_off_at_the_close(
    journal: Journal, broker: Broker, listener: Listener
) -> None:
    journal.append(message(name="A"))
    with connect(journal, broker) as sink:
        assert sink.drain(PATIENCE_SECONDS) == 0
        eventually(lambda: len(listener.heard("siren")) == 1)
    eventually(lambda: [heard.payload for heard in listener.heard("siren")] == ["ON", "OFF"])
    assert [event["id"] for event in journal.open_events()] == ["A"]


def test_what_happened_before_the_connect_switches_nothing(
    journal: Journal, broker: Broker, listener: Listener
) -> None:
    for _ in range(3):
        name = f"{journal.last:026}"
        journal.append(message(name=name))
        journal.append(message("end", name=name))
    with connect(journal, broker) as sink:
        assert sink.drain(PATIENCE_SECONDS) == 0
    eventually(lambda: listener.heard("availability")[-1].payload == "offline")
    assert [event.json()["phase"] for event in listener.heard("event")] == ["start", "end"] * 3
    assert [heard.payload for heard in listener.heard("siren")] == ["OFF"]


def test_a_backlog_is_told_gently(journal: Journal, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "CATCH_UP_SECONDS", 0.1)
    for _ in range(35):  # 4 batches
        journal.append(message())
    with connect(journal, broker) as sink:
        began = time.monotonic()
        assert sink.drain(PATIENCE_SECONDS) == 0
    assert time.monotonic() - began > 0.25


def test_what_has_waited_too_long_is_told_as_late(
    journal: Journal, broker: Broker, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = time.time() - 6.0
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: earlier)
        journal.append(message(name="A"))
    journal.append(message(name="B"))
    with MqttSink(journal, broker.mqtt(max_age=5.0), "gate") as sink:
        sink.wait_connected(PATIENCE_SECONDS)
        assert sink.drain(PATIENCE_SECONDS) == 0
    eventually(lambda: listener.heard("availability")[-1].payload == "offline")
    assert [(event.json()["id"], event.json().get("late")) for event in listener.heard("event")] == [
        ("A", True),
        ("B", None),
    ]
    assert not journal.discarded


def test_labels_become_levels_of_a_topic(journal: Journal, broker: Broker, listener: Listener) -> None:
    assert [topic_level(label) for label in ("bell/door #1+", "state")] == ["bell_door__1_", "state_"]
    with MqttSink(journal, broker.mqtt(prefix="home", protocol="3.1.1"), "gate", ["yard"], ["bell/door #1+"]) as sink:
        sink.wait_connected(PATIENCE_SECONDS)
        eventually(lambda: listener.heard("home/gate/yard/bell_door__1_"))


@pytest.mark.parametrize(
    ("node", "source", "line"), [("a/b", "yard", "node: .* got 'a/b'"), ("a", "", "source: .* got ''")]
)
def test_names_that_cannot_be_topics(journal: Journal, node: str, source: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        MqttSink(journal, MqttConfig(url="mqtt://127.0.0.1:1"), node, [source])


def test_a_journal_that_fails_for_a_while_costs_nothing(
    journal: Journal, broker: Broker, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disk full at the worst moments: at the connect, and when confirmations are to be marked."""
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0.02)
    refused = {"open_events": 2, "mark": 2}

    def failing(name: str) -> Callable[..., Any]:
        real = getattr(journal, name)

        def fail_first(*arguments: Any) -> Any:
            refused[name] -= 1
            if refused[name] >= 0:
                raise SinkError(f"{name}: disk full")
            return real(*arguments)

        return fail_first

    for name in refused:
        monkeypatch.setattr(journal, name, failing(name))
    with connect(journal, broker) as sink:
        for _ in range(5):
            journal.append(message())
        assert sink.drain(PATIENCE_SECONDS) == 0
    eventually(lambda: [heard.payload for heard in listener.heard("availability")] == ["online", "offline"])
    assert len(listener.heard("event")) == 5


def test_closing_ends_its_threads_even_if_the_journal_fails(
    journal: Journal, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = connect(journal, broker)
    journal.close()
    with pytest.raises(SinkError, match="closed database"):
        sink.close()
    assert not sink.connected
