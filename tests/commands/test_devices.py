"""`earwitness devices` as a user runs it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.broker import eventually
from tests.microphone import VirtualMicrophone
from tests.test_cli import earwitness


def test_it_lists_what_can_be_opened(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path) as yard:
        yard.plug()
        done = earwitness("devices")
    assert done.returncode == 0
    assert done.stdout.split("\n")[0].split() == ["open", "as", "through", "channels", "rates,", "kHz", "default"]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("mic:yard "))
    assert line.split()[:3] == ["mic:yard", "ALSA", "32"]
    assert {"16", "44.1", "48"} <= set(line.split())


def test_it_says_what_is_missing(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path):  # not plugged in
        done = earwitness("devices")
    assert "mic:yard" not in done.stdout
    assert "not reached: audio server: unix:" in done.stdout


def test_the_meter_shows_levels_until_interrupted(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path) as yard:
        yard.plug()
        command = [sys.executable, "-m", "sed", "devices", "--meter", "yard", "cellar"]
        shown = tmp_path / "shown"
        with shown.open("w") as out:
            meter = subprocess.Popen(command, stdout=out, env=_terminal())
            try:
                eventually(lambda: re.search(r"mic:yard +█+ +-\d\d\.\d dBFS", shown.read_text()), 60.0)
                eventually(lambda: "no microphone 'cellar'" in shown.read_text(), 60.0)
                meter.send_signal(signal.SIGINT)
                assert meter.wait(60.0) == 0
            finally:
                meter.kill()
                meter.wait()


def test_names_are_for_the_meter() -> None:
    done = earwitness("devices", "yard")
    assert (done.returncode, done.stderr) == (
        2,
        "earwitness: devices: names are for --meter; add it, or leave them out\n",
    )


def _terminal() -> dict[str, str]:
    """The meter draws on terminals only."""
    return os.environ | {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "1", "NO_COLOR": "1", "COLUMNS": "160"}
