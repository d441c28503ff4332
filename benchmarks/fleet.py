"""A fleet that does not exist, collected for real: is every event there, once and as told, and how soon?

    python -m benchmarks.fleet [--boxes 1000] [--minutes 10] [--collectors 1]

Mosquitto, PostgreSQL (which waits for the disk) and `earwitness collect` are processes of their own on this computer,
and so is the one that sends for all boxes: start and end of an event a second for each, states and levels, duplicates,
ends before starts, late ones, clocks a day off, rubbish, bursts. Afterwards each row is compared with what was sent.
Delay: from when a message is handed to the MQTT client until another client of PostgreSQL is told of the commit.
Wanted: no event lost, doubled or wrong, 95 % committed within 500 ms. Exit code 1 if events are not as they were told.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select

from benchmarks.arrivals import Arrivals
from benchmarks.boxes import Box, fleet
from benchmarks.process import Family, Process
from benchmarks.senders import SENT
from sed.fleet.roll import DAY, Asked, call_roll
from sed.fleet.schema import event, refusal
from sed.fleet.store import Store, open_store
from sed.message import Message
from tests.broker import Broker, eventually
from tests.fleet.collecting import Collecting
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, Postgres

BROKER = "max_queued_messages 0\nsys_interval 1"
SETTINGS = ("fsync=on", "max_connections=40", "shared_buffers=128MB")
START_SECONDS, PATIENCE_SECONDS = 60.0, 60.0
SENDERS = 4
AHEAD = timedelta(seconds=15)
"""So long the senders get to connect."""
SAMPLE_ROWS = 100_000
"""Copied into SQLite, to see how much room they take there."""

WANTED_MS = 500.0
CONTRACT = ("node", "source", "label", "duration", "score", "level_dbfs", "lost_samples", "model", "clip")
MOMENTS = ("onset", "offset", "detected_at")


@dataclass(slots=True)
class Found:
    """What a comparison with the truth finds."""

    events: int = 0
    lost: int = 0
    strange: int = 0  # rows that nobody told
    wrong: Counter[str] = field(default_factory=Counter)  # by column

    @property
    def faults(self) -> int:
        """Zero, if all is well."""
        return self.lost + self.strange + self.wrong.total()


def compare(boxes: Sequence[Box], store: Store) -> Found:
    """Each row of each box with each event of it."""
    found = Found()
    with store.engine.connect() as connection:
        total = connection.execute(select(func.count()).select_from(event)).scalar_one()
        for box in boxes:
            query = select(event).where(event.c.node == box.node)
            rows = {row.id: row._mapping for row in connection.execute(query)}
            told = {str(happening.row["id"]): happening.row for happening in box.happenings()}
            found.events += len(told)
            found.lost += len(told.keys() - rows.keys())
            total -= len(told.keys() & rows.keys())
            for name in told.keys() & rows.keys():
                found.wrong.update(differences(told[name], rows[name]))
    found.strange = total
    return found


def differences(told: Message, row: Mapping[Any, Any]) -> Iterator[str]:
    """The columns that are not as told."""
    yield from (name for name in CONTRACT if told[name] != row[name])
    yield from (name for name in MOMENTS if moment(told[name]) != row[name])
    if told.get("late", False) != row["late"]:
        yield "late"
    if (told["phase"] == "end") != (row["ended_at"] is not None):
        yield "ended_at"


def moment(told: object) -> datetime | None:
    """As the contract writes it."""
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def delays(sent: Iterable[Path], arrivals: Arrivals) -> dict[str, list[float]]:
    """Milliseconds, of first messages and of ends."""
    at: dict[tuple[str, bool], float] = {}
    for name, phase, when in SENT.iter_unpack(b"".join(path.read_bytes() for path in sent)):
        key = (name.decode(), phase == b"end\0\0")
        at[key] = min(when, at.get(key, when))
    first: dict[str, float] = {}
    ends: list[float] = []
    for name, ended, when in arrivals.each():
        first[name] = min(when, first.get(name, when))
        if ended:
            ends.append(1000.0 * (when - at[name, True]))
    begun = {name: min(at.get((name, phase), np.inf) for phase in (False, True)) for name in first}
    return {"first message": [1000.0 * (when - begun[name]) for name, when in first.items()], "end": ends}


class Bench:
    """All processes but the senders, and what is asked of them."""

    def __init__(self, opened: ExitStack, collectors: int) -> None:
        self.folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        self.broker = opened.enter_context(Broker(self.folder, extra=BROKER))
        server = opened.enter_context(Postgres(SETTINGS))
        name = opened.enter_context(server.database())
        place = Place(server.url(name), PASSWORD)
        group = "bench" if collectors > 1 else None
        running = [Collecting(self.folder, self.broker, place, f"c{n}", group=group) for n in range(collectors)]
        for each in running:
            opened.enter_context(each)
        for each in running:
            eventually(partial(each.said, "connected"), START_SECONDS)
        with place.open() as ready:  # its tables are there now
            ready.engine.connect().close()
        self.store = opened.enter_context(open_store(place.url, PASSWORD))
        looking, listening = (opened.enter_context(server.connect(name)) for _ in range(2))
        self.looking = looking
        self.arrivals = opened.enter_context(Arrivals(looking, listening))
        parent = Path(f"/proc/{looking.info.backend_pid}/stat").read_text().rpartition(")")[2].split()[1]
        self.used: dict[str, Process | Family] = {
            "Mosquitto": Process(self.broker.pid),
            "PostgreSQL": Family(int(parent)),
        }
        self.used |= {f"collector {n}": Process(each.process.pid) for n, each in enumerate(running)}

    def count(self) -> tuple[int, int]:
        """Events, and those with an end, that are committed."""
        begun, ended = self.looking.execute("SELECT count(*), count(ended_at) FROM event").fetchone() or (0, 0)
        return begun, ended

    def heard(self, topic: str) -> int:
        """What the broker counts of itself."""
        command = ["mosquitto_sub", "-p", str(self.broker.port), "-t", f"$SYS/broker/{topic}", "-C", "1", "-W", "10"]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    def settle(self, begun: int, ended: int) -> None:
        """Wait for what is on its way, so many events and ends, as long as more of them come."""
        found, until = (0, 0), time.monotonic() + PATIENCE_SECONDS
        while any(np.less(found, (begun, ended))) and time.monotonic() < until:
            time.sleep(0.5)
            if (now := self.count()) != found:
                found, until = now, time.monotonic() + PATIENCE_SECONDS
        time.sleep(6.0)  # presence and refusals come a little later


def run(bench: Bench, boxes: Sequence[Box], arguments: argparse.Namespace, begin: datetime) -> int:
    """Let all of them tell; returns how many events are not as they were told."""
    senders = [subprocess.Popen(command) for command in commands(bench, arguments, begin)]
    try:
        time.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds()))
        bytes_in, bytes_out = bench.heard("bytes/received"), bench.heard("bytes/sent")
        tell_cost(bench, 60.0 * arguments.minutes - 2.0)
        if any(each.wait() for each in senders):
            raise SystemExit("the senders failed")
    finally:
        for each in senders:
            each.kill()
            each.wait()
    phases = Counter(str(happening.row["phase"]) for box in boxes for happening in box.happenings())
    bench.settle(phases.total(), phases["end"])
    tell_wire(bench, phases.total(), bytes_in, bytes_out)
    found = compare(boxes, bench.store)
    wrong = ", ".join(f"{column} {count}" for column, count in found.wrong.items()) or 0
    print(f"{found.events:,} events: {found.lost} lost, {found.strange} rows nobody told, wrong: {wrong}")
    bench.arrivals.stop()
    tell_delays(bench)
    tell_room(bench, found.events)
    tell_roll(bench, boxes)
    return found.faults


def commands(bench: Bench, arguments: argparse.Namespace, begin: datetime) -> Iterator[list[str]]:
    """Of the processes that send: several, for a machine that is busy holds up one alone."""
    for n in range(1, SENDERS + 1):
        command = [sys.executable, "-m", "benchmarks.senders", bench.broker.mqtt().url, "--part", f"{n}/{SENDERS}"]
        command += ["--boxes", str(arguments.boxes), "--minutes", str(arguments.minutes)]
        command += ["--seed", str(arguments.seed), "--begin", begin.isoformat(), "--connections", "2"]
        yield [*command, "--sent", f"{bench.folder}/sent-{n}", *["--own-connections"] * arguments.own_connections]


def tell_cost(bench: Bench, seconds: float) -> None:
    """CPU over so many seconds from now on, and memory."""
    before, began = {name: each.cpu for name, each in bench.used.items()}, time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - began
    for name, each in bench.used.items():
        share = 100.0 * (each.cpu - before[name]) / lasted
        print(f"{name:12} {share:5.1f} % of a core, {each.resident:4.0f} MB", flush=True)


def tell_wire(bench: Bench, events: int, bytes_in: int, bytes_out: int) -> None:
    """What an event weighs, on average over all that was told."""
    time.sleep(2.0)
    taken, given = bench.heard("bytes/received") - bytes_in, bench.heard("bytes/sent") - bytes_out
    print(f"MQTT: {taken / events:,.0f} bytes an event into the broker, {given / events:,.0f} out, states among them")


def tell_delays(bench: Bench) -> None:
    """From the sender's hand to where others can read it."""
    print(f"{bench.arrivals.commits:,} commits; from publish to committed row (wanted: 95 % within {WANTED_MS:g} ms):")
    for name, found in delays(bench.folder.glob("sent-*"), bench.arrivals).items():
        half, most, nearly_all, worst = np.percentile(found, [50, 95, 99, 100])
        print(f"  {name:14} median {half:.0f} ms, 95 % {most:.0f} ms, 99 % {nearly_all:.0f} ms, worst {worst:.0f} ms")
    writers = bench.arrivals.writers()
    shares = ", ".join(f"{100.0 * count / writers.total():.1f} %" for _, count in writers.most_common())
    print(f"  written by each connection: {shares}")


def tell_room(bench: Bench, events: int) -> None:
    """Bytes of a row, in both databases."""
    sizes = bench.looking.execute("SELECT pg_table_size('event'), pg_indexes_size('event')").fetchone() or (0, 0)
    table, indices = (size / events for size in sizes)
    path = bench.folder / "same.db"
    with open_store(f"sqlite:///{path}", upgrade=True) as copy, bench.store.engine.connect() as connection:
        query = select(event).limit(SAMPLE_ROWS)
        rows = [dict(row._mapping) for row in connection.execute(query)]
        with copy.engine.begin() as target:
            target.execute(insert(event), rows)
    taken = path.stat().st_size / len(rows)
    print(f"a row: {table:.0f} bytes and {indices:.0f} of indices in PostgreSQL, {taken:.0f} in SQLite")


def tell_roll(bench: Bench, boxes: Sequence[Box]) -> None:
    """What `earwitness fleet` would say, and how long the database takes for it."""
    now = datetime.now(UTC)
    began = time.perf_counter()
    roll = call_roll(bench.store.engine, now, Asked(now - DAY))
    took = 1000.0 * (time.perf_counter() - began)
    with bench.store.engine.connect() as connection:
        refused = connection.execute(select(func.sum(refusal.c.count))).scalar_one()
    off, wrong = sum(box.clock_is_off for box in roll.boxes), sum(bool(box.clock_error) for box in boxes)
    rubbish = sum(each.is_rubbish for box in boxes for happening in box.happenings() for each in happening.sendings)
    print(f"earwitness fleet: {len(roll.boxes):,} boxes in {took:.0f} ms; clocks off {off} of {wrong}, ", end="")
    print(f"messages refused {refused:,} of {rubbish:,}")


def main() -> None:
    """Run it, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--collectors", type=int, default=1, help="that share the load")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--own-connections", action="store_true", help="one for each box, not eight for all")
    arguments = parser.parse_args()
    with ExitStack() as opened:
        bench = Bench(opened, arguments.collectors)
        begin = datetime.now(UTC) + AHEAD
        boxes = fleet(arguments.boxes, arguments.seed, begin, 60.0 * arguments.minutes)
        faults = run(bench, boxes, arguments, begin)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
