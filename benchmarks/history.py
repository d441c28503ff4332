"""How long it takes to look back: pages of events, filtered, out of a journal of a million.

python -m benchmarks.history [--events 1000000] [--keep FILE]
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from sed.history import table
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.journal import Journal
from sed.message import Clock, Message, event_message
from sed.signals import Event, Phase, new_id

LABELS, SHARES = ("siren", "gun_shot", "glass_break"), (0.75, 0.2499, 0.0001)
SOURCES = ("yard", "street", "gate", "garage")
BEGIN, RATE, YEAR = datetime(2025, 11, 20, tzinfo=UTC), 16_000, timedelta(days=365)
PHASES: tuple[Phase, ...] = ("start", "end")
ROUNDS = 9


def main() -> None:
    """Fill, look back, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="The journal; filled if it is not there.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "journal.db"
        if not path.exists():
            fill(path, options.events)
        with closing(sqlite3.connect(path)) as db:
            (events,) = db.execute("SELECT count(*) FROM history").fetchone()
        print(f"{events:,} events, {path.stat().st_size / events:,.0f} bytes each")
        for name, look in looks(path):
            look()
            took = sorted(timed(look) for _ in range(ROUNDS))
            print(f"{name:<44} median {took[ROUNDS // 2]:7.2f} ms, worst {took[-1]:7.2f} ms")


def fill(path: Path, events: int) -> None:
    """A year of events as the journal writes them, but all in one transaction."""
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA synchronous = OFF")
        insert = "INSERT INTO event (seq, at, id, open, message) VALUES (?, ?, ?, 0, ?)"
        for seq, (at, message) in enumerate(messages(events), start=1):
            db.execute(insert, (seq, at, message["id"], str(message)))
            table.remember(db, seq, at, message)


def messages(events: int) -> Iterator[tuple[float, Message]]:
    """Starts and ends, evenly over a year."""
    chance, clock, step = np.random.default_rng(0), Clock(BEGIN, RATE), YEAR.total_seconds() * RATE / events
    for n in range(events):
        label, name = str(chance.choice(LABELS, p=SHARES)), new_id()
        onset, score = int((n + chance.random()) * step), 1.0 - 0.6 * chance.random() ** 2
        source = SOURCES[chance.integers(len(SOURCES) if label == "siren" else 2)]  # nothing else at gate and garage
        over = onset + int(chance.random() * 3 * RATE) + 1_000
        for phase in PHASES:
            event = Event(name, label, phase, onset, over if phase == "end" else None, score, onset + 8_000, -23.4)
            message = event_message(event, clock, "gate", source, "earwitness-1")
            yield clock.utc(onset).timestamp(), {**message, "clip": f"{name}.flac"}


def looks(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What people, and the page, ask for."""
    history, middle = History(path), BEGIN + YEAR / 2
    day = Filter(since=middle, until=middle + timedelta(days=1))
    far = f"{round(middle.timestamp() * 1_000)}-1"
    newest = history.events().events
    for event in newest[::5]:
        Verdicts(path).give(event.id, "wrong")
    filters = {
        "the newest": Filter(),
        "a day": day,
        "a label": Filter(labels=("gun_shot",)),
        "a rare label": Filter(labels=("glass_break",)),
        "two labels": Filter(labels=("siren", "glass_break")),
        "a source": Filter(sources=("gate",)),
        "a label at two sources": Filter(labels=("siren",), sources=("yard", "street")),
        "a label where it never is": Filter(labels=("gun_shot",), sources=("garage",)),
        "score 0.9 or more": Filter(min_score=0.9),
        "score 0.9999 or more": Filter(min_score=0.9999),
        "score 1, of which there is none": Filter(min_score=1.0, labels=("glass_break",)),
        "a label, score 0.99, up to then": Filter(labels=("siren",), min_score=0.99, until=middle),
        "verdict wrong": Filter(verdict="wrong"),
        "no verdict": Filter(verdict="none"),
    }
    for name, which in filters.items():
        yield name, lambda which=which: history.events(which)  # type: ignore[misc]
    yield "a page in the middle of all", lambda: history.events(after=far)
    yield "one event", lambda: history.event(newest[0].id)
    yield "counts of a day, by the hour", lambda: history.counts(day, 3_600.0)
    yield "counts of 30 days", lambda: history.counts(Filter(since=middle, until=middle + timedelta(days=30)))
    yield "counts of all, by the day", history.counts


def timed(look: Callable[[], object]) -> float:
    """In milliseconds."""
    began = time.perf_counter()
    look()
    return (time.perf_counter() - began) * 1_000.0


if __name__ == "__main__":
    main()
