"""The boxes that do not exist: what they tell is known, in disorder, and the same for the same seed."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks.boxes import ORDER, Disorder, Sending, fleet, in_order
from benchmarks.senders import Senders, tell
from sed.message import event_schema
from tests.broker import Broker, Listener, eventually

SCHEMA = jsonschema.Draft202012Validator(event_schema())
BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROUGH = Disorder(
    again=0.2, swapped=0.2, late=0.1, unended=0.1, abandoned=0.1, rubbish=0.3, cut_off=0.5, wrong_clock=0.2
)


def events(sendings: list[Sending]) -> list[dict[str, Any]]:
    return [event for sending in sendings if (event := sending.event)]


def is_event(payload: bytes, topic: str) -> bool:
    """As the schema says, with moments that exist and numbers that machines have, from whom the topic says."""
    try:
        message = json.loads(payload, parse_constant=int)  # NaN and Infinity are none
        SCHEMA.validate(message)
        datetime.fromisoformat(message["onset"])
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return False
    told_by = [message["node"], message["source"]]
    return topic.split("/")[1:3] == told_by and message["label"].isprintable() and message["lost_samples"] < 2**63


def test_the_same_seed_tells_the_same() -> None:
    told = list(in_order(fleet(5, 1, BEGIN, 30.0, ROUGH)))
    assert told == list(in_order(fleet(5, 1, BEGIN, 30.0, ROUGH)))
    assert told != list(in_order(fleet(5, 2, BEGIN, 30.0, ROUGH)))


def test_it_is_told_in_the_order_of_time() -> None:
    at = [sending.at for sending in in_order(fleet(5, 1, BEGIN, 60.0, ROUGH))]
    assert at == sorted(at)


def test_in_order_each_event_is_told_twice_and_right() -> None:
    boxes = fleet(3, 1, BEGIN, 20.0, ORDER, pace=2.0)
    told = events(list(in_order(boxes)))
    assert Counter(event["phase"] for event in told) == {"start": len(told) // 2, "end": len(told) // 2}
    assert [sum(1 for _ in box.happenings()) for box in boxes] == pytest.approx([40] * 3, abs=8)
    for event in told:
        SCHEMA.validate(event)
    assert all(start["detected_at"] >= start["onset"] for start in told)


def test_all_that_can_go_wrong_does() -> None:
    boxes = fleet(20, 1, BEGIN, 60.0, ROUGH)
    told = events(list(in_order(boxes)))
    phases: dict[str, list[str]] = {}
    for event in told:
        phases.setdefault(event["id"], []).append(event["phase"])
    assert any(count > 1 for count in Counter((event["id"], event["phase"]) for event in told).values())
    assert any(order[:2] == ["end", "start"] for order in phases.values())
    assert any("end" not in order for order in phases.values())
    assert any(event["phase"] == "end" and event["offset"] is None for event in told)
    assert any(event.get("late") for event in told)
    assert {box.clock_error.days for box in boxes} == {-1, 0, 1}
    bursts = Counter((sending.topic, int(sending.at * 10)) for box in boxes for sending in box.sendings())
    assert max(bursts.values()) >= 4


def test_the_row_is_what_was_told() -> None:
    """Told by another way: of all messages of an event the end's, or else the start's."""
    boxes = fleet(10, 3, BEGIN, 30.0, ROUGH)
    last: dict[str, dict[str, Any]] = {}
    for event in events(list(in_order(boxes))):
        if last.get(event["id"], {}).get("phase") != "end":
            last[event["id"]] = event
    rows = {str(happening.row["id"]): happening.row for box in boxes for happening in box.happenings()}
    assert rows.keys() == last.keys()
    assert all(row | {"detected_at": ""} == last[name] | {"detected_at": ""} for name, row in rows.items())


def test_rubbish_is_no_event_and_nothing_else_is_rubbish() -> None:
    sendings = [each for each in in_order(fleet(20, 1, BEGIN, 60.0, ROUGH)) if each.topic.endswith("/event")]
    for sending in sendings:
        assert is_event(sending.encoded(), sending.topic) == (not sending.is_rubbish), sending.encoded()[:200]
    assert sum(sending.is_rubbish for sending in sendings) > 100


@pytest.mark.parametrize("connections", [2, 10])
def test_a_broker_gets_all_of_it(tmp_path: Path, connections: int) -> None:
    """By a few connections for all, and by one for each box."""
    boxes = fleet(10, 1, BEGIN, 10.0, ROUGH)
    sendings = list(in_order(boxes))
    with Broker(tmp_path, extra="max_queued_messages 0") as broker, Listener(broker, tmp_path) as listener:
        with Senders(broker.mqtt(), boxes, connections) as senders:
            tell(sendings, senders, speed=None)
            assert senders.drain(30.0) == 0
        told = [each for each in sendings if each.qos and not each.is_rubbish]
        wanted = Counter((each.topic, each.encoded().decode()) for each in told)
        eventually(lambda: not wanted - Counter((each.topic, each.payload) for each in listener.heard()), 30.0)


def test_a_broker_that_was_away_gets_the_rest(tmp_path: Path) -> None:
    boxes = fleet(5, 1, BEGIN, 10.0, ORDER)
    sendings = list(in_order(boxes))
    half = len(sendings) // 2
    wanted = {str(event["id"]) for event in events(sendings)}
    with (
        Broker(tmp_path, persistent=True) as broker,
        Listener(broker, tmp_path, lasting=True) as listener,
        Senders(broker.mqtt(), boxes, 2) as senders,
    ):
        tell(sendings[:half], senders, speed=None)
        broker.stop()  # with a word to its disk: what it has confirmed is its own affair
        broker.start()
        tell(sendings[half:], senders, speed=None)
        assert senders.drain(30.0) == 0
        eventually(lambda: wanted <= {str(each.json()["id"]) for each in listener.heard("/event")}, 30.0)
