"""A wall clock that is set while the daemon hears: events keep their true times."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.broker import Broker, Listener
from tests.faults.accounts import assert_accounted, assert_beats, heard_on
from tests.faults.box import Box, beating
from tests.faults.wall import Wall
from tests.microphone import VirtualMicrophone

OBSERVED = 11.0
"""Seconds in which every clock of a source has looked at the wall twice."""

SETTLED = 5
"""Events, a second each, after which a clock has seen enough: on a busy computer its first guess may be late."""


@pytest.mark.parametrize("step", [10.0, pytest.param(-3_600.0, marks=pytest.mark.soak)])
def test_set_while_sound_is_heard(box: Box, tmp_path: Path, step: float) -> None:
    wall = Wall(tmp_path)
    with (
        Broker(tmp_path) as broker,
        Listener(broker, tmp_path) as listener,
        VirtualMicrophone(tmp_path) as microphone,
    ):
        microphone.sound = beating
        microphone.plug()
        box.configure(broker, yard=box.beats("yard", 300), gate="mic:yard")
        with box.run(environment=wall.environment) as run:
            heard_on(run, SETTLED + 1, "gate")
            wall.set(step)
            time.sleep(OBSERVED)
            heard_on(run, 2)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
    logged = datetime.fromisoformat(run.log().splitlines()[-1].split()[0])
    assert abs((logged - datetime.now(UTC)).total_seconds() - step) < abs(step) / 2  # it was set indeed
    for source in ("yard", "gate"):
        assert_beats(run.events("start", source)[SETTLED:], tolerance=0.020)
    assert {event["lost_samples"] for event in run.events()} == {0}
