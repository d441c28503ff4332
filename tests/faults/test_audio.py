"""Sound that goes, comes late, or is none."""

import contextlib
import io
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.broker import Broker, Listener, eventually
from tests.faults.accounts import (
    assert_accounted,
    assert_beats,
    assert_holds,
    everything_arrives,
    heard_on,
    held,
    logged,
    received,
)
from tests.faults.box import BEAT, ENDS, TRUE, Box, beating
from tests.microphone import RATE, VirtualMicrophone

OUTAGE = 1.0  # seconds


def assert_true_times(events: list[dict[str, Any]], microphone: VirtualMicrophone) -> None:
    """Every onset belongs to a burst, and is no earlier or later than the toy model is by itself.

    The first one after a loss is where in the burst sound came again.
    """
    for event in events:
        since = (datetime.fromisoformat(event["onset"]) - microphone.begun).total_seconds() % 1.0
        assert BEAT - TRUE < since < (ENDS if event["lost_samples"] else BEAT + TRUE)


def test_the_audio_server_is_killed_twice_beside_a_source_that_stays(box: Box, tmp_path: Path) -> None:
    with (
        Broker(tmp_path) as broker,
        Listener(broker, tmp_path) as listener,
        VirtualMicrophone(tmp_path) as microphone,
    ):
        microphone.sound = beating
        microphone.plug()
        box.configure(broker, street=box.beats("street", 300), yard="mic:yard")
        with box.run() as run:
            heard_on(run, 2, "yard")
            everything_arrives(box.runs, listener)
            before = held(run)
            for _ in range(2):
                with run.says("source yard: lost: "):
                    microphone.kill()
                    time.sleep(OUTAGE)
                with run.says("source yard: hearing"):
                    microphone.plug()
                heard_on(run, 2, "yard")
                assert_holds(run, before)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert_true_times(run.events("start", "yard")[1:], microphone)
    assert sum(event["lost_samples"] for event in run.events(source="yard")) > 2 * 0.8 * OUTAGE * RATE
    assert_beats(run.events("start", "street"))
    assert {event["lost_samples"] for event in run.events(source="street")} == {0}


def test_a_device_that_is_absent_at_the_start_and_plugged_later(box: Box, tmp_path: Path) -> None:
    with (
        Broker(tmp_path) as broker,
        Listener(broker, tmp_path) as listener,
        VirtualMicrophone(tmp_path) as microphone,
    ):
        microphone.sound = beating
        box.configure(broker, street=box.beats("street", 300), yard="mic:yard")
        with box.run() as run:
            logged(run, "source yard: lost: no microphone 'yard'")
            heard_on(run, 1, "street")
            eventually(lambda: [heard.json()["state"] for heard in listener.heard("yard/state")] == ["lost"])
            microphone.plug()
            heard_on(run, 2, "yard")
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert_true_times(run.events("start", "yard")[1:], microphone)
        told = [heard.json()["state"] for heard in listener.heard("yard/state")]
    assert list(dict.fromkeys(told)) == ["lost", "hearing", "stopped"]
    assert_beats(run.events("start", "street"))


NOISE = np.random.default_rng(0).bytes(200_000)
UNKNOWN = "not a recording that can be read (unknown format, or the header is cut short)"


def as_wav(noise: bytes) -> bytes:
    """Under a header that makes floating point numbers of it."""
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(noise, "<f4"), RATE, "FLOAT", format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(
    ("ends", "noise", "complaint"),
    [
        (True, NOISE, UNKNOWN),
        (False, NOISE, UNKNOWN),
        (True, as_wav(NOISE), "s) is "),  # infinite, or not a number
    ],
)
def test_a_source_that_sends_noise_bytes(box: Box, tmp_path: Path, ends: bool, noise: bytes, complaint: str) -> None:
    """It says in one line what is wrong with it, and the other source goes on."""
    beats = 3
    with Broker(tmp_path) as broker, Listener(broker, tmp_path) as listener:
        box.configure(broker, yard=box.beats("yard", beats), noisy="-")
        with box.run(stdin=subprocess.PIPE) as run:
            assert run.process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it has seen enough
                run.process.stdin.write(noise)
                run.process.stdin.flush()
            if ends:
                run.process.stdin.close()
            logged(run, "error source noisy: stopped: ")
            assert run.end() == 1
        (line,) = [line for line in run.log().splitlines() if "source noisy: stopped" in line]
        assert complaint in line
        assert_accounted(box.runs, listener, events=beats)
        assert "stopped" in [heard.json()["state"] for heard in listener.heard("noisy/state")]
        assert len(received(listener)) == 2 * beats
