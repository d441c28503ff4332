"""Who waits for the alert, with real and with wrong words, over a real broker and from lines."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sed.config import Config, MqttConfig
from sed.errors import SinkError
from sed.selftest.witness import Alert, Witness
from tests.broker import Broker, Listener, eventually, free_port
from tests.messages import message

NODE = "gate-selftest"


def line(phase: str, label: str = "siren", name: str = "1") -> str:
    return json.dumps(message(phase, name, label))  # type: ignore[arg-type]


def looked(witness: Witness) -> Witness:
    witness.look(0.05)
    return witness


def test_lines() -> None:
    with Witness(Config(node=NODE), "selftest") as witness:
        witness.lines.write(line("start", "gun_shot") + "\n" + line("end", "siren", "0") + "\n")
        witness.look(0.0)
        assert (witness.alert, witness.missing) == (None, "no alert came")
        witness.lines.write(line("start") + "\n")
        witness.look(0.0)
        assert witness.alert is not None
        assert (witness.missing, witness.satisfied) == ("the alert came, and never its end", False)
        witness.lines.write(line("end") + "\n")
        witness.look(0.0)
        assert (witness.missing, witness.satisfied) == ("", True)


def test_times() -> None:
    alert = Alert({"onset": "2026-11-20T03:00:00.000Z"}, datetime(2026, 11, 20, 3, 0, 1, 500_000, tzinfo=UTC))
    assert alert.after("onset") == 1.5


def test_a_broker_that_hears_on_and_off_and_is_left_clean(broker: Broker, tmp_path: Path) -> None:
    config = Config(node=NODE, mqtt=broker.mqtt())
    root = f"earwitness/{NODE}"
    with Listener(broker, tmp_path) as listener:
        with Witness(config, "selftest") as witness:
            broker.publish(f"{root}/availability", b"online", retain=True)
            broker.publish(f"{root}/selftest/siren", b"OFF", b"ON", retain=True)
            broker.publish(f"{root}/selftest/event", line("start").encode(), line("end").encode())
            eventually(lambda: looked(witness).ended)
            assert witness.missing == "the alert came, but not ON and then OFF"
            broker.publish(f"{root}/selftest/siren", b"OFF", retain=True)
            eventually(lambda: looked(witness).satisfied)
        eventually(lambda: {m.topic for m in listener.heard() if not m.payload} == {
            f"{root}/availability", f"{root}/selftest/siren"
        })  # fmt: skip
    (tmp_path / "later").mkdir()
    with Listener(broker, tmp_path / "later") as later:
        broker.publish("x", b"y")
        eventually(lambda: later.heard("x"))
        assert len(later.heard()) == 1  # nothing retained came first


def test_a_broker_that_is_not_there() -> None:
    mqtt = MqttConfig(url=f"mqtt://127.0.0.1:{free_port()}")
    with pytest.raises(SinkError, match="connection refused"):
        Witness(Config(node=NODE, mqtt=mqtt), "selftest")
