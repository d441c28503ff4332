"""`earwitness fleet`: how every box stands."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sed.config import FleetConfig
from sed.errors import SinkError, UsageError
from sed.fleet.heard import Sought, newest
from sed.fleet.roll import Asked, Roll, call_roll
from sed.fleet.store import Store, explained, open_store
from sed.fleet.view import document, event_document, heard, table, verdict
from sed.stopping import on_signal

PAPER_WIDTH = 1_000
"""Characters of a line where there is no terminal: nothing is left out."""
LOOK_SECONDS = 0.1
"""How soon Ctrl-C ends a watch."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which boxes, and how they are to be shown."""

    nodes: tuple[str, ...] = ()
    silent_after: float = 60.0  # seconds
    json: bool = False
    check: bool = False
    every: float | None = None  # seconds; None: once


def run(fleet: FleetConfig, wish: Wish) -> int:
    """Show the fleet once, or again and again until interrupted; returns 1 if a check finds trouble.

    Raises SinkError if the database is not there, UsageError for a check that never ends.
    """
    if wish.check and wish.every:
        raise UsageError("fleet: --check is answered once; leave out --watch, or --check")
    with open_store(fleet.database, fleet.secret()) as store:
        if wish.every:
            _watch(store, wish, wish.every)
            return 0
        roll = ask(store, wish)
        _shower(wish)(roll)
    return 1 if wish.check and not (roll.boxes and roll.well) else 0


def tell(fleet: FleetConfig, sought: Sought, as_json: bool) -> None:
    """List events, the newest first. Raises SinkError."""
    with open_store(fleet.database, fleet.secret()) as store, explained(store.name):
        rows = newest(store.engine, sought)
    if as_json:
        for row in rows:
            print(json.dumps(event_document(row), ensure_ascii=False))
    else:
        _console().print(heard(rows))


def ask(store: Store, wish: Wish) -> Roll:
    """The roll at this moment; today began at midnight here. Raises SinkError."""
    now = datetime.now(UTC)
    midnight = datetime.combine(now.astimezone().date(), clock_time()).astimezone(UTC)
    with explained(store.name):
        return call_roll(store.engine, now, Asked(midnight, timedelta(seconds=wish.silent_after), wish.nodes))


def _shower(wish: Wish) -> Callable[[Roll], None]:
    if wish.json:
        return lambda roll: print(json.dumps(document(roll), ensure_ascii=False), flush=True)
    if wish.check:
        return lambda roll: print(verdict(roll), flush=True)
    console = _console()
    return lambda roll: console.print(table(roll, console.width))


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=PAPER_WIDTH)


def _watch(store: Store, wish: Wish, every: float) -> None:
    """A database that goes away may come back: that is told, and does not end it."""
    stopped: list[bool] = []
    with on_signal(lambda: stopped.append(True)), _screen(wish) as (show, complain):
        while not stopped:
            began = time.monotonic()
            try:
                show(ask(store, wish))
            except SinkError as error:
                complain(f"earwitness: {error}")
            while not stopped and time.monotonic() < began + every:
                time.sleep(LOOK_SECONDS)


@contextmanager
def _screen(wish: Wish) -> Iterator[tuple[Callable[[Roll], None], Callable[[str], None]]]:
    """What shows a roll, and what shows a complaint in its place: the whole terminal, or lines where there is none."""
    console = Console()
    if wish.json or not console.is_terminal:
        yield _shower(wish), lambda line: print(line, file=sys.stderr, flush=True)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield (
            lambda roll: live.update(table(roll, console.width, console.height), refresh=True),
            lambda line: live.update(Text(line), refresh=True),
        )
