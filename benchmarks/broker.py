"""What a fleet costs its broker: a real Mosquitto with thousands of boxes, each with a TCP connection of its own.

    python -m benchmarks.broker [--boxes 1 100 1000 5000 10000] [--seconds 10] [--update docs/scale.md]

First one real box, through a relay that counts: what it says when it connects, hears something, hears nothing, and
connects again. Then so many boxes that say the same under their own names, while `mosquitto_sub` takes part as a
collector does: memory and CPU of Mosquitto by connection, event and level, how many events it passes on, and what it
costs when all boxes come back at once, or nobody collects. CPU is the broker's alone, so it holds on a busy machine,
too; how long something takes does not. All on loopback. --update writes the constants into that document's table.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

from rich.console import Console
from rich.table import Table

from benchmarks.crowd import Crowd, raise_limit
from benchmarks.mosquitto import Collector, Mosquitto, Spent, at_most, spent
from benchmarks.traffic import Traffic, Wire, overheard
from tests.broker import Broker

SPARE_HANDLES = 200
"""Beside those of the connections."""
SYSTEMD_FILES, HANDLES_SECONDS = 1_024, 15.0
"""What systemd lets a service open unless its unit says otherwise, and how long we try to go beyond it."""
PACE, RUSH = 400, 20_000
"""Events a second when Mosquitto has time, and how many when it has none."""


@dataclass(slots=True)
class Seen:
    """With so many boxes; CPU in seconds of the broker."""

    boxes: int
    memory: float = 0.0  # MB
    connect: Spent = field(default_factory=Spent)  # of those that came since the row before
    came: int = 0
    level: float = 0.0  # CPU of one
    event: float = 0.0  # CPU of one: four messages in, two out
    rush: Spent = field(default_factory=Spent)
    storm: Spent = field(default_factory=Spent)
    retries: int = 0  # in it
    swollen: float = 0.0  # MB after that
    standstill: float = 0.0  # seconds while it saves


@dataclass(slots=True)
class Measured:
    """All of it."""

    rows: list[Seen] = field(default_factory=list)
    empty: float = 0.0  # MB
    told: int = 0
    collected: int = 0
    stopped: str = ""


def measure(counts: Sequence[int], traffic: Traffic, seconds: float, rush: int = RUSH) -> Measured:
    """Let the crowd grow from each count to the next."""
    done = Measured()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(Mosquitto(folder))
        done.empty = broker.process.resident
        collector = opened.enter_context(Collector(broker, folder))
        crowd = opened.enter_context(Crowd(broker.port, traffic))
        for count in counts:
            try:
                done.rows.append(_grown(broker, crowd, count, seconds, rush))
            except (OSError, TimeoutError) as error:
                done.stopped = f"stopped on the way to {count:,} boxes: {error}"
                break
        collector.settle()
        done.told, done.collected = crowd.told, collector.leave()
    return done


def _grown(broker: Mosquitto, crowd: Crowd, count: int, seconds: float, rush: int) -> Seen:
    process, seen = broker.process, Seen(count, came=count - len(crowd.members))
    with spent(process) as seen.connect:
        crowd.gather(seen.came)
    time.sleep(1.0)
    seen.memory = process.resident
    pace = min(PACE, 20 * count)
    with spent(process) as quiet:
        told = crowd.tell(max(pace, count / 10), seconds, level=True)
    seen.level = quiet.cpu / told
    with spent(process) as busy:
        told = crowd.tell(pace, seconds)
    seen.event = busy.cpu / told
    with spent(process) as seen.rush:
        crowd.rush(rush)
    broker.save()
    seen.standstill = crowd.rush(1)
    before = crowd.retries
    with spent(process) as seen.storm:
        crowd.scatter_and_return()
    seen.swollen, seen.retries = process.resident, crowd.retries - before
    return seen


def queued(traffic: Traffic, events: int = RUSH) -> float:
    """Bytes of memory that Mosquitto needs for each message that waits for a collector which is away."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(Mosquitto(folder))
        crowd = opened.enter_context(Crowd(broker.port, traffic))
        crowd.gather(100)
        with Collector(broker, folder, lasting=True) as collector:
            crowd.rush(100)
            collector.leave()
        before = broker.process.resident
        crowd.rush(events)
        return (broker.process.resident - before) * 1e6 / (2 * events)


def handles(traffic: Traffic) -> int:
    """How many boxes a Mosquitto takes that may open as few files as systemd lets it."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        with at_most(SYSTEMD_FILES):
            broker = opened.enter_context(Mosquitto(folder))
        crowd = opened.enter_context(Crowd(broker.port, traffic))
        with suppress(TimeoutError):
            crowd.gather(SYSTEMD_FILES + 100, HANDLES_SECONDS)
        return sum(member.here for member in crowd.members)


def constants(traffic: Traffic, bare: Traffic, done: Measured, alone: Measured) -> dict[str, float]:
    """By the names that docs/scale.md has for them; `bare` and `alone` are without discovery."""
    last, lean = done.rows[-1], alone.rows[-1]
    return {
        "wire_connect": traffic.first.bytes,
        "wire_reconnect": traffic.again.bytes,
        "wire_reconnect_bare": bare.again.bytes,
        "wire_event": traffic.happening.bytes,
        "wire_standing": round(traffic.standing.bytes / traffic.seconds, 1),
        "broker_memory": round((last.memory - done.empty) * 1e3 / last.boxes, 1),
        "broker_memory_storm": round((last.swollen - done.empty) * 1e3 / last.boxes, 1),
        "broker_memory_bare": round((lean.memory - alone.empty) * 1e3 / lean.boxes, 1),
        "broker_cpu_connect": round(last.storm.cpu * 1e6 / last.boxes),
        "broker_cpu_connect_bare": round(lean.storm.cpu * 1e6 / lean.boxes),
        "broker_cpu_level": round(last.level * 1e6, 1),
        "broker_cpu_event": round(last.event * 1e6, 1),
        "broker_cpu_rush": round(last.rush.cpu * 1e6 / RUSH, 1),
        "broker_standstill": round(last.standstill * 1e3),
        "broker_storm": round(last.storm.seconds, 1),
        "broker_boxes": last.boxes,
    }


def show(console: Console, done: Measured, title: str) -> None:
    """A row a count."""
    table = Table(
        "boxes", "memory, MB", "CPU a connect, ms", "a level, us", "an event, us", "events a s, seen",
        "at a full core", "all back in, s", "tried again", "CPU of that, s", "MB then", "save, ms", title=title,
    )  # fmt: skip
    for seen in done.rows:
        rushed = RUSH if seen.rush.cpu else 0
        table.add_row(
            f"{seen.boxes:,}",
            f"{seen.memory:.1f}",
            f"{seen.connect.cpu * 1e3 / max(1, seen.came):.2f}",
            f"{seen.level * 1e6:.0f}",
            f"{seen.event * 1e6:.0f}",
            f"{rushed / seen.rush.seconds:,.0f}",
            f"{rushed / max(seen.rush.cpu, 1e-9):,.0f}",
            f"{seen.storm.seconds:.1f}",
            f"{seen.retries:,}",
            f"{seen.storm.cpu:.2f}",
            f"{seen.swollen:.1f}",
            f"{seen.standstill * 1e3:.0f}",
        )
    console.print(table)
    console.print(f"{done.collected:,} of {2 * done.told:,} messages of events reached the collector")
    if done.stopped:
        console.print(done.stopped)


def show_wire(console: Console, traffic: Traffic, bare: Traffic) -> None:
    """What one box weighs."""
    table = Table("one box", "up, bytes", "down", "segments", "on the wire", title="with headers of TCP and IPv4")
    rows: list[tuple[str, Wire]] = [
        ("first connect, discovery and states", traffic.first),
        ("the same after an outage", traffic.again),
        ("first connect, discovery = false", bare.first),
        ("after an outage, discovery = false", bare.again),
        ("an event: start and end, ON and OFF", traffic.happening),
        (f"{traffic.seconds:.0f} s of nothing", traffic.standing),
    ]
    for name, wire in rows:
        table.add_row(name, *(f"{number:,}" for number in (*wire, wire.bytes)))
    console.print(table)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, nargs="+", default=[1, 100, 1_000, 5_000, 10_000])
    parser.add_argument("--seconds", type=float, default=10.0, help="of events at an even pace, and of levels")
    parser.add_argument("--listen", type=float, default=60.0, help="seconds of one box that hears nothing")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the constants into its table")
    arguments = parser.parse_args()
    console, most = Console(highlight=False, width=130), raise_limit() - SPARE_HANDLES
    counts = sorted({min(count, most) for count in arguments.boxes})
    if max(arguments.boxes) > most:
        console.print(f"a process may open {most + SPARE_HANDLES:,} files here: no more than {most:,} boxes")
    traffic, bare = (_one(arguments.listen, discovery) for discovery in (True, False))
    show_wire(console, traffic, bare)
    show(console, done := measure(counts, traffic, arguments.seconds), "with Home Assistant's discovery")
    show(console, alone := measure(counts[-1:], bare, arguments.seconds), "discovery = false")
    if not (done.rows and alone.rows):
        return 1
    found = constants(traffic, bare, done, alone)
    found |= {"broker_memory_queued": round(queued(bare)), "broker_handles": handles(bare)}
    console.print("\n".join(f"{name} = {value:g}" for name, value in found.items()))
    if arguments.update:
        from benchmarks.scaledoc import update

        update(arguments.update, found)
    return 0


def _one(seconds: float, discovery: bool) -> Traffic:
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        return overheard(broker.port, Path(folder), seconds, discovery)


if __name__ == "__main__":
    sys.exit(main())
