"""`earwitness selftest` as a user runs it, with the shipped model: over a broker, and through the air."""

import re
from pathlib import Path

from tests.broker import Broker, Listener, eventually, free_port
from tests.loudspeaker import VirtualAir
from tests.test_cli import earwitness

TOLD = r"siren, score [01]\.\d\d, -\d+\.\d dBFS: told (\d+\.\d\d) s after its onset \(\d+ ms after it was certain\)"


def test_the_alert_comes_over_the_broker_and_nothing_is_left(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        f'node = "gate"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\nclient_id = "earwitness-gate"\n'
        f'[journal]\npath = "{tmp_path}/real.db"\n'
    )
    with Listener(broker, tmp_path) as listener:
        done = earwitness("selftest", "-c", tmp_path / "c.toml")
        assert (done.returncode, done.stderr) == (0, "")
        first, told, last = done.stdout.splitlines()
        eventually(lambda: not listener.heard("/availability")[-1].payload)
    assert "as gate-selftest/selftest; a second client of mqtt://127.0.0.1" in first
    assert (match := re.fullmatch(TOLD, told))
    assert 0.5 < float(match[1]) < 10.0
    assert last == "passed: the alert came, began and ended"
    assert [event.json()["phase"] for event in listener.heard("/selftest/event")][:2] == ["start", "end"]
    assert {event.json()["node"] for event in listener.heard("/event")} == {"gate-selftest"}
    switched = [message.payload for message in listener.heard("/selftest/siren")]
    assert switched[:3] == ["OFF", "ON", "OFF"]
    assert not listener.heard("/config")
    assert all(message.topic.startswith("earwitness/gate-selftest/") for message in listener.heard())
    kept = {message.topic: message.payload for message in listener.heard() if message.retain}
    assert not any(kept.values())
    assert not (tmp_path / "real.db").exists()
    assert "as earwitness-gate " not in broker.log()  # the daemon's own id, which would throw it out


def test_a_broker_that_is_not_there() -> None:
    port = free_port()
    done = earwitness("selftest", "--mqtt", f"mqtt://127.0.0.1:{port}")
    assert done.returncode == 1
    assert f"earwitness: broker 127.0.0.1:{port}: connection refused" in done.stderr


def test_options_that_only_a_loudspeaker_has() -> None:
    done = earwitness("selftest", "--output", "desk")
    assert (done.returncode, "are for --speaker" in done.stderr) == (2, True)


def test_through_the_air(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[[source]]\nname = "yard"\nurl = "mic:street"\n')
    with VirtualAir(tmp_path, "street") as air:
        air.plug()
        done = earwitness("selftest", "--speaker", "--output", "street", "-c", tmp_path / "c.toml")
        assert done.returncode == 0, done.stdout + done.stderr
        told = done.stdout.splitlines()[1]
        assert (match := re.fullmatch(TOLD + r", (\d+\.\d\d) s after it was played", told))
        assert abs(float(match[2]) - float(match[1])) < 1.0  # the way through the air and its buffers
