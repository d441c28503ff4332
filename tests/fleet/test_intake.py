"""What comes from the broker faster than it is written down."""

import pytest

from sed.config import FleetConfig
from sed.fleet.intake import Intake
from tests.broker import Broker, eventually


def test_a_crowd_waits_outside_and_all_of_it_comes_in(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mosquitto 2.0.11 may send more than was allowed: memory shall not grow with its backlog."""
    monkeypatch.setattr("sed.fleet.intake.CROWDED", 20)
    monkeypatch.setattr("sed.fleet.intake.CROWDED_SECONDS", 60.0)
    payloads = [b"%d" % n for n in range(100)]
    with Intake(broker.mqtt(), FleetConfig(name="a")) as intake:
        eventually(lambda: intake._connection.link)
        broker.publish("earwitness/gate/yard/event", *payloads)
        taken: list[bytes] = []
        while len(taken) < 100:
            eventually(lambda: len(intake._waiting) == min(20, 100 - len(taken)))  # noqa: B023 - called here
            receipts = intake.take(7, 1.0, 0.0)
            intake.acknowledge(receipts)
            taken += [receipt.payload for receipt in receipts]
    assert taken == payloads
