"""A real Mosquitto, what it uses, and a collector of another make than ours that takes what it passes on."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.process import Process
from tests.broker import Broker, eventually

WINDOW = 2_000
"""Unconfirmed messages of the collector, as in `sed.fleet.intake`."""
SETTLE_SECONDS, IDLE = 60.0, 0.02
"""How long what waits for the collector may take; CPU seconds that one without work uses in a second."""
PROBE = "earwitness/probe/availability"
"""Kept by the broker, for the collector to hear first."""
FOR_A_FLEET = "max_queued_messages 0"
"""A line of mosquitto.conf: it keeps all that waits for a collector, not only the first 1,000 messages."""


class Mosquitto(Broker):
    """A broker that saves what it keeps only when told to."""

    def __init__(self, folder: Path) -> None:
        lines = ["persistence true", f"persistence_location {folder}/", "autosave_interval 0", FOR_A_FLEET]
        super().__init__(folder, extra="\n".join(lines))

    @property
    def process(self) -> Process:
        """What it uses."""
        return Process(self.pid)

    def save(self) -> None:
        """Write all it keeps to the disk, as it does every half hour by itself."""
        os.kill(self.pid, signal.SIGUSR1)


class Collector:
    """`mosquitto_sub` with the subscriptions of `earwitness collect`; it writes down the topics of what it gets."""

    def __init__(self, broker: Broker, folder: Path, lasting: bool = False) -> None:
        """One that is `lasting` has a session that outlives it for an hour."""
        broker.publish(PROBE, b"online", retain=True)
        everything = "earwitness/+/+"
        topics = [f"$share/collect/{everything}/event", f"{everything}/state", f"{everything}/level"]
        options = [option for topic in [*topics, "earwitness/+/availability"] for option in ("-t", topic)]
        limits = ["-D", "connect", "receive-maximum", str(WINDOW)]
        limits += ["-c", "-i", "collector", "-x", "3600"] if lasting else []
        self._path = folder / f"collected-{time.monotonic_ns()}"
        self._out = self._path.open("wb")
        command = ["mosquitto_sub", "-V", "mqttv5", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-F", "%t"]
        self._process = subprocess.Popen(["stdbuf", "-oL", *command, *limits, *options], stdout=self._out)

    def leave(self) -> int:
        """Say goodbye; returns how many messages of events came."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10.0)
        self._out.close()
        return self._path.read_bytes().count(b"/event\n")

    def settle(self) -> None:
        """Wait until it has nothing to do any more."""
        until, before = time.monotonic() + SETTLE_SECONDS, -1.0
        while (now := Process(self._process.pid).cpu) - before > IDLE and time.monotonic() < until:
            before = now
            time.sleep(1.0)

    def __enter__(self) -> Self:
        """Wait until the broker sends it what it has subscribed to."""
        try:
            eventually(lambda: PROBE in self._path.read_text(), SETTLE_SECONDS)
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10.0)
        self._out.close()


@dataclass(slots=True)
class Spent:
    """CPU seconds of the broker, and how long it took."""

    cpu: float = 0.0
    seconds: float = 0.0


@contextmanager
def spent(process: Process) -> Iterator[Spent]:
    """While a `with` lasts."""
    done, cpu, begun = Spent(), process.cpu, time.monotonic()
    yield done
    done.cpu, done.seconds = process.cpu - cpu, time.monotonic() - begun


@contextmanager
def at_most(files: int) -> Iterator[None]:
    """What is started meanwhile may open so many files, as under systemd, and not as many as we may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
