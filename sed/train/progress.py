"""How far a long work is: a bar on stderr, or, in a process that learns for another one, news for that one's bars."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from sed.errors import EarwitnessError


class Show(Protocol):
    """Says how far it is, and what else there is to say."""

    def __call__(self, at: int, said: str = "") -> None:
        """`at` of the total."""


@dataclass(frozen=True, slots=True)
class News:
    """What a process tells of its work."""

    whose: str
    what: str
    at: int
    total: int
    said: str


class Letters(Protocol):
    """A queue from one process to another."""

    def put(self, letter: Any, /) -> None:
        """Send it."""


_told: tuple[str, Letters, int] | None = None
"""Of a process that learns for another one: its name, where it sends its news, and the other one's number."""


def tell(whose: str, letters: Letters) -> None:
    """From now on this process draws no bar: what it would show goes to the process that began it."""
    global _told
    _told = (whose, letters, os.getppid())


@contextmanager
def progress(what: str, total: int, at: int = 0, seen: bool = True) -> Iterator[Show]:
    """A bar for what is done inside, unless it is not to be `seen`.

    Where `tell` was called there is news instead, and EarwitnessError is raised once nobody is there to read it.
    """
    if _told:
        yield _teller(what, total)
        return
    with bars(TextColumn(what), seen=seen) as shown:
        task = shown.add_task(what, total=total, completed=at, said="")
        yield lambda at, said="": shown.update(task, completed=at, said=said)


def _teller(what: str, total: int) -> Show:
    assert _told is not None  # noqa: S101 - asked before
    whose, letters, master = _told

    def show(at: int, said: str = "") -> None:
        if os.getppid() != master:
            raise EarwitnessError(f"{whose}: the process that began this one is gone; go on with --resume")
        letters.put(News(whose, what, at, total, said))

    return show


def bars(*first: ProgressColumn, seen: bool = True) -> Progress:
    """A place on stderr for bars, `first` being the columns before the bar itself."""
    columns = (*first, BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not seen)


class Board:
    """A bar for each process that tells of its work."""

    def __init__(self) -> None:
        self._bars = bars(TextColumn("{task.description}"))
        self._tasks: dict[str, tuple[str, TaskID]] = {}

    def __enter__(self) -> "Board":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def pin(self, news: News) -> None:
        """Show it; a new kind of work begins a new bar in the old one's place."""
        what, task = self._tasks.get(news.whose, ("", None))
        if task is None or what != news.what:
            if task is not None:
                self._bars.remove_task(task)
            task = self._bars.add_task(f"{news.whose}: {news.what}", total=news.total, said="")
            self._tasks[news.whose] = news.what, task
        self._bars.update(task, completed=news.at, total=news.total, said=news.said)
