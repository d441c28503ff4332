"""`earwitness satellite` as its own process, and the daemon that it brings its sound to as another."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytest
import soundfile

from sed.curve import Keys, write_keys
from tests.broker import eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.toy import RATE, bursts, write_toy

ROW = 0.04
"""Seconds."""


class Away:
    """One satellite; a `with` starts it and kills what is left of it."""

    def __init__(self, folder: Path, port: int, *options: object) -> None:
        self._log = folder / f"satellite-{time.monotonic_ns()}"
        to = ("--to", f"tcp://127.0.0.1:{port}", "--name", "gate")
        self._command = [sys.executable, "-m", "sed", "satellite", *map(str, (*to, *options))]

    def said(self, text: str) -> bool:
        return text in self._log.read_text()

    def end(self) -> int:
        return self.process.wait(START_SECONDS)

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=os.environ | {"NO_COLOR": "1"})
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.wait(START_SECONDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy(tmp_path / "toy.onnx")
    return tmp_path


def wav(folder: Path, seconds: int) -> Path:
    """A burst in the middle of every second."""
    soundfile.write(folder / "bursts.wav", bursts(*[(n + 0.4, n + 0.7) for n in range(seconds)], seconds=seconds), RATE)
    return folder / "bursts.wav"


def box(folder: Path, port: int, more: str = "") -> Path:
    """Its configuration."""
    (folder / "box.toml").write_text(
        f'node = "box"\nmodel = "{folder}/toy.onnx"\n[journal]\npath = "j.db"\n'
        "[rules.tone]\non = 0.5\noff = 0.4\nmin_duration = 0.08\nmax_gap = 0.12\n"
        f'[[source]]\nname = "gate"\nurl = "zmq+tcp://127.0.0.1:{port}"\n{more}'
    )
    return folder / "box.toml"


def onsets(events: list[dict[str, Any]]) -> list[float]:
    """Seconds after the first."""
    times = [datetime.fromisoformat(event["onset"]).timestamp() for event in events]
    return [moment - times[0] for moment in times]


def heard_on(run: Run) -> None:
    """Wait for one more event to end."""
    before = len(run.events("end"))
    eventually(lambda: len(run.events("end")) > before, START_SECONDS)


def listening(run: Run) -> None:
    eventually(lambda: run.said("satellites may come to "), START_SECONDS)


def test_a_satellites_file_gives_the_events_of_the_file(folder: Path) -> None:
    port, sound = free_port(), wav(folder, 3)
    (folder / "alone").mkdir()
    config = folder / "alone" / "c.toml"
    config.write_text(box(folder, port).read_text().replace(f"zmq+tcp://127.0.0.1:{port}", f"file:{sound}"))
    with Run(folder, "-c", config) as run:
        assert run.end() == 0
        alone = run.events()
    with Run(folder, "-c", box(folder, port)) as run, Away(folder, port, "--source", f"file:{sound}") as satellite:
        assert satellite.end() == 0
        eventually(lambda: run.said("source gate: lost: its satellite has ended"), START_SECONDS)
        run.send(signal.SIGTERM)
        assert run.end() == 0
        events = run.events()
    assert len(alone) == 6
    assert [event["phase"] for event in events] == [event["phase"] for event in alone]
    assert onsets(events) == pytest.approx(onsets(alone), abs=ROW)
    for one, other in zip(events, alone, strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=0.01)
        assert one["duration"] == pytest.approx(other["duration"], abs=ROW)
    assert {event["lost_samples"] for event in events} == {0}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_box_that_is_started_again_misses_nothing(folder: Path, number: signal.Signals) -> None:
    seconds = 12  # then it calls for half a minute more, and a busy box may need that
    port, sound = free_port(), wav(folder, seconds)
    config = box(folder, port)
    with Run(folder, "-c", config) as first, ExitStack() as opened:
        listening(first)
        satellite = opened.enter_context(Away(folder, port, "--source", f"file:{sound}"))
        eventually(lambda: len(first.events("start")) >= 2, START_SECONDS)
        first.send(number)
        first.end()
        before = first.events("start")
        time.sleep(1.0)
        with Run(folder, "-c", config) as run:
            assert satellite.end() == 0
            eventually(lambda: run.said("its satellite has ended"), START_SECONDS)
            run.send(signal.SIGTERM)
            assert run.end() == 0
            after = [event for event in run.events("start") if event["id"] not in {one["id"] for one in before}]
    events = before + after
    assert {round(onset) for onset in onsets(events)} == set(range(seconds))
    assert max(abs(onset - round(onset)) for onset in onsets(events)) <= 0.3 + 2 * ROW  # one may have been cut in two
    assert {event["lost_samples"] for event in events} == {0}


def test_a_satellite_that_is_killed_comes_back_and_a_stopped_one_goes_on(folder: Path) -> None:
    port, sound = free_port(), wav(folder, 300)
    source, lost, hearing = (
        ("--source", f"file:{sound}"),
        "lost: no word from its satellite",
        "info source gate: hearing",
    )
    with Run(folder, "-c", box(folder, port)) as run:
        with Away(folder, port, *source) as satellite:
            heard_on(run)
            with run.says(lost):
                satellite.process.kill()
        with ExitStack() as opened:
            with run.says(hearing):
                satellite = opened.enter_context(Away(folder, port, *source))
            heard_on(run)
            with run.says(lost):
                satellite.process.send_signal(signal.SIGSTOP)
            with run.says(hearing):
                satellite.process.send_signal(signal.SIGCONT)
            heard_on(run)
            satellite.process.terminate()
            assert satellite.end() == 0
        run.send(signal.SIGTERM)
        assert run.end() == 0
        starts, ends = run.events("start"), run.events("end")
        assert sorted(event["id"] for event in starts) == sorted(event["id"] for event in ends)
        assert sum(event["lost_samples"] for event in run.events()) > 0  # between the two satellites


def test_keys_for_a_box_and_its_satellites(folder: Path) -> None:
    port, sound = free_port(), wav(folder, 3)
    (folder / "allowed").mkdir()
    write_keys(folder / "box", Keys.new("box"))
    write_keys(folder / "allowed" / "gate", Keys.new("gate"))
    write_keys(folder / "other", Keys.new("other"))
    config = box(folder, port, '[zmq]\nsecret_key_file = "box.key"\nallowed_keys = "allowed"\n')
    source = ("--source", f"file:{sound}", "--server-key", folder / "box.pub", "--key")
    with Run(folder, "-c", config) as run:
        listening(run)
        with Away(folder, port, *source, folder / "other.key") as wrong:
            eventually(lambda: wrong.said("the box does not know our key"), START_SECONDS)
            wrong.process.terminate()
            assert wrong.end() == 0
        assert run.events() == []
        with Away(folder, port, *source, folder / "allowed" / "gate.key") as right:
            assert right.end() == 0
        eventually(lambda: len(run.events("end")) >= 3, START_SECONDS)
        run.send(signal.SIGTERM)
        assert run.end() == 0


def test_without_a_box_it_waits_says_so_and_ends_when_told(folder: Path) -> None:
    sound = wav(folder, 300)
    with Away(folder, free_port(), "--source", f"file:{sound}") as satellite:
        eventually(lambda: satellite.said("nobody listens there; calls again"), START_SECONDS)
        time.sleep(0.5)  # and hears something meanwhile
        satellite.process.terminate()
        assert satellite.end() == 0
        assert satellite.said("s of sound did not get there")


def used(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sed", "satellite", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "box:5557"], "--to box:5557: should be tcp://HOST:PORT"),
        (["--to", "tcp://127.0.0.1:70000"], "should be tcp://HOST:PORT"),
        (["--to", "tcp://box:5557"], "sound leaves this computer: it needs --key and --server-key"),
        (["--to", "tcp://127.0.0.1:5557", "--key", "gate.key"], "--key and --server-key go together"),
        (["--to", "tcp://127.0.0.1:5557", "--source", "pipe:"], "--source pipe:: url: should be mic: or mic:NAME"),
        (["--to", "tcp://127.0.0.1:5557", "--source", "zmq+tcp://127.0.0.1:5557"], "that is for the box"),
        (["--to", "tcp://127.0.0.1:5557", "--name", "n" * 65], "need 1 to 64 printable characters"),
    ],
)
def test_wrong_use(arguments: list[str], message: str) -> None:
    done = used(*arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert message in done.stderr


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "page.wav").write_text("<html>")
    done = used("--to", f"tcp://127.0.0.1:{free_port()}", "--source", f"file:{tmp_path}/page.wav")
    assert done.returncode == 1
    assert "page.wav: not a recording that can be read" in done.stderr.splitlines()[-1]


def test_where_privacy_forbids_it_no_sound_leaves(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[privacy]\naudio = false\n")
    done = used("--to", "tcp://127.0.0.1:5557", "-c", tmp_path / "c.toml")
    assert (done.returncode, "no sound may leave this computer" in done.stderr) == (2, True)


def test_a_satellite_needs_no_model() -> None:
    code = (
        "import sys, sed.commands.satellite as s\n"
        "print(sorted({'onnxruntime', 'torch', 'paho', 'sqlite3', 'prometheus_client'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
