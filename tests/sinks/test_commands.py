"""What others tell the MQTT sink: commands, and that Home Assistant has started; and what it announces."""

import ctypes
import gc
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sed.errors import SinkError
from sed.journal import Journal, SourceState
from sed.metadata import Rule, alerting
from sed.orders import Orders
from sed.sinks import connection
from sed.sinks.inbox import ANSWER_SECONDS
from sed.sinks.mqtt import NAME, MqttSink
from tests.broker import PATIENCE_SECONDS, Broker, Listener, eventually
from tests.messages import message
from tests.sinks.homeassistant import accepted

HEARING = SourceState("yard", "hearing", -43.21, 0, "earwitness-1")
RULES = {"glass_break": Rule(on=0.6, off=0.3), "siren": Rule(on=0.8, off=0.4), "dog_bark": Rule(alert=False)}
CONFIG = "homeassistant/device/earwitness__gate/config"
SET = "earwitness/gate/yard/set"


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(connection, "LONGEST_RETRY_SECONDS", 0.4)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", [NAME]) as opened:
        opened.report(HEARING)
        yield opened


@pytest.fixture
def listener(broker: Broker, tmp_path: Path) -> Iterator[Listener]:
    with Listener(broker, tmp_path) as listening:
        yield listening


class Gate:
    """A node with one source; `with` connects it."""

    def __init__(self, journal: Journal, broker: Broker, rules: dict[str, Rule] = RULES, **settings: Any) -> None:
        self.orders = Orders(journal.path.with_suffix(".orders.json"), rules, ["yard"])
        config, labels = broker.mqtt(**settings), alerting(rules)
        self.sink = MqttSink(journal, config, "gate", ["yard"], labels, orders=self.orders)

    def __enter__(self) -> "Gate":
        try:
            self.sink.wait_connected(PATIENCE_SECONDS)
        except SinkError:
            self.sink.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.sink.close()


def payloads(listener: Listener, topic: str) -> list[str]:
    return [heard.payload for heard in listener.heard(topic)]


def states(listener: Listener) -> list[Any]:
    return [heard.json() for heard in listener.heard("yard/state")]


def state(listener: Listener) -> Any:
    """The latest."""
    return (states(listener) or [{}])[-1]


def retained(broker: Broker, folder: Path) -> dict[str, str]:
    """What a newcomer hears."""
    with Listener(broker, folder) as newcomer:
        broker.publish("done", b"now")
        eventually(lambda: newcomer.heard("done"))
        return {heard.topic: heard.payload for heard in newcomer.heard() if heard.retain}


def resident() -> int:
    """Bytes of this process in memory, without what is free to be used again."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_device_is_announced_before_anything_else(
    journal: Journal, broker: Broker, listener: Listener, protocol: str
) -> None:
    with Gate(journal, broker, protocol=protocol):
        eventually(lambda: listener.heard("yard/state"))
    first = listener.heard()[0]
    assert (first.topic, first.qos, first.retain) == (CONFIG, 1, True)
    components = accepted(first.payload)
    told = {heard.topic for heard in listener.heard()}
    sounds = [each["state_topic"] for each in components.values() if each["platform"] == "binary_sensor"]
    assert sorted(sounds) == ["earwitness/gate/yard/glass_break", "earwitness/gate/yard/siren"]
    assert set(sounds) <= told
    assert payloads(listener, CONFIG) == [first.payload]


def test_home_assistant_may_have_another_prefix(journal: Journal, broker: Broker, listener: Listener) -> None:
    with Gate(journal, broker, discovery_prefix="ha"):
        eventually(lambda: listener.heard("ha/device/earwitness__gate/config"))
    assert not listener.heard(CONFIG)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_everything_is_told_again_when_home_assistant_starts(
    journal: Journal, broker: Broker, listener: Listener, protocol: str
) -> None:
    broker.publish("homeassistant/status", b"online", retain=True)  # of earlier: no reason to tell twice
    with Gate(journal, broker, protocol=protocol):
        journal.append(message(name="A"))
        eventually(lambda: payloads(listener, "yard/siren")[-1:] == ["ON"])
        broker.publish("homeassistant/status", b"offline")
        before = len(listener.heard())
        broker.publish("homeassistant/status", b"online")
        eventually(lambda: len(listener.heard("yard/state")) == 2)
        again = listener.heard()[before:]
    told = {heard.topic: heard.payload for heard in again if heard.retain}
    assert accepted(told[CONFIG])
    assert told["earwitness/gate/availability"] == "online"
    assert (told["earwitness/gate/yard/glass_break"], told["earwitness/gate/yard/siren"]) == ("OFF", "ON")
    assert json.loads(told["earwitness/gate/yard/state"])["state"] == "hearing"
    assert len(listener.heard("event")) == 1


def test_everything_is_told_again_to_a_broker_that_has_restarted(journal: Journal, tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Gate(journal, broker) as gate:
        broker.publish(SET, b'{"label": "siren", "threshold": 0.6}')
        eventually(lambda: gate.orders.differing("yard"))
        broker.kill()
        eventually(lambda: not gate.sink.connected)
        broker.start()
        eventually(lambda: gate.sink.connected)
        eventually(lambda: "earwitness/gate/yard/state" in retained(broker, tmp_path))
        told = retained(broker, tmp_path)
        broker.publish(SET, b'{"label": "siren", "reset": true}')  # it listens again as well
        eventually(lambda: not gate.orders.differing("yard"))
    assert accepted(told[CONFIG])
    assert told["earwitness/gate/availability"] == "online"
    assert json.loads(told["earwitness/gate/yard/state"])["orders"] == {"siren": {"threshold": 0.6}}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_gone_from_the_configuration_goes_from_home_assistant(
    journal: Journal, broker: Broker, listener: Listener, protocol: str
) -> None:
    with Gate(journal, broker, protocol=protocol):
        eventually(lambda: listener.heard(CONFIG))
    without = {**RULES, "siren": Rule(on=0.8, off=0.4, alert=False)}
    with Gate(journal, broker, without, protocol=protocol):
        eventually(lambda: len(listener.heard(CONFIG)) == 3)
        components = accepted(payloads(listener, CONFIG)[-1])
        assert components["yard__siren__sound"] == {"platform": "binary_sensor"}
        assert len(components["yard__glass_break__sound"]) > 1
    with Gate(journal, broker, without, protocol=protocol, discovery=False):
        eventually(lambda: not payloads(listener, CONFIG)[-1])
    with Gate(journal, broker, without, protocol=protocol, discovery=False):
        time.sleep(0.1)
    assert len(listener.heard(CONFIG)) == 4


def test_a_label_that_is_ordered_gets_its_sensor_and_loses_it_again(
    journal: Journal, broker: Broker, listener: Listener
) -> None:
    with Gate(journal, broker):
        broker.publish(SET, b'{"label": "dog_bark", "enable": true}')
        eventually(lambda: payloads(listener, "yard/dog_bark") == ["OFF"])
        assert len(accepted(payloads(listener, CONFIG)[-1])["yard__dog_bark__sound"]) > 1
        broker.publish(SET, b'{"label": "dog_bark", "reset": true}')
        eventually(lambda: "orders" not in state(listener))
        assert accepted(payloads(listener, CONFIG)[-1])["yard__dog_bark__sound"] == {"platform": "binary_sensor"}


def test_a_broker_that_refuses_discovery_still_gets_everything_else(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EARWITNESS_MQTT_PASSWORD", "geheim")
    rights = "user gate\ntopic readwrite earwitness/#\n"
    with (
        Broker(tmp_path, users={"gate": "geheim"}, access=rights) as broker,
        Gate(journal, broker, user="gate") as gate,
    ):
        journal.append(message())
        assert gate.sink.drain(PATIENCE_SECONDS) == 0
        eventually(lambda: "discovery is not told (mqtt.discovery = false)" in caplog.text)
        assert gate.sink.connected
    assert "connection lost" not in caplog.text


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_command_is_obeyed_answered_and_kept(
    journal: Journal, broker: Broker, listener: Listener, protocol: str
) -> None:
    wanted = {"siren": {"threshold": 0.6, "cooldown": 30.0}}
    with Gate(journal, broker, protocol=protocol) as gate:
        eventually(lambda: states(listener))
        assert "orders" not in states(listener)[0]
        broker.publish(SET, b'{"label": "siren", "threshold": 0.6, "cooldown": 30}')
        eventually(lambda: state(listener).get("orders") == wanted)
        assert listener.heard("yard/state")[-1].retain
        assert gate.orders.rules("yard")["siren"] == Rule(on=0.6, off=0.3, cooldown=30.0)
    with Gate(journal, broker, protocol=protocol) as gate:
        assert gate.orders.differing("yard") == wanted
        broker.publish(SET, b'{"label": "siren", "reset": true}')
        eventually(lambda: "orders" not in state(listener))
    with Gate(journal, broker, protocol=protocol) as gate:
        assert gate.orders.rules("yard") == RULES


def test_a_command_that_changes_nothing_is_answered_too(journal: Journal, broker: Broker, listener: Listener) -> None:
    with Gate(journal, broker):
        eventually(lambda: states(listener))
        broker.publish(SET, b'{"label": "siren", "threshold": 0.8}')
        eventually(lambda: len(states(listener)) == 2)
        assert states(listener)[0] == states(listener)[1]


def test_what_is_wrong_is_answered_and_not_retained(journal: Journal, broker: Broker, listener: Listener) -> None:
    with Gate(journal, broker) as gate:
        broker.publish(SET, b'{"label": "sirene", "enable": false}')
        eventually(lambda: state(listener).get("error") == "label: no such label 'sirene', did you mean 'siren'?")
        assert state(listener)["state"] == "hearing"
        assert not listener.heard("yard/state")[-1].retain
        assert gate.orders.rules("yard") == RULES


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_retained_command_would_come_back_for_ever(
    journal: Journal, broker: Broker, listener: Listener, protocol: str
) -> None:
    broker.publish(SET, b'{"label": "siren", "enable": false}', retain=True)
    with Gate(journal, broker, protocol=protocol) as gate:
        eventually(lambda: "a retained command is not obeyed" in state(listener).get("error", ""))
        assert gate.orders.rules("yard") == RULES


def test_orders_that_cannot_be_kept_hold_and_it_is_said(journal: Journal, broker: Broker, listener: Listener) -> None:
    with Gate(journal, broker) as gate:
        gate.orders.path.with_name(f"{gate.orders.path.name}.new").mkdir()
        broker.publish(SET, b'{"label": "siren", "enable": false}')
        eventually(lambda: "what is set now is lost at the next restart" in state(listener).get("error", ""))
        assert state(listener)["orders"] == {"siren": {"enable": False}}


MALFORMED = [
    b"rubbish",
    b"\xff\xfe\x80",
    b"[" * 900,
    b'{"a":' * 150,
    b'{"label": "siren", "threshold": NaN}',
    b'{"label": "siren", "threshold": "0.8"}',
    b'{"label": "siren", "cooldown": 1e999}',
    b'{"label": ["siren"], "enable": null}',
    b"x" * 20_000,
]


def test_ten_thousand_commands_one_in_three_malformed(journal: Journal, tmp_path: Path) -> None:
    good = [json.dumps({"label": "siren", "threshold": n % 100 / 100}).encode().ljust(900) for n in range(6_666)]
    bad = [MALFORMED[n % len(MALFORMED)] for n in range(3_333)]
    mixed = [each for n in range(3_333) for each in (*good[2 * n : 2 * n + 2], bad[n])]
    began = time.monotonic()
    with (
        Broker(tmp_path, extra="max_queued_messages 0") as broker,
        Listener(broker, tmp_path, "earwitness/gate/yard/state") as listener,
        Gate(journal, broker) as gate,
    ):
        broker.publish(SET, *mixed[:300])
        eventually(lambda: gate.orders.changes > 150)
        before = resident()
        broker.publish(SET, *mixed[300:])
        journal.append(message(name="A"))
        broker.publish(SET, b'{"label": "glass_break", "threshold": 0.123}')
        eventually(lambda: "glass_break" in gate.orders.differing("yard"))
        eventually(lambda: state(listener).get("orders", {}).get("glass_break") == {"threshold": 0.123})
        grown = resident() - before
        assert gate.sink.drain(PATIENCE_SECONDS) == 0
    assert grown < sum(map(len, mixed)) / 2
    assert gate.orders.differing("yard") == {"siren": {"threshold": 0.65}, "glass_break": {"threshold": 0.123}}
    errors = [each for each in states(listener) if "error" in each]
    answers = (time.monotonic() - began) / ANSWER_SECONDS + 2
    assert 1 <= len(errors) <= answers
    assert len(states(listener)) <= 2 * answers


def test_a_label_left_on_by_a_crash_is_switched_off_even_if_it_alerts_no_more(
    journal: Journal, broker: Broker, listener: Listener
) -> None:
    journal.append(message(name="A", label="dog_bark"))
    broker.publish("earwitness/gate/yard/dog_bark", b"ON", retain=True)  # and then it was killed
    journal.close_abandoned()
    with Gate(journal, broker) as gate:
        assert gate.sink.drain(PATIENCE_SECONDS) == 0
        eventually(lambda: payloads(listener, "yard/dog_bark")[-1] == "OFF")
        assert listener.heard("yard/dog_bark")[-1].retain
    assert payloads(listener, "yard/dog_bark") == ["ON", "OFF"]
