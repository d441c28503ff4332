"""What systemd hears and sees: notifications over a real socket, and the unit by systemd's own tools."""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from sed.systemd import Notifier
from tests.broker import eventually
from tests.daemon import START_SECONDS, Run
from tests.toy import RATE, bursts, write_toy

UNITS = sorted((Path(__file__).parents[1] / "systemd").glob("*.service"))
EXPOSURE = 2.0
"""What `systemd-analyze security` shall stay below; 10 is a service with no protection at all."""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(str(tmp_path / "notify"))
        opened.settimeout(START_SECONDS)
        yield opened


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_words_and_the_watchdog_at_its_rate(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("sed.systemd.time.monotonic", lambda: now)
    with Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "4000000"}) as notifier:
        notifier.tell(READY=1, STATUS="listening to yard")
        assert heard(manager) == ["READY=1", "STATUS=listening to yard"]
        for _ in range(35):  # 3.5 s in steps of 0.1 s
            notifier.feed()
            now += 0.1
    manager.setblocking(False)
    assert [heard(manager) for _ in range(4)] == [["WATCHDOG=1"]] * 4
    with pytest.raises(BlockingIOError):
        manager.recv(1)


def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0earwitness-test")
        with Notifier({"NOTIFY_SOCKET": "@earwitness-test"}) as notifier:
            notifier.tell(STOPPING=1)
        assert heard(manager) == ["STOPPING=1"]


def test_a_manager_that_does_not_read_holds_nobody_up(manager: socket.socket, tmp_path: Path) -> None:
    with Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}) as notifier:
        for n in range(5000):  # far more than a socket takes
            notifier.tell(STATUS=n)
    assert heard(manager) == ["STATUS=0"]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_without_systemd_nothing_happens(environment: dict[str, str]) -> None:
    with Notifier(environment) as notifier:
        notifier.tell(READY=1)
        notifier.feed()


def test_a_watchdog_for_another_process_is_not_ours() -> None:
    with Notifier({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"}) as notifier:
        assert notifier.watchdog_seconds == 0.0


def test_the_daemon_says_ready_feeds_while_sound_flows_and_says_that_it_stops(
    manager: socket.socket, tmp_path: Path
) -> None:
    write_toy(tmp_path / "toy.onnx")
    soundfile.write(tmp_path / "long.wav", bursts(seconds=300.0), RATE)
    (tmp_path / "c.toml").write_text(
        f'model = "{tmp_path}/toy.onnx"\n[[source]]\nname = "yard"\nurl = "file:long.wav"\n[journal]\npath = "j.db"\n'
    )
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    with Run(tmp_path, "-c", tmp_path / "c.toml", environment=environment) as run:
        assert heard(manager) == ["READY=1", "STATUS=listening to yard"]
        assert [heard(manager) for _ in range(5)] == [["WATCHDOG=1"]] * 5
        run.reload()
        assert until(manager, "RELOADING=1")[1].startswith("MONOTONIC_USEC=")
        assert until(manager, "READY=1") == ["READY=1"]
        run.send(signal.SIGTERM)
        assert until(manager, "STOPPING=1") == ["STOPPING=1"]
        assert run.end() == 0


def test_a_source_that_gives_no_sound_does_not_feed_the_watchdog(manager: socket.socket, tmp_path: Path) -> None:
    """Standard input that stays open and never says a word."""
    write_toy(tmp_path / "toy.onnx")
    (tmp_path / "c.toml").write_text(
        f'model = "{tmp_path}/toy.onnx"\n[[source]]\nname = "yard"\nurl = "-"\n[journal]\npath = "j.db"\n'
    )
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    with Run(tmp_path, "-c", tmp_path / "c.toml", environment=environment, stdin=subprocess.PIPE) as run:
        assert heard(manager)[0] == "READY=1"
        eventually(lambda: run.said("warning source yard: lost: not opened yet"), START_SECONDS)
        run.send(signal.SIGTERM)
        assert heard(manager) == ["STOPPING=1"]  # and nothing before it
        assert run.end() == 0


def until(manager: socket.socket, word: str) -> list[str]:
    """The next message that begins so; those of the watchdog are passed over."""
    while (message := heard(manager)) == ["WATCHDOG=1"]:
        pass
    assert message[0] == word
    return message


@pytest.fixture(params=UNITS, ids=lambda unit: unit.stem)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    shipped: Path = request.param
    path = tmp_path / shipped.name
    path.write_text(shipped.read_text().replace("/opt/earwitness/bin/earwitness", sys.executable))
    return path


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_is_exposed_to_little(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE * 10:.0f}", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    level = float(done.stdout.split("Overall exposure level")[1].split(":")[1].split()[0])
    assert (done.returncode, level < EXPOSURE) == (0, True)
