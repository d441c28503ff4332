"""A daemon that is killed without a warning, or stopped for a while."""

import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.broker import Broker, Listener, eventually
from tests.daemon import START_SECONDS, Run
from tests.faults.accounts import (
    assert_accounted,
    assert_holds,
    everything_arrives,
    heard_on,
    held,
    received,
    retained,
)
from tests.faults.box import BEAT, ENDS, LABEL, TRUE, Box, beating
from tests.microphone import RATE, VirtualMicrophone

STOPPED = 5.0  # seconds


def test_kill_9_during_an_event_while_the_broker_is_away(box: Box, tmp_path: Path) -> None:
    """Neither the events that wait nor the one that sounds are lost, and no label is left ON."""
    with Broker(tmp_path, persistent=True) as broker, Listener(broker, tmp_path, lasting=True) as listener:
        box.configure(broker, yard=box.beats("yard", 300))
        with box.run() as run:
            eventually(lambda: [heard.payload for heard in listener.heard(LABEL)][-1:] == ["ON"], START_SECONDS)
            broker.stop()
            heard_on(run, 2)
            eventually(lambda: run.events()[-1]["phase"] == "start")
            run.send(signal.SIGKILL)
            run.end()
        broker.start()
        assert retained(broker, tmp_path)[f"earwitness/gate/yard/{LABEL}"] == "ON"
        box.configure(broker, yard=box.beats("yard", 1))
        with box.run() as run:
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert retained(broker, tmp_path)[f"earwitness/gate/yard/{LABEL}"] == "OFF"
    ends = [event for (_, phase), event in received(listener).items() if phase == "end"]
    assert [end["duration"] for end in ends].count(None) == 1  # of the one that was cut short nobody knows


def test_kill_9_again_and_again(box: Box, tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Listener(broker, tmp_path) as listener:
        box.configure(broker, yard=box.beats("yard", 300))
        for phase in ("start", "end"):
            with box.run() as run:
                reaches(run, phase)
                run.send(signal.SIGKILL)
                run.end()
        box.configure(broker, yard=box.beats("yard", 1))
        with box.run() as run:
            assert run.end() == 0
        assert_accounted(box.runs, listener)


def reaches(run: Run, phase: str) -> None:
    eventually(lambda: run.events(phase), START_SECONDS)


def lateness(event: dict[str, Any], microphone: VirtualMicrophone) -> float:
    """Seconds by which an onset is later than the burst that it belongs to."""
    since = (datetime.fromisoformat(event["onset"]) - microphone.begun).total_seconds()
    return (since - BEAT + 0.5) % 1.0 - 0.5


def test_stopped_for_five_seconds(box: Box, tmp_path: Path) -> None:
    """What was not heard is counted, and what is heard afterwards has its true time."""
    with (
        Broker(tmp_path) as broker,
        Listener(broker, tmp_path) as listener,
        VirtualMicrophone(tmp_path) as microphone,
    ):
        microphone.sound = beating
        microphone.plug()
        box.configure(broker, yard="mic:yard")
        with box.run() as run:
            heard_on(run, 3)
            everything_arrives(box.runs, listener)
            before = held(run)
            run.send(signal.SIGSTOP)
            time.sleep(STOPPED)
            run.send(signal.SIGCONT)
            heard_on(run, 8)  # five of them were missed until now
            assert_holds(run, before)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        everything_arrives(box.runs, listener)
        begun, starts = microphone.begun, run.events("start")
        assert_accounted(box.runs, listener)
    onsets = [(datetime.fromisoformat(event["onset"]) - begun).total_seconds() for event in starts]
    missing = round(onsets[-1] - onsets[0]) + 1 - len(starts)
    lost = sum(event["lost_samples"] for event in run.events())
    assert missing * (ENDS - BEAT) * RATE <= lost
    assert max(abs(lateness(event, microphone)) for event in starts[-3:]) < TRUE
