"""Accounts of what a daemon heard, told and gave up, drawn up after a fault; and of what it holds open meanwhile."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker, Heard, Listener, eventually
from tests.daemon import START_SECONDS, Run

GIVEN_UP = re.compile(r"discarded (\d+) messages that mqtt|; (\d+) messages are lost|again, (\d+) were lost")
"""How the log counts messages that no subscriber will ever see."""

Told = dict[tuple[str, str], dict[str, Any]]
"""Messages by id and phase."""


def told(runs: Iterable[Run]) -> Told:
    """What the detectors of these runs have said, by their JSON lines."""
    return {(event["id"], event["phase"]): event for run in runs for event in run.events()}


def received(listener: Listener) -> Told:
    """What the subscriber has: once or more, but always the same under one id, and no end before its start."""
    messages: Told = {}
    for heard in listener.heard("/event"):
        event = heard.json()
        event.pop("late", None)
        key = (event["id"], event["phase"])
        assert messages.setdefault(key, event) == event
        assert (event["id"], "start") in messages
    return messages


def given_up(runs: Iterable[Run]) -> int:
    """Messages that were counted as discarded, by the log."""
    return sum(int(count) for run in runs for counts in GIVEN_UP.findall(run.log()) for count in counts if count)


def logged(run: Run, text: str, times: int = 1) -> None:
    """Wait until the log says so, and so often."""
    eventually(lambda: run.log().count(text) >= times, START_SECONDS)


def heard_on(run: Run, events: int = 1, source: str = "") -> None:
    """Wait for so many more events to end."""
    before = len(run.events("end", source))
    eventually(lambda: len(run.events("end", source)) >= before + events, START_SECONDS)


def everything_arrives(runs: Sequence[Run], listener: Listener) -> None:
    """Wait until the subscriber has all that was told so far."""
    wanted = set(told(runs))
    eventually(lambda: wanted <= set(received(listener)), START_SECONDS)


def assert_accounted(runs: Sequence[Run], listener: Listener, events: int | None = None) -> None:
    """Once the daemon has ended: nothing is missing that was not counted, all that began has ended, all is OFF.

    `events` is how many sounds there truly were, where that is known.
    """
    eventually(lambda: _last(listener, "availability").payload == "offline", START_SECONDS)
    seen, said = received(listener), told(runs)
    missing = set(said) - set(seen)
    assert len(missing) <= given_up(runs)
    assert {key: seen[key] for key in said.keys() - missing} == {key: said[key] for key in said.keys() - missing}
    if events is not None:
        assert len(seen) + given_up(runs) == 2 * events
    if not given_up(runs):
        starts, ends = ({name for name, phase in seen if phase == each} for each in ("start", "end"))
        assert starts == ends
    assert {heard.payload for heard in _lasts(listener) if heard.payload in ("ON", "OFF")} <= {"OFF"}


def assert_beats(events: Iterable[dict[str, Any]], tolerance: float = 0.1) -> None:
    """The starts are a second apart: none was left out, and every one has its true time."""
    onsets = sorted(datetime.fromisoformat(event["onset"]).timestamp() for event in events if event["phase"] == "start")
    gaps = [later - earlier for earlier, later in pairwise(onsets)]
    assert gaps == pytest.approx([1.0] * len(gaps), abs=tolerance)


def handles(run: Run) -> int:
    """Files and sockets that the daemon holds open."""
    return len(list(Path(f"/proc/{run.process.pid}/fd").iterdir()))


def threads(run: Run) -> int:
    """Threads that the daemon has."""
    return len(list(Path(f"/proc/{run.process.pid}/task").iterdir()))


def held(run: Run) -> tuple[int, int]:
    """Handles and threads: worth remembering once the broker has all that was told, for then all is open."""
    return handles(run), threads(run)


def assert_holds(run: Run, before: tuple[int, int]) -> None:
    """As many handles and threads as `before`, as soon as what was under way is over."""
    eventually(lambda: held(run) == before, START_SECONDS)


def retained(broker: Broker, folder: Path) -> dict[str, str]:
    """What a newcomer hears first."""
    with Listener(broker, folder) as newcomer:
        broker.publish("done", b"now")
        eventually(lambda: newcomer.heard("done"))
        return {heard.topic: heard.payload for heard in newcomer.heard() if heard.retain}


def _lasts(listener: Listener) -> list[Heard]:
    """The last message on each topic."""
    return list({heard.topic: heard for heard in listener.heard()}.values())


def _last(listener: Listener, topic: str) -> Heard:
    return (listener.heard(topic) or [Heard(topic, "", 0, False)])[-1]
