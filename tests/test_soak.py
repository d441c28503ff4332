"""Ten minutes of the day that `make soak` plays through the daemon, and what it may listen to meanwhile."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.broker import Broker, eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.toy import RATE, bursts, metadata, write_toy

ROOT = Path(__file__).parents[1]
LISTENS = "0A"
"""A socket's state in /proc/net/tcp."""

FULL = """
node = "gate"
model = "{folder}/toy.onnx"
[[source]]
name = "yard"
url = "file:yard.wav"
[[source]]
name = "shed"
url = "zmq+tcp://127.0.0.1:{ports[0]}"
[mqtt]
url = "mqtt://127.0.0.1:{broker}"
[journal]
path = "journal.db"
[clips]
enabled = true
[zmq]
publish = "tcp://127.0.0.1:{ports[1]}"
[metrics]
port = {ports[2]}
"""


def soak(*options: str, timeout: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.soak", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, cwd=ROOT)


def test_ten_minutes_through_the_daemon_lose_nothing() -> None:
    done = soak("--hours", str(10 / 60), timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10" in done.stdout


def listening(pid: int) -> list[tuple[str, int]]:
    """Addresses and ports, as the kernel writes them, at which a process takes connections."""
    links = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
    own = {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:[")}
    rows = [line.split() for family in ("tcp", "tcp6") for line in _table(Path(f"/proc/{pid}/net/{family}"))]
    open_ = [row for row in rows if row[9] in own and row[3] == LISTENS]
    return [(row[1].split(":")[0], int(row[1].split(":")[1], 16)) for row in open_]


def _table(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:] if path.exists() else []


LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_nothing_listens_outside_loopback(tmp_path: Path, broker: Broker) -> None:
    write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4))
    soundfile.write(tmp_path / "yard.wav", bursts((0.3, 60.0), seconds=60.0), RATE)
    ports = [free_port() for _ in range(3)]
    (tmp_path / "gate.toml").write_text(FULL.format(folder=tmp_path, broker=broker.port, ports=ports))
    with Run(tmp_path, "-c", tmp_path / "gate.toml") as run:
        eventually(
            lambda: run.events("start") and {port for _, port in listening(run.process.pid)} >= set(ports),
            START_SECONDS,
        )
        found = listening(run.process.pid)
        run.send(signal.SIGTERM)
        assert run.end() == 0
    assert {port for _, port in found} == set(ports)
    assert {address for address, _ in found} <= LOOPBACK
