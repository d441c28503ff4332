"""The private broker: up when the block begins, gone when it ends."""

import socket
from pathlib import Path

import pytest

from sed.broker import PrivateBroker
from sed.config import MqttConfig
from sed.errors import UsageError
from sed.watch import Subscriber
from tests.broker import MOSQUITTO, PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


def test_it_takes_clients_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with PrivateBroker() as broker, Subscriber(MqttConfig(url=broker.url), ["#"]) as client:
        client.wait_connected(PATIENCE_SECONDS)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", broker.port), timeout=1.0)
    assert list(tmp_path.iterdir()) == []


def test_without_mosquitto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(UsageError, match="mosquitto is not installed; 'sudo apt-get install mosquitto'"):
        PrivateBroker().__enter__()
