"""A flood of commands, some of them rubbish, beside sound that has to be heard."""

import json
import signal
from pathlib import Path
from typing import Any

from tests.broker import Broker, Heard, Listener, eventually
from tests.daemon import START_SECONDS, Run
from tests.faults.accounts import (
    assert_accounted,
    assert_beats,
    assert_holds,
    everything_arrives,
    heard_on,
    held,
    received,
)
from tests.faults.box import LABEL, Box

COUNT = 10_000
MALFORMED = [
    b"rubbish",
    b"\xff\xfe\x80",
    b"[" * 900,
    b'{"label": "tone", "threshold": NaN}',
    b'{"label": "tone", "threshold": "0.8"}',
    b'{"label": "nothing", "enable": false}',
    b'{"label": ["tone"], "enable": null}',
    b"x" * 20_000,
]
TOLD = [f"earwitness/gate/{topic}" for topic in ("+/event", "+/state", f"+/{LABEL}", "availability")]
GROWTH = 10_000_000
"""Bytes; the commands below are three times as much."""


def test_ten_thousand_commands(box: Box, tmp_path: Path) -> None:
    """They are answered, in bounded time and room; no sample and no event is lost over them."""
    with (
        Broker(tmp_path, extra="max_queued_messages 0") as broker,
        Listener(broker, tmp_path, TOLD[0], options=[word for topic in TOLD[1:] for word in ("-t", topic)]) as listener,
    ):
        box.configure(broker, yard=box.beats("yard", 300), street=box.beats("street", 300))
        with box.run() as run:
            eventually(lambda: run.events("end", "yard") and run.events("end", "street"), START_SECONDS)
            order(broker, *commands(COUNT // 10))
            eventually(lambda: answered(listener, "error"), START_SECONDS)
            before, resident = held(run), memory(run)
            order(broker, *commands(COUNT))
            order(broker, json.dumps({"label": LABEL, "threshold": 0.42, "cooldown": 0}).encode())
            eventually(lambda: last(listener).get("orders") == {LABEL: {"threshold": 0.42}}, START_SECONDS)
            heard_on(run, 1, "yard")
            assert_holds(run, before)
            assert memory(run) - resident < GROWTH
            run.send(signal.SIGTERM)
            assert run.end() == 0
        everything_arrives(box.runs, listener)
        assert_accounted(box.runs, listener)
        for source in ("yard", "street"):
            assert_beats([event for event in received(listener).values() if event["source"] == source])
            dropped = [heard.json()["dropped_samples"] for heard in listener.heard(f"{source}/state")]
            assert set(dropped) == {0}
        assert len(listener.heard("yard/state")) < COUNT / 50
    assert {event["lost_samples"] for event in run.events()} == {0}


def commands(count: int) -> list[bytes]:
    """Thresholds that the toy's scores stay above, each at its full length, and one in four that is malformed."""
    good = [json.dumps({"label": LABEL, "threshold": 0.3 + n % 30 / 100}).encode().ljust(900) for n in range(count)]
    return [MALFORMED[n // 4 % len(MALFORMED)] if n % 4 == 0 else good[n] for n in range(count)]


def order(broker: Broker, *payloads: bytes) -> None:
    broker.publish("earwitness/gate/yard/set", *payloads)


def answered(listener: Listener, key: str) -> list[Heard]:
    return [heard for heard in listener.heard("yard/state") if key in heard.json()]


def last(listener: Listener) -> Any:
    return listener.heard("yard/state")[-1].json()


def memory(run: Run) -> int:
    """Bytes of the daemon that are resident and its own."""
    status = Path(f"/proc/{run.process.pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024
