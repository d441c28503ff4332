"""`earwitness listen` as a user runs it, beside a daemon that publishes."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import soundfile

from tests.broker import eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.test_cli import earwitness
from tests.test_daemon import configured
from tests.toy import RATE, bursts, metadata, write_toy


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a daemon publishes: a second of noise and one of silence, again and again."""
    folder, port = tmp_path_factory.mktemp("daemon"), free_port()
    write_toy(folder / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    soundfile.write(folder / "yard.wav", bursts(*[(n + 0.5, n + 1.0) for n in range(900)], seconds=900.0), RATE)
    config = configured(folder, "yard", zmq=f'publish = "tcp://127.0.0.1:{port}"')
    with Run(folder, "-c", config) as run:
        eventually(lambda: run.events("end"), START_SECONDS)
        yield f"tcp://127.0.0.1:{port}"


def test_alerts_as_lines(url: str) -> None:
    done = earwitness("listen", url, "--count", 3)
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.split()[2:5] for line in done.stdout.splitlines()]
    assert len(found) == 3
    assert {tuple(words[:2]) for words in found} == {("gate/yard", "tone")}
    assert {words[2] for words in found} == {"begins", "lasted"}


def test_json_for_scripts(url: str) -> None:
    done = earwitness("listen", url, "--json", "--source", "yard", "--count", 2)
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"scores", "level", "event"} <= {each["kind"] for each in told}
    assert [each["content"]["label"] for each in told if each["kind"] == "event"] == ["tone", "tone"]


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *arguments: object) -> None:
        self._ours, theirs = pty.openpty()
        self.text = ""
        command = [sys.executable, "-m", "sed", *map(str, arguments)]
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "30"}
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)

    def shows(self, words: str) -> bool:
        """Whether it has shown this by now."""
        while select.select([self._ours], [], [], 0.05)[0]:
            try:
                self.text += os.read(self._ours, 65_536).decode(errors="replace")
            except OSError:  # it has ended
                break
        return words in self.text

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@contextmanager
def terminal(*arguments: object) -> Iterator[Terminal]:
    opened = Terminal(*arguments)
    try:
        yield opened
    finally:
        opened.close()


def test_bars_on_a_terminal_until_ctrl_c(url: str) -> None:
    with terminal("listen", url) as shown:
        eventually(lambda: shown.shows("gate/yard") and shown.shows("dBFS"), START_SECONDS)
        eventually(lambda: shown.shows("1.00 of 0.50") and "█" * 30 in shown.text and "│" in shown.text, START_SECONDS)
        eventually(lambda: shown.shows("last events") and "begins" in shown.text, START_SECONDS)
        shown.process.send_signal(signal.SIGINT)
        assert shown.process.wait(START_SECONDS) == 0
        assert not shown.shows("Traceback")
        assert "\x1b[?25h" in shown.text  # the cursor is back


def test_nobody_there_is_said_and_waited_for() -> None:
    where = f"tcp://127.0.0.1:{free_port()}"
    words = f"no publisher at {where}: is the daemon running, and [zmq] publish set?"
    command = [sys.executable, "-m", "sed", "listen", where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().strip() == words
        process.send_signal(signal.SIGINT)
        assert process.wait(START_SECONDS) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mqtt://localhost"], "listen: mqtt://localhost: should be tcp://HOST:PORT"),
        (["--key", "a.key"], "--key and --server-key go together"),
        (["--key", "a.key", "--server-key", "b.pub"], "a.key: no such file or directory; name a readable file that"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], words: str) -> None:
    done = earwitness("listen", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
