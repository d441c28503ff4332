"""Sinks that are replaced when they have to be, and left alone when not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sed.config import Config, MqttConfig, SourceConfig
from sed.journal import Journal
from sed.metadata import Rule
from sed.orders import Orders
from sed.sinks.opened import Sinks
from tests.broker import Broker, certificates, eventually

RULES = {"siren": Rule()}


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Sinks]:
    with Journal(tmp_path / "journal.db") as journal:
        orders = Orders(tmp_path / "journal.orders.json", RULES, ["yard"])
        with Sinks(journal, orders) as opened:
            yield opened


def gate(mqtt: MqttConfig) -> Config:
    return Config(node="gate", source=(SourceConfig(name="yard"),), mqtt=mqtt)


def read_again(sinks: Sinks, mqtt: MqttConfig) -> None:
    """What SIGHUP leads to."""
    sinks.update(gate(mqtt), RULES)
    eventually(lambda: sinks.connected)


def test_a_password_that_is_changed_is_used_at_once_and_the_same_one_is_no_reason_to_leave(
    sinks: Sinks, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    with Broker(tmp_path, users={"gate": "geheim"}) as broker:
        mqtt = broker.mqtt("gate", password_file=file)
        for secret in ("geheim", "geheim\n"):
            file.write_text(secret)
            read_again(sinks, mqtt)
            assert sinks.connects == 1
        file.write_text("falsch")
        sinks.update(gate(mqtt), RULES)
        assert not sinks.connected


def test_a_certificate_that_is_renewed_is_used_at_once_and_the_same_one_is_no_reason_to_leave(
    sinks: Sinks, tmp_path: Path
) -> None:
    tls = certificates(tmp_path)
    with Broker(tmp_path, tls=tls, extra="require_certificate true") as broker:
        mqtt = broker.mqtt(ca_file=tls["ca"], cert_file=tls["certificate"], key_file=tls["key"])
        read_again(sinks, mqtt)
        tls["certificate"].touch()
        read_again(sinks, mqtt)
        assert sinks.connects == 1
        with tls["certificate"].open("a") as file:
            file.write("renewed\n")
        read_again(sinks, mqtt)
        assert sinks.connects == 2
