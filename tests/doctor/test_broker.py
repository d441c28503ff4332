"""Real brokers that let us in, refuse us, or refuse our topics; and nobody's retained word is touched."""

from pathlib import Path

import pytest

from sed.config import Config, MqttConfig, SourceConfig
from sed.doctor.broker import look
from sed.doctor.finding import Finding
from tests.broker import Broker, Listener, certificates, eventually, free_port

USERS = {"gate": "open sesame"}
OURS = "user gate\ntopic readwrite earwitness/gate/#\n"
HOME = "topic readwrite homeassistant/#\n"


def found(mqtt: MqttConfig | None) -> list[Finding]:
    return list(look(Config(node="gate", source=(SourceConfig(name="yard"),), mqtt=mqtt)))


def test_without_a_broker_there_is_nothing_to_ask() -> None:
    (finding,) = found(None)
    assert finding.status == "ok"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_one_that_lets_us_in_and_what_others_hear_of_it(broker: Broker, tmp_path: Path, protocol: str) -> None:
    broker.publish("earwitness/gate/availability", b"online", retain=True)
    with Listener(broker, tmp_path) as listener:
        entry, topics = found(broker.mqtt(protocol=protocol))
        eventually(lambda: len(listener.heard("/doctor")) == 2)
    assert entry.found == f"127.0.0.1:{broker.port} lets us in without a user's name, MQTT {protocol}"
    assert (topics.status, topics.found) == ("ok", "earwitness/gate/# may be written and read")
    heard = {message.topic: message for message in listener.heard()}
    assert set(heard) == {
        "earwitness/gate/availability", "earwitness/gate/doctor", "homeassistant/device/earwitness__gate/doctor"
    }  # fmt: skip
    assert [message.topic for message in heard.values() if message.retain] == ["earwitness/gate/availability"]


def test_a_daemon_that_is_connected_is_not_thrown_out(broker: Broker) -> None:
    """A second client with the same id would be the end of the first."""
    found(broker.mqtt(client_id="earwitness-gate"))
    assert "as earwitness-gate" not in broker.log()
    assert "as earwitness-doctor-" in broker.log()


def test_a_wrong_password_and_the_right_one(tmp_path: Path) -> None:
    with Broker(tmp_path, users=USERS) as broker:
        (refused,) = found(broker.mqtt("gate", password="open barley"))
        entry, topics = found(broker.mqtt("gate", password="open sesame"))
    assert refused.status == "failed"
    assert refused.found == f"broker 127.0.0.1:{broker.port}: not authorized"
    assert refused.advice.startswith("set mqtt.username and mqtt.password_file")
    assert entry.found == f"127.0.0.1:{broker.port} lets us in gate, MQTT 5"
    assert topics.status == "ok"


def test_certificates(tmp_path: Path) -> None:
    tls = certificates(tmp_path)
    with Broker(tmp_path, tls=tls) as broker:
        entry, topics = found(broker.mqtt(ca_file=tls["ca"]))
        assert (entry.status, topics.status) == ("ok", "ok")
        assert "by TLS" in entry.found
        (unknown,) = found(broker.mqtt())
        assert (unknown.status, unknown.advice) == ("failed", "set mqtt.ca_file")
        (misnamed,) = found(MqttConfig(url=f"mqtts://localhost:{broker.port}", ca_file=tls["ca"]))
        assert misnamed.advice == "write mqtt.url with a name that is in its certificate"
        (plain,) = found(MqttConfig(url=f"mqtt://127.0.0.1:{broker.port}"))
        assert plain.status == "failed"


def test_nobody_there_and_a_name_that_nobody_knows() -> None:
    (nobody,) = found(MqttConfig(url=f"mqtt://127.0.0.1:{free_port()}"))
    assert (nobody.status, nobody.advice) == ("failed", "is it running, and is the port right?")
    (unknown,) = found(MqttConfig(url="mqtt://broker.invalid"))
    assert "its name cannot be resolved; check mqtt.url and the network" in unknown.line


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_user_who_may_write_nothing(tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mosquitto tells so in MQTT 5 only."""
    monkeypatch.setattr("sed.doctor.broker.ECHO_SECONDS", 0.5)
    with Broker(tmp_path, users=USERS, access="user gate\ntopic read earwitness/gate/#\n") as broker:
        findings = found(broker.mqtt("gate", password="open sesame", protocol=protocol, discovery=False))
    assert [finding.status for finding in findings] == ["ok", "failed" if protocol == "5" else "warning"]
    assert "earwitness/gate/doctor" in findings[1].found or protocol == "5"
    assert findings[1].advice == "let this user write and read earwitness/gate/#"


def test_a_user_who_may_write_but_for_home_assistant(tmp_path: Path) -> None:
    with Broker(tmp_path, users=USERS, access=OURS) as broker:
        *_, topics, discovery = found(broker.mqtt("gate", password="open sesame"))
        assert topics.status == "ok"
        assert discovery.status == "warning"
        assert discovery.found.endswith("cannot be told on homeassistant/device/earwitness__gate/config")
        broker.access.write_text(OURS + HOME)
        broker.reload()
        eventually(lambda: len(found(broker.mqtt("gate", password="open sesame"))) == 2)


def test_a_user_who_hears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sed.doctor.broker.ECHO_SECONDS", 0.5)
    access = "user gate\ntopic write earwitness/gate/#\n" + HOME
    with Broker(tmp_path, users=USERS, access=access) as broker:
        _, topics = found(broker.mqtt("gate", password="open sesame"))
    assert (topics.status, "does not come back" in topics.found) == ("warning", True)
