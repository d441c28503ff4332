"""What a person sees of the alerts, and what a program gets."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.publish import single

from sed.config import MqttConfig
from sed.errors import ConfigError, SinkError
from sed.journal import Journal, SourceState
from sed.sinks import connection
from sed.sinks.mqtt import NAME, MqttSink
from sed.watch import Subscriber, watch
from tests.broker import PATIENCE_SECONDS, Broker, eventually
from tests.messages import message

STATE = '{"state": "%s", "dropped_samples": 0, "model": "m"}'


@pytest.fixture(autouse=True)
def here_and_now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    monkeypatch.setattr(connection, "FIRST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(connection, "LONGEST_RETRY_SECONDS", 0.2)
    yield
    monkeypatch.undo()
    time.tzset()


@contextmanager
def watching(config: MqttConfig, count: int, node: str = "+", as_json: bool = False) -> Iterator[io.StringIO]:
    """Watch in the background until `count` events were shown."""
    out = io.StringIO()
    thread = threading.Thread(target=lambda: watch(config, node, count=count, as_json=as_json, out=out))
    thread.start()
    yield out
    thread.join(10.0)
    assert not thread.is_alive()


def publish(broker: Broker, topic: str, payload: str | bytes, retain: bool = False) -> None:
    single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=broker.port)


def tell(broker: Broker, **changes: str) -> None:
    publish(broker, "earwitness/gate/yard/event", json.dumps(message(**changes)))  # type: ignore[arg-type]


def subscribed(broker: Broker) -> bool:
    return "SUBSCRIBE" in broker.log()


@pytest.fixture
def talkative(tmp_path: Path) -> Iterator[Broker]:
    """A broker whose log says when somebody has subscribed."""
    with Broker(tmp_path, extra="log_type all") as broker:
        yield broker


def test_alerts_for_people(talkative: Broker) -> None:
    publish(talkative, "earwitness/gate/availability", "online", retain=True)
    publish(talkative, "earwitness/hall/availability", "offline", retain=True)
    publish(talkative, "earwitness/gate/yard/state", STATE % "hearing", retain=True)
    with watching(talkative.mqtt(), count=3) as out:
        eventually(lambda: "hall" in out.getvalue())
        tell(talkative)
        tell(talkative, phase="end")
        for state in ("lost", "lost", "hearing"):
            publish(talkative, "earwitness/gate/yard/state", STATE % state)
        publish(talkative, "earwitness/gate/availability", "offline")
        publish(talkative, "earwitness/gate/availability", "online")
        tell(talkative, phase="end", duration=None, offset=None)  # type: ignore[arg-type]
    lines = out.getvalue().splitlines()
    assert lines[1] == "2026-11-20 03:59:01.000  gate/yard  siren        begins          score 0.90   -23.1 dBFS"
    assert lines[2] == "2026-11-20 03:59:01.000  gate/yard  siren        lasted 1.50 s   score 0.90   -23.1 dBFS"
    assert "  siren        ended unheard   score" in lines[-1]
    assert [line.split("  ")[1:] for line in (lines[0], *lines[3:-1])] == [
        ["hall", "offline"],
        ["gate/yard", "lost"],
        ["gate/yard", "hearing"],
        ["gate", "offline"],
        ["gate", "online"],
    ]


def test_json_lines_for_programs(talkative: Broker) -> None:
    sent = message(name="A")
    with watching(talkative.mqtt(), count=1, as_json=True) as out:
        eventually(lambda: subscribed(talkative))
        publish(talkative, "earwitness/gate/availability", "online")
        publish(talkative, "earwitness/gate/yard/event", json.dumps(sent))
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(each["topic"], each["message"], each["retained"]) for each in told] == [
        ("earwitness/gate/availability", "online", False),
        ("earwitness/gate/yard/event", sent, False),
    ]


def test_one_node_only(talkative: Broker) -> None:
    with watching(talkative.mqtt(), count=1, node="hall") as out:
        eventually(lambda: subscribed(talkative))
        tell(talkative)
        publish(talkative, "earwitness/hall/yard/event", json.dumps(message(node="hall")))
    assert [line.split("  ")[1] for line in out.getvalue().splitlines()] == ["hall/yard"]


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"", b"[]", b'"x"', b"{}", b'{"phase": "start"}', b"1" * 5000])
def test_rubbish_is_reported_and_watching_goes_on(
    talkative: Broker, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(talkative.mqtt(), count=1) as out:
        eventually(lambda: subscribed(talkative))
        publish(talkative, "earwitness/gate/yard/event", payload)
        publish(talkative, "earwitness/gate/yard/state", payload)
        tell(talkative)
    assert len(out.getvalue().splitlines()) == 1
    assert caplog.text.count("not a message of earwitness") == 2


def test_no_payload_steers_the_terminal(talkative: Broker) -> None:
    with watching(talkative.mqtt(), count=1) as out:
        eventually(lambda: subscribed(talkative))
        tell(talkative, label="\x1b[2Jsiren\r\n[red]")
    (line,) = out.getvalue().splitlines()
    assert "\N{REPLACEMENT CHARACTER}[2Jsiren\N{REPLACEMENT CHARACTER}[red]" in line


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker(tmp_path, extra="log_type all")
    with watching(broker.mqtt(), count=1):
        eventually(lambda: "connection refused" in caplog.text)
        with broker:
            eventually(lambda: subscribed(broker))
            tell(broker)
            eventually(lambda: "connected" in caplog.text)


def test_a_broker_that_restarts_is_found_again(talkative: Broker, caplog: pytest.LogCaptureFixture) -> None:
    with watching(talkative.mqtt(), count=2) as out:
        eventually(lambda: subscribed(talkative))
        tell(talkative)
        eventually(lambda: "siren" in out.getvalue())
        talkative.stop()
        eventually(lambda: "(trying again)" in caplog.text)
        talkative.start()
        eventually(lambda: caplog.messages[-1].endswith(": connected"))
        eventually(lambda: talkative.log().count("SUBSCRIBE") >= 2)
        tell(talkative)


def test_a_refusal_ends_it(tmp_path: Path) -> None:
    with (
        Broker(tmp_path, users={"gate": "geheim"}) as broker,
        pytest.raises(SinkError, match="not authorized; set mqtt"),
    ):
        watch(broker.mqtt())


def test_a_node_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"node: is a level of MQTT topics: .* got 'gate/#'"):
        watch(MqttConfig(url="mqtt://127.0.0.1:1"), "gate/#")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_subscriber_hears_the_sink(broker: Broker, tmp_path: Path, protocol: str) -> None:
    config = broker.mqtt(protocol=protocol)
    with Subscriber(config, ["earwitness/gate/#"]) as subscriber, Journal(tmp_path / "j.db", [NAME]) as journal:
        subscriber.wait_connected(PATIENCE_SECONDS)
        with MqttSink(journal, config, "gate") as sink:
            sink.wait_connected(PATIENCE_SECONDS)
            journal.report(SourceState("yard", "hearing", -40.0, 0, "m"))
            journal.append(message(name="A"))
            assert sink.drain(PATIENCE_SECONDS) == 0
        heard = list(subscriber.messages(timeout=0.2))
    assert {received.topic.split("/", 2)[2] for received in heard} >= {"availability", "yard/event", "yard/siren"}
    events = [received for received in heard if received.topic.endswith("event")]
    assert [event.json()["id"] for event in events] == ["A"]
    assert subscriber.dropped == 0


def test_connected_means_subscribed(broker: Broker) -> None:
    for number in range(20):
        with Subscriber(broker.mqtt(), ["#"]) as subscriber:
            subscriber.wait_connected(PATIENCE_SECONDS)
            publish(broker, "a", str(number))
            assert next(subscriber.messages(5.0)).text() == str(number)


def test_a_slow_reader_loses_messages_and_knows(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sed.watch.QUEUE", 2)
    with Subscriber(broker.mqtt(), ["#"]) as subscriber:
        subscriber.wait_connected(PATIENCE_SECONDS)
        for number in range(5):
            publish(broker, "a", str(number))
        eventually(lambda: subscriber.dropped)
        first = next(subscriber.messages(1.0))
    assert first.text() == "0"
