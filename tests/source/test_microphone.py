"""Microphones through a real PortAudio and a real audio server: nothing silently lost, never another device."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from sed.config import SourceConfig
from sed.ring import RingBuffer
from sed.source import microphone as microphone_module
from sed.source.microphone import Microphone
from sed.source.portaudio import portaudio
from sed.values import Channel
from tests.broker import eventually
from tests.microphone import PERIOD, RATE, Listening, Shorts, VirtualMicrophone, ramp, zeros

PATIENCE = 120.0  # seconds; the machine may be busy
STOPPED = 5.0  # seconds


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds that only make tests longer."""
    monkeypatch.setattr(microphone_module, "FIRST_DELAY", 0.1)
    monkeypatch.setattr(microphone_module, "LONGEST_DELAY", 0.3)
    monkeypatch.setattr(microphone_module, "SILENT_SECONDS", 0.5)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone(tmp_path) as virtual:
        virtual.plug()
        portaudio().look_again("")
        yield virtual


@contextmanager
def opened(url: str, channel: Channel = 0, gain_db: float = 0.0) -> Iterator[tuple[Microphone, Listening]]:
    ring = RingBuffer(20 * RATE)
    microphone = Microphone(SourceConfig(url=url, channel=channel, gain_db=gain_db), ring, RATE)
    with Listening(ring) as listening:
        microphone.start()
        try:
            yield microphone, listening
        finally:
            microphone.stop()
            microphone.join(PATIENCE)
    assert microphone.state == "stopped"


def wait_for(microphone: Microphone, state: str, reason: str = "") -> None:
    eventually(lambda: microphone.state == state and reason in microphone.reason, PATIENCE)


def wait_for_sound(listening: Listening, seconds: float) -> None:
    wanted = listening.heard + seconds * RATE
    eventually(lambda: listening.heard >= wanted, PATIENCE)


def assert_true_times(microphone: Microphone, listening: Listening, virtual: VirtualMicrophone) -> None:
    """The ramp tells when its samples were played; a computer that is busy may be late, at its best by little."""
    block = [block for block in listening.blocks if len(block.samples)][-1]
    played = round(float(block.samples[0]) * 32768) - 1
    told = (microphone.clock.utc(block.start) - virtual.begun).total_seconds() * RATE
    error = (told - played + PERIOD / 2) % PERIOD - PERIOD / 2
    assert abs(error / RATE) < 0.1


def test_samples_arrive_bit_by_bit_with_their_times(yard: VirtualMicrophone) -> None:
    with opened("mic:yard") as (microphone, listening):
        wait_for(microphone, "hearing")
        wait_for_sound(listening, 1.0)
        assert_true_times(microphone, listening, yard)
        assert microphone.reason == ""
    samples = listening.samples() * 32768
    steps = np.diff(samples[samples != 0])  # the server begins with zeros
    np.testing.assert_array_equal(np.unique(steps % PERIOD), [1.0])
    assert listening.lost == 0
    assert microphone.opened == 1


def test_a_server_that_is_killed_and_started_again(yard: VirtualMicrophone) -> None:
    with opened("mic:yard") as (microphone, listening):
        wait_for_sound(listening, 0.5)
        yard.kill()
        wait_for(microphone, "lost", "has gone")
        wait_for(microphone, "lost", "no microphone 'yard'")
        eventually(lambda: listening.lost > 0)  # told before sound comes again
        yard.plug()
        wait_for(microphone, "hearing")
        wait_for_sound(listening, 0.5)
        assert_true_times(microphone, listening, yard)
        assert microphone.opened == 2
        assert microphone.losses.gaps == 1
    assert listening.heard + listening.lost == listening.blocks[-1].end


def test_a_server_that_hangs_loses_sound_and_it_is_counted(yard: VirtualMicrophone) -> None:
    with opened("mic:yard") as (microphone, listening):
        wait_for_sound(listening, 0.5)
        yard.freeze()
        wait_for(microphone, "lost", "no sound has come for 1 s")
        yard.thaw()
        wait_for(microphone, "hearing")
        wait_for_sound(listening, 0.5)
        assert_true_times(microphone, listening, yard)
    assert listening.lost >= 0.5 * RATE


def test_absent_at_start_and_plugged_later_while_another_one_is_heard(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path, "gate") as gate, VirtualMicrophone(tmp_path, "yard") as yard:
        gate.plug()
        portaudio().look_again("")
        with opened("mic:gate") as (near, near_heard), opened("mic:yard") as (far, far_heard):
            wait_for(near, "hearing")
            wait_for(far, "lost", "no microphone 'yard' (there are: ")
            assert far_heard.blocks == []  # not from gate either
            yard.plug()
            wait_for(far, "hearing")
            wait_for(near, "hearing")
            wait_for_sound(near_heard, 0.2)
            wait_for_sound(far_heard, 0.2)
            assert near.opened == 2  # it made way for a moment, and what it missed is counted
        assert near_heard.lost > 0


def test_the_first_sound_may_take_longer_than_a_later_one(yard: VirtualMicrophone) -> None:
    yard.sound = None
    with opened("mic:yard") as (microphone, _):
        time.sleep(2.0 * microphone_module.LOST_SECONDS)
        assert (microphone.state, microphone.reason) == ("lost", "not opened yet")
        yard.sound = ramp
        wait_for(microphone, "hearing")


def test_one_that_never_comes_stays_lost_and_says_so(yard: VirtualMicrophone) -> None:
    with opened("mic:cellar") as (microphone, listening):
        wait_for(microphone, "lost", "no microphone 'cellar' (there are: ")
        time.sleep(0.5)
        assert microphone.state == "lost"
        assert "'yard'" in microphone.reason
        assert "plug it in, or see 'earwitness devices'" in microphone.reason
    assert listening.blocks == []


def test_the_default_one_and_a_part_of_a_name(yard: VirtualMicrophone) -> None:
    with opened("mic:") as (default, _), opened("mic:YAR") as (part, _):
        wait_for(default, "hearing")
        wait_for(part, "hearing")


def test_zeros_are_silence_and_nothing_is_a_loss(yard: VirtualMicrophone) -> None:
    with opened("mic:yard") as (microphone, listening):
        wait_for(microphone, "hearing")
        yard.sound = zeros
        wait_for(microphone, "silent", "nothing but zeros for 0.5 s: muted, or the wrong input")
        yard.sound = ramp
        wait_for(microphone, "hearing")
        yard.sound = None
        wait_for(microphone, "lost", "no sound has come for 1 s")
        yard.sound = ramp
        wait_for(microphone, "hearing")
    assert listening.lost > 0


def test_channel_mix_and_gain_of_one_device_opened_three_times(tmp_path: Path) -> None:
    def stereo(start: int, end: int) -> Shorts:
        return np.column_stack((np.full(end - start, 3000), np.full(end - start, -1000))).astype(np.int16)

    with VirtualMicrophone(tmp_path, channels=2) as yard:
        yard.sound = stereo
        yard.plug()
        portaudio().look_again("")
        with (
            opened("mic:yard") as (_, left),
            opened("mic:yard", 1, gain_db=-20.0) as (_, right),
            opened("mic:yard", "mix") as (_, mix),
            opened("mic:yard", 40) as (wrong, _),
        ):
            for listening in (left, right, mix):
                wait_for_sound(listening, 0.5)
            wait_for(wrong, "lost", "'yard' has no channel 40: it has 32, from 0")
    for listening, wanted in ((left, 3000), (right, -100), (mix, 1000)):
        assert listening.samples()[-1] * 32768 == pytest.approx(wanted, abs=0.01)


LISTENER = f"""
import sys, time
from sed.config import SourceConfig
from sed.ring import RingBuffer
from sed.source.microphone import Microphone
from tests.microphone import Listening
ring = RingBuffer(10 * {RATE})
microphone = Microphone(SourceConfig(url="mic:yard"), ring, {RATE})
with Listening(ring) as listening:
    microphone.start()
    while listening.heard < {RATE}:
        time.sleep(0.05)
    print("heard", flush=True)
    while ring.end < {RATE} * {1.0 + STOPPED + 1.0}:
        time.sleep(0.05)
    microphone.stop()
    microphone.join()
last = [block for block in listening.blocks if len(block.samples)][-1]
print(listening.heard, listening.lost, ring.end, last.samples[0] * 32768, microphone.clock.utc(last.start).isoformat())
"""


def test_a_process_that_is_stopped_for_five_seconds(yard: VirtualMicrophone) -> None:
    """Nothing is heard twice or forgotten, and the times afterwards are right; PulseAudio keeps what is not taken."""
    child = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "heard\n"
    os.kill(child.pid, signal.SIGSTOP)
    time.sleep(STOPPED)
    os.kill(child.pid, signal.SIGCONT)
    out, _ = child.communicate(timeout=PATIENCE)
    heard, lost, end, value, utc = out.split()
    assert int(heard) + int(lost) == int(end) >= STOPPED * RATE
    told = (datetime.fromisoformat(utc) - yard.begun).total_seconds() * RATE
    error = (told - float(value) + PERIOD / 2) % PERIOD - PERIOD / 2
    assert abs(error / RATE) < 0.1


def test_sounddevice_is_not_imported_until_a_microphone_is_made() -> None:
    code = "import sys, sed.source.microphone, sed.source.devices; print('sounddevice' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_portaudio_one_line_says_what_to_install() -> None:
    code = (
        "import ctypes.util, sys; ctypes.util.find_library = lambda name: None\n"
        "from sed.cli import main; sys.argv = ['earwitness', 'devices']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "earwitness: microphone: PortAudio is not installed; install it with: sudo apt-get install libportaudio2\n"
    )
