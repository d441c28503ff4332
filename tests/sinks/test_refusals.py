"""Brokers that say no: told in one line, with what to do, and never taken for a connection."""

import logging
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from sed.config import MqttConfig
from sed.errors import ConfigError, SinkError
from sed.journal import Journal
from sed.sinks import connection
from sed.sinks.mqtt import NAME, MqttSink
from tests.broker import PATIENCE_SECONDS, Broker, certificates, eventually, free_port
from tests.messages import message

USERS = {"gate": "geheim"}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EARWITNESS_MQTT_PASSWORD", raising=False)
    monkeypatch.setattr(connection, "FIRST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(connection, "LONGEST_RETRY_SECONDS", 0.2)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", [NAME]) as opened:
        yield opened


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return certificates(tmp_path_factory.mktemp("tls"))


def refusal(journal: Journal, config: MqttConfig) -> str:
    """Why there is no connection, after a while of trying."""
    with MqttSink(journal, config, "gate") as sink:
        with pytest.raises(SinkError) as caught:
            sink.wait_connected(PATIENCE_SECONDS)
        for _ in range(30):
            assert not sink.connected
            time.sleep(0.01)
    assert "\n" not in str(caught.value)
    assert f"broker {config.host}:{config.port}: " in str(caught.value)
    return str(caught.value).split(f"{config.port}: ", 1)[1]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password(journal: Journal, tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Broker(tmp_path, users=USERS) as broker:
        config = broker.mqtt("gate", protocol=protocol, password=SecretStr("falsch"))
        line = refusal(journal, config)
    assert (
        line
        == "not authorized; set mqtt.username and mqtt.password_file, or allow this user in the broker's access list"
    )
    told = [record.message for record in caplog.records if "broker" in record.message]
    assert told == [f"broker 127.0.0.1:{broker.port}: {line} (trying again)"]
    assert "falsch" not in caplog.text


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_right_password_and_not_a_word_of_it(
    journal: Journal, tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("EARWITNESS_MQTT_PASSWORD", "geheim")
    broker = Broker(tmp_path, users=USERS)
    with broker, MqttSink(journal, broker.mqtt("gate", protocol=protocol), "gate") as sink:
        sink.wait_connected(PATIENCE_SECONDS)
        journal.append(message())
        assert sink.drain(PATIENCE_SECONDS) == 0
    assert "connected" in caplog.text
    assert "geheim" not in caplog.text


def test_a_password_that_is_changed_is_read_again(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "password"
    file.write_text("falsch")
    broker = Broker(tmp_path, users=USERS)
    with broker, MqttSink(journal, broker.mqtt("gate", password_file=file), "gate") as sink:
        with pytest.raises(SinkError, match="not authorized"):
            sink.wait_connected(PATIENCE_SECONDS)
        file.unlink()
        eventually(lambda: "mqtt.password_file" in caplog.messages[-1] and "no such file" in caplog.messages[-1])
        file.write_text("geheim\n")
        eventually(lambda: sink.connected)


def test_nobody_listens(journal: Journal) -> None:
    config = MqttConfig(url=f"mqtt://127.0.0.1:{free_port()}")
    assert refusal(journal, config) == "connection refused; is it running, and is the port right?"


def test_a_name_that_nobody_knows(journal: Journal) -> None:
    config = MqttConfig(url="mqtt://broker.invalid")
    assert refusal(journal, config) == "its name cannot be resolved; check mqtt.url and the network"
    config = MqttConfig(url=f"mqtt://{'x' * 70}.invalid")  # a name that cannot even be asked for
    assert refusal(journal, config) == "its name cannot be resolved; check mqtt.url and the network"


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """Something that is no broker: it answers so and hangs up, or says nothing at all. Yields its port."""
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            held.append(client)
            if answer is not None:
                client.recv(1_000)
                client.sendall(answer)
                client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for client in held:
        client.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None])
def test_something_that_is_no_broker(journal: Journal, answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(connection, "LOOK_SECONDS", 0.1)
    with listening(answer) as port:
        line = refusal(journal, MqttConfig(url=f"mqtt://127.0.0.1:{port}"))
    assert line == "does not answer as a broker would; is it one, on its right port? For TLS write mqtts://"


def test_a_broker_of_before_mqtt_5(journal: Journal) -> None:
    with listening(b"\x20\x02\x00\x01") as port:
        line = refusal(journal, MqttConfig(url=f"mqtt://127.0.0.1:{port}"))
    assert line == 'unsupported protocol version; set mqtt.protocol = "3.1.1"'


def test_tls_with_the_right_authority(journal: Journal, tmp_path: Path, tls: dict[str, Path]) -> None:
    with Broker(tmp_path, tls=tls) as broker, MqttSink(journal, broker.mqtt(ca_file=tls["ca"]), "gate") as sink:
        sink.wait_connected(PATIENCE_SECONDS)
        journal.append(message())
        assert sink.drain(PATIENCE_SECONDS) == 0


def test_tls_with_an_unknown_authority(journal: Journal, tmp_path: Path, tls: dict[str, Path]) -> None:
    with Broker(tmp_path, tls=tls) as broker:
        line = refusal(journal, broker.mqtt())
    assert line.startswith("TLS: self-signed certificate in certificate chain; set mqtt.ca_file")


def test_tls_with_a_certificate_for_another_name(journal: Journal, tmp_path: Path, tls: dict[str, Path]) -> None:
    with Broker(tmp_path, tls=tls) as broker:
        config = MqttConfig(url=f"mqtts://localhost:{broker.port}", ca_file=tls["ca"])  # it is for 127.0.0.1
        line = refusal(journal, config)
    assert line == (
        "TLS: Hostname mismatch, certificate is not valid for 'localhost'; "
        "write mqtt.url with a name that is in its certificate"
    )


def test_tls_where_there_is_none_and_none_where_there_is(
    journal: Journal, broker: Broker, tmp_path: Path, tls: dict[str, Path]
) -> None:
    line = refusal(journal, MqttConfig(url=f"mqtts://127.0.0.1:{broker.port}"))
    assert line.startswith("TLS: ")
    assert line.endswith("; is this its TLS port? Without TLS write mqtt://")
    (tmp_path / "tls").mkdir()
    with Broker(tmp_path / "tls", tls=tls) as encrypted:
        line = refusal(journal, MqttConfig(url=f"mqtt://127.0.0.1:{encrypted.port}"))
    assert line == "does not answer as a broker would; is it one, on its right port? For TLS write mqtts://"


def test_tls_with_a_certificate_of_our_own(journal: Journal, tmp_path: Path, tls: dict[str, Path]) -> None:
    with Broker(tmp_path, tls=tls, extra="require_certificate true") as broker:
        own = broker.mqtt(ca_file=tls["ca"], cert_file=tls["certificate"], key_file=tls["key"])
        with MqttSink(journal, own, "gate") as sink:
            sink.wait_connected(PATIENCE_SECONDS)
        assert "mqtt.cert_file" in refusal(journal, broker.mqtt(ca_file=tls["ca"]))


def test_a_certificate_that_is_renewed_is_read_again(
    journal: Journal, tmp_path: Path, tls: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """First it comes from an authority that the broker does not know."""
    (tmp_path / "other").mkdir()
    other = certificates(tmp_path / "other")
    with Broker(tmp_path, tls=tls, extra="require_certificate true") as broker:
        own = broker.mqtt(ca_file=tls["ca"], cert_file=other["certificate"], key_file=other["key"])
        with MqttSink(journal, own, "gate") as sink:
            eventually(lambda: "(trying again)" in caplog.text)
            assert not sink.connected
            for name in ("certificate", "key"):
                shutil.copy(tls[name], other[name])
            eventually(lambda: sink.connected)


def test_certificates_that_cannot_be_read(journal: Journal, tmp_path: Path, tls: dict[str, Path]) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    with pytest.raises(ConfigError, match=r"mqtt.ca_file: .*nope.pem: no such file or directory; name a PEM file"):
        MqttSink(journal, MqttConfig(url="mqtts://h", ca_file=tmp_path / "nope.pem"), "gate")
    with pytest.raises(ConfigError, match=r"mqtt.ca_file: .*rubbish.pem: .*; name a PEM file that this user can read"):
        MqttSink(journal, MqttConfig(url="mqtts://h", ca_file=rubbish), "gate")
    with pytest.raises(ConfigError, match=r"mqtt.cert_file: .*rubbish.pem: .*; name a PEM file"):
        MqttSink(journal, MqttConfig(url="mqtts://h", cert_file=rubbish, key_file=tls["key"]), "gate")


def test_a_user_who_may_not_publish_keeps_events_until_he_may(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EARWITNESS_MQTT_PASSWORD", "geheim")
    rights = "user gate\ntopic write earwitness/gate/availability\n"
    with Broker(tmp_path, users=USERS, access=rights) as broker:
        journal.append(message())
        with MqttSink(journal, broker.mqtt("gate"), "gate") as sink:
            eventually(lambda: "not authorized to publish" in caplog.text)
            assert sink.drain(0.2) == 1
            broker.access.write_text("user gate\ntopic readwrite earwitness/#\n")
            broker.reload()
            assert sink.drain(PATIENCE_SECONDS) == 0
