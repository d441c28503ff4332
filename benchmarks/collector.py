"""What one `earwitness collect` costs and carries: levels and events, into SQLite and into PostgreSQL.

    python -m benchmarks.collector [--boxes 1000] [--events 20000] [--update docs/scale.md]

Mosquitto, the database (which waits for the disk) and the collector are processes of their own. First the levels of so
many boxes at their own pace; then events as fast as the broker takes them, so that the collector never waits for one:
how many a second become rows, and what CPU of the collector and of the database one takes. --update writes the
constants into the table of that document.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, text

from benchmarks.boxes import ORDER, fleet, in_order
from benchmarks.crowd import Crowd, raise_limit
from benchmarks.mosquitto import FOR_A_FLEET, spent
from benchmarks.process import Family, Process
from benchmarks.senders import Senders, tell
from benchmarks.traffic import Traffic, overheard
from sed.fleet.schema import event
from sed.fleet.store import Store, open_store
from tests.broker import Broker, eventually
from tests.fleet.collecting import Collecting
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, Postgres

SETTINGS = ("fsync=on", "max_connections=40", "shared_buffers=128MB")
START_SECONDS, LAST_SECONDS = 60.0, 300.0
BOXES_OF_EVENTS, CONNECTIONS = 100, 8
IDLE_SECONDS = 10.0


@dataclass(slots=True)
class Carried:
    """CPU in seconds; the database's is None where it is part of the collector."""

    database: str
    memory: float = 0.0  # MB
    idle: float = 0.0  # CPU a second
    level: float = 0.0  # CPU of one, as the next three
    level_database: float | None = None
    event: float = 0.0
    event_database: float | None = None
    rate: float = 0.0  # events a second
    row: float = 0.0  # bytes, indices among them


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[Place, Family | None]]:
    """An empty one, and its processes where it has some."""
    if kind == "SQLite":
        yield Place(f"sqlite:///{folder}/fleet.db"), None
        return
    with Postgres(SETTINGS) as server, server.database() as name, server.connect(name) as looking:
        parent = Path(f"/proc/{looking.info.backend_pid}/stat").read_text().rpartition(")")[2].split()[1]
        yield Place(server.url(name), PASSWORD), Family(int(parent))


def carry(kind: str, traffic: Traffic, boxes: int, events: int, seconds: float) -> Carried:
    """Everything with one kind of database."""
    done = Carried(kind)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(Broker(folder, extra=FOR_A_FLEET))
        place, server = opened.enter_context(database(kind, folder))
        collecting = opened.enter_context(Collecting(folder, broker, place))
        eventually(lambda: collecting.said("connected"), START_SECONDS)
        crowd = opened.enter_context(Crowd(broker.port, traffic))
        crowd.gather(boxes)
        collector = Process(collecting.process.pid)
        crowd.tell(boxes / 10, 10.0, level=True)  # so that every box has its row
        with spent(collector) as nothing:
            time.sleep(IDLE_SECONDS)
        done.idle = nothing.cpu / nothing.seconds
        before = server.cpu if server else 0.0
        with spent(collector) as quiet:
            levels = crowd.tell(boxes / 10, seconds, level=True)
        done.level = (quiet.cpu - done.idle * quiet.seconds) / levels
        done.level_database = (server.cpu - before) / levels if server else None
        store = opened.enter_context(open_store(place.url, place.password))
        tell_events(done, broker, store, collector, server, events)
        done.row, done.memory = room(store) / events, collector.resident
    return done


def tell_events(
    done: Carried, broker: Broker, store: Store, collector: Process, server: Family | None, events: int
) -> None:
    """As fast as the broker confirms them, until all are in the table with their ends."""
    boxes = fleet(BOXES_OF_EVENTS, 1, datetime.now(UTC), 10.0, ORDER, pace=events / BOXES_OF_EVENTS / 10.0)
    expected = sum(1 for box in boxes for _ in box.happenings())
    sendings = [sending for sending in in_order(boxes) if sending.event is not None]
    before = server.cpu if server else 0.0
    with Senders(broker.mqtt(), boxes, CONNECTIONS) as senders, spent(collector) as busy:
        tell(sendings, senders, speed=None)
        senders.drain(60.0)
        eventually(lambda: ended(store) >= expected, LAST_SECONDS)
    done.rate, done.event = expected / busy.seconds, busy.cpu / expected
    done.event_database = (server.cpu - before) / expected if server else None


def ended(store: Store) -> int:
    """Rows whose end has come; asked seldom, for it costs."""
    time.sleep(0.2)
    with store.engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(event.c.ended_at.is_not(None))).scalar_one())


def room(store: Store) -> int:
    """Bytes of the events' table and its indices; SQLite's whole file, all but the events being small."""
    sizes = {
        "postgresql": "SELECT pg_total_relation_size('event')",
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    }
    with store.engine.connect() as connection:
        return int(connection.execute(text(sizes[store.engine.dialect.name])).scalar_one())


def constants(lite: Carried, server: Carried) -> dict[str, float]:
    """By the names that docs/scale.md has for them."""
    return {
        "collector_cpu_level": round(server.level * 1e6),
        "collector_cpu_level_sqlite": round(lite.level * 1e6),
        "collector_cpu_event": round(server.event * 1e6),
        "collector_memory": round(server.memory),
        "collector_rate": round(server.rate),
        "collector_rate_sqlite": round(lite.rate),
        "database_cpu_level": round((server.level_database or 0.0) * 1e6),
        "database_cpu_event": round((server.event_database or 0.0) * 1e6),
        "row_postgresql": round(server.row),
        "row_sqlite": round(lite.row),
    }


def show(console: Console, rows: list[Carried], title: str) -> None:
    """A column a database."""
    table = Table("", *(row.database for row in rows), title=title)
    lines: list[tuple[str, list[float | None], float]] = [
        ("collector's memory, MB", [row.memory for row in rows], 1),
        ("its CPU with nothing to do, % of a core", [row.idle for row in rows], 100),
        ("a level, its CPU, us", [row.level for row in rows], 1e6),
        ("a level, the database's CPU, us", [row.level_database for row in rows], 1e6),
        ("an event, its CPU, us", [row.event for row in rows], 1e6),
        ("an event, the database's CPU, us", [row.event_database for row in rows], 1e6),
        ("events a second, seen", [row.rate for row in rows], 1),
        ("bytes a row, with indices", [row.row for row in rows], 1),
    ]
    for name, values, factor in lines:
        table.add_row(name, *("-" if value is None else f"{value * factor:,.4g}" for value in values))
    console.print(table)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, default=1_000, help="that tell their level")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of levels")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the constants into its table")
    arguments = parser.parse_args()
    raise_limit()
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        traffic = overheard(broker.port, Path(folder), 11.0, discovery=False)
    kinds = "SQLite", "PostgreSQL"
    lite, server = (carry(kind, traffic, arguments.boxes, arguments.events, arguments.seconds) for kind in kinds)
    console = Console(highlight=False)
    show(console, [lite, server], f"{arguments.boxes:,} boxes, then {arguments.events:,} events")
    found = constants(lite, server)
    console.print("\n".join(f"{name} = {value:g}" for name, value in found.items()))
    if arguments.update:
        from benchmarks.scaledoc import update

        update(arguments.update, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
