"""A day of sound through the whole daemon, as fast as it is heard: nothing lost, nothing left behind, every event told.

    python -m benchmarks.soak [--hours 24] [--picture soak.png]

The daemon is a process of its own with a broker, clips, metrics and ZeroMQ switched on; its source waits for room in
the ring and for nothing else. A siren (the street's) sounds at a known moment of every minute. Exit code 1 if a bound
is broken. Memory and handles are looked at from the first hour on, or from a quarter of a shorter run on.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.flatout import BEGIN
from benchmarks.process import Process
from sed.broker import PrivateBroker
from sed.config import MqttConfig
from sed.shipped import example_path
from sed.watch import Subscriber
from tests.broker import free_port

RATE = 16_000
SIRENS = ((8.3, 16.8), (27.3, 35.0))
"""Seconds of the street in which one siren sounds."""
SIREN_ONSETS = (8.66, 27.64)
MINUTES_A_LOOK = 5
MOST_GROWTH_MB = 5.0
NEAR_SECONDS = 2.0
"""How far from where it was planted a siren may be found."""
QUIET_SECONDS = 3.0
"""Without a message after the daemon's end: there are no more."""

CONFIG = """
node = "soak"
[[source]]
name = "day"
url = "-"
[mqtt]
url = "{broker}"
[journal]
path = "journal.db"
max_size = "4MB"
[clips]
enabled = true
max_size = "20MB"
[metrics]
port = {metrics}
[zmq]
publish = "tcp://127.0.0.1:{zmq}"
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How the process was when so much sound had gone in."""

    hours: float
    memory: float  # MB
    handles: int
    threads: int


class Day:
    """Minutes of sound, one siren in each."""

    def __init__(self, street: Path) -> None:
        subprocess.run(
            [sys.executable, str(example_path("make_street.py")), str(street)], check=True, capture_output=True
        )
        sound, _ = soundfile.read(street, dtype="float32")
        self._cuts = [sound[round(first * RATE) : round(last * RATE)] for first, last in SIRENS]
        self._leads = [onset - first for onset, (first, _) in zip(SIREN_ONSETS, SIRENS, strict=True)]
        self._rng = np.random.default_rng(0)
        self._bed = self._rng.normal(0.0, 0.002, 60 * RATE).astype(np.float32)
        self.planted: list[float] = []
        """Onsets of the sirens so far, in seconds from the day's beginning."""

    def minute(self) -> bytes:
        """The next minute, 16 bit."""
        which = len(self.planted) % len(self._cuts)
        cut, start = self._cuts[which], self._rng.uniform(2.0, 40.0)
        self.planted.append(60.0 * len(self.planted) + start + self._leads[which])
        mix, first = self._bed.copy(), round(start * RATE)
        mix[first : first + len(cut)] += cut
        return bytes((mix * 32_767.0).astype("<i2").tobytes())


@dataclass(slots=True)
class Soak:
    """What came of it."""

    planted: list[float]
    looks: list[Look]
    code: int
    seconds: float
    received: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def soak(hours: float) -> Soak:
    """Play the day through a daemon."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(PrivateBroker())
        client = opened.enter_context(Subscriber(MqttConfig(url=broker.url), ["earwitness/+/+/event"]))
        client.wait_connected(10.0)
        inbox = opened.enter_context(Inbox(client))
        config = CONFIG.format(broker=broker.url, metrics=free_port(), zmq=free_port())
        (folder / "soak.toml").write_text(config)
        out = opened.enter_context((folder / "lines").open("wb"))
        command = [sys.executable, "-m", "benchmarks.flatout", "-c", str(folder / "soak.toml")]
        daemon = opened.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out))
        day, begin = Day(folder / "street.wav"), time.monotonic()
        looks = list(fed(daemon, day, round(hours * 60)))
        code = daemon.wait()
        seconds = time.monotonic() - begin
        inbox.wait_until_quiet()
        lines = [json.loads(line) for line in (folder / "lines").read_text().splitlines()]
        return Soak(day.planted, looks, code, seconds, inbox.events, lines)


def fed(daemon: "subprocess.Popen[bytes]", day: Day, minutes: int) -> Iterator[Look]:
    """Hand over the sound, and look at the process now and then."""
    assert daemon.stdin is not None
    process, console = Process(daemon.pid), Console(stderr=True)
    every = max(1, min(MINUTES_A_LOOK, minutes // 20))
    with daemon.stdin as sound:
        sound.write(endless_wav())
        for minute in track(
            range(1, minutes + 1), "minutes of sound", console=console, disable=not console.is_terminal
        ):
            sound.write(day.minute())
            if minute % every == 0:
                yield Look(minute / 60.0, process.resident, process.handles, process.threads)


def endless_wav() -> bytes:
    """The header of a WAV that does not say how long it is."""
    numbers = (16, 4), (1, 2), (1, 2), (RATE, 4), (2 * RATE, 4), (2, 2), (16, 2)
    form = b"".join(number.to_bytes(size, "little") for number, size in numbers)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + form + b"data\xff\xff\xff\xff"


class Inbox:
    """Takes in what a client receives, in a thread, while a `with` lasts."""

    def __init__(self, client: Subscriber) -> None:
        self._client = client
        self.events: list[dict[str, Any]] = []
        self._ended = threading.Event()
        self._quiet_since = time.monotonic()
        self._thread = threading.Thread(target=self._take, name="inbox")

    def wait_until_quiet(self) -> None:
        """Return when nothing has come for a while."""
        while time.monotonic() - self._quiet_since < QUIET_SECONDS:
            time.sleep(0.1)

    def _take(self) -> None:
        while not self._ended.is_set():
            for received in self._client.messages(0.2):
                self.events.append(received.json())
                self._quiet_since = time.monotonic()

    def __enter__(self) -> "Inbox":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def found(planted: Sequence[float], events: Sequence[dict[str, Any]]) -> list[float]:
    """For each planted siren that was told, from its start to its end, by how many seconds its onset is off."""
    ended = {event["id"] for event in events if event["phase"] == "end"}
    starts = [event for event in events if event["phase"] == "start" and event["label"] == "siren"]
    onsets = np.array([seconds_of(event) for event in starts if event["id"] in ended])
    off = [float(onsets[np.abs(onsets - onset).argmin()] - onset) for onset in planted] if len(onsets) else []
    return [error for error in off if abs(error) <= NEAR_SECONDS]


def seconds_of(event: dict[str, Any]) -> float:
    """Its onset, counted from the day's beginning."""
    return (datetime.fromisoformat(event["onset"]) - BEGIN) / timedelta(seconds=1)


def verdicts(done: Soak) -> list[tuple[str, str, str, bool]]:
    """What was measured, its value, its bound, and whether it holds."""
    hours = done.looks[-1].hours
    settled = [look for look in done.looks if look.hours >= min(1.0, hours / 4)]
    spans = np.array_split([look.memory for look in settled], max(2, round(hours)))
    usual = [float(np.median(span)) for span in spans]
    errors = found(done.planted, done.received)
    lost = sum(event["lost_samples"] for event in done.lines)
    keys = [{(event["id"], event["phase"]) for event in each} for each in (done.received, done.lines)]
    others = sum(event["phase"] == "start" for event in done.lines) - len(errors)
    off = f"{np.median(np.abs(errors)):.2f} s" if errors else "-"
    return [
        ("sound", f"{hours:g} h in {done.seconds:.0f} s", f"{3600 * hours / done.seconds:.0f} times real time", True),
        ("exit code", str(done.code), "0", done.code == 0),
        ("samples lost", str(lost), "0", lost == 0),
        ("sirens told over MQTT", f"{len(errors)} of {len(done.planted)}", "all", len(errors) == len(done.planted)),
        ("their onsets are off by (median)", off, "", True),
        ("other events", str(others), "", True),
        ("messages in MQTT / in JSON lines", f"{len(keys[0])} / {len(keys[1])}", "the same", keys[0] == keys[1]),
        ("memory at any time, most", f"{max(look.memory for look in done.looks):.0f} MB", "", True),
        ("memory, in a first and a last hour", f"{usual[0]:.1f}, {usual[-1]:.1f} MB", "", True),
        (
            "memory, most growth by hours",
            f"{growth(usual):.1f} MB",
            f"{MOST_GROWTH_MB:g} MB",
            growth(usual) < MOST_GROWTH_MB,
        ),
        ("handles, most", *flat([look.handles for look in settled])),
        ("threads, most", *flat([look.threads for look in settled])),
    ]


def growth(usual: Sequence[float]) -> float:
    """MB that the highest of later spans lies above the first; what is usual is a median, for blocks come and go."""
    return max(usual) - usual[0]


def flat(counts: Sequence[int]) -> tuple[str, str, bool]:
    """Whether there were no more in the second half than in the first: some, as a clip's file, come and go."""
    half = len(counts) // 2
    before, after = max(counts[: half + 1]), max(counts[half:])
    return f"{before}, then {after}", "no more than before", after <= before


def draw(looks: Sequence[Look], path: Path) -> None:
    """Memory and handles over the hours of sound."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, left = pyplot.subplots(figsize=(8.0, 3.0), layout="constrained")
    hours = [look.hours for look in looks]
    left.plot(hours, [look.memory for look in looks], label="resident memory, MB")
    left.plot(hours, [look.handles for look in looks], label="open handles")
    left.set(xlabel="hours of sound", ylim=(0, None))
    left.legend()
    figure.savefig(path)


def main() -> int:
    """Soak, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--picture", type=Path, help="draw memory and handles over time")
    arguments = parser.parse_args()
    done = soak(arguments.hours)
    rows = verdicts(done)
    table = Table("", "seen", "bound", "")
    for name, seen, bound, holds in rows:
        table.add_row(name, seen, bound, "" if holds else "BROKEN")
    Console(width=100).print(table)
    if arguments.picture:
        draw(done.looks, arguments.picture)
    return 0 if all(holds for *_, holds in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
