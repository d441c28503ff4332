"""How far a scan is: a bar on a terminal, a line a minute elsewhere, the errors, and the sum in the end."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task
from rich.progress import Progress as Bar
from rich.text import Text

from sed.archive.census import Census
from sed.archive.engine import Outcome, Recording
from sed.archive.rows import spelt
from sed.complaints import printable

LINE_SECONDS = 60.0

COMPLAINTS = 20
"""Errors that are shown; a disk that failed has thousands, and the table has them all."""


class Progress:
    """Counts what becomes of recordings, and shows it on stderr while it is open."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.files = self.skipped_files = self.failed = self.events = 0
        self.seconds = 0.0
        self.complaints = 0
        self._bytes = self._skipped_bytes = 0
        self._census: Census | None = None
        self._began = time.monotonic()
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet
        self._over = threading.Event()
        self._bar = Bar(
            BarColumn(),
            _Line(self),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._minutes = threading.Thread(target=self._tell_by_the_minute, name="scan progress")

    def __enter__(self) -> Self:
        self._task = self._bar.add_task("", total=None)
        self._bar.start()
        if not self._quiet and not self._console.is_terminal:
            self._minutes.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._minutes.is_alive():
            self._minutes.join()
        if self._census is not None:
            self._census.stop()
        self._bar.stop()

    def expect(self, recordings: Callable[[], Iterable[Recording]]) -> None:
        """Count these beside everything else, to know how much is left."""
        if not self._quiet:
            self._census = Census(recordings)
            self._census.start()

    def skipped(self, recording: Recording) -> None:
        """It was done before."""
        self.skipped_files += 1
        self._skipped_bytes += recording.size or 0

    def heard(self, outcome: Outcome) -> None:
        """A recording, or a piece of it, was heard."""
        self.seconds += outcome.duration
        self._bytes += (outcome.recording.size or 0) // (outcome.piece.of if outcome.piece else 1)
        if not self._bar.disable:
            self._bar.update(self._task, completed=self._share(), total=1.0 if self._expected() else None)

    def finished(self, outcome: Outcome) -> None:
        """It is in the tables, or will be."""
        self.files += 1
        self.events += len(outcome.detections)
        if outcome.status != "done":
            self.failed += 1
            self.complain(f"{outcome.recording.name}: {outcome.error}")

    def complain(self, line: str) -> None:
        """Show an error; not all of very many."""
        self.complaints += 1
        if self.complaints <= COMPLAINTS:
            self.tell(f"earwitness: {printable(spelt(line))}")
        if self.complaints == COMPLAINTS:
            self.tell("earwitness: more errors are not shown here; the table of files has all")

    def tell(self, line: str) -> None:
        """Show a line without tearing the bar."""
        self._console.print(line, markup=False)

    def __str__(self) -> str:
        """The sum."""
        if self.files == 0:
            return f"nothing new: {self.skipped_files:,} recordings were done before"
        skipped = f", {self.skipped_files:,} done before" if self.skipped_files else ""
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.events:,} events in {self.files:,} recordings{skipped}{failed}; {self._sound()}"

    def line(self) -> str:
        """How far it is."""
        expected = self._expected()
        of = f" of {self._census.files - self.skipped_files:,}" if expected and self._census is not None else ""
        left = f", {_clock(self._left())} left" if expected and self._share() > 0 else ""
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.files:,}{of} recordings, {self._sound()}{left}{failed}"

    def _sound(self) -> str:
        speed = self.seconds / max(time.monotonic() - self._began, 1e-9)
        return f"{_clock(self.seconds)} of sound at {speed:,.0f}x real time"

    def _expected(self) -> bool:
        return self._census is not None and self._census.complete

    def _share(self) -> float:
        """Of what there was to do in the beginning; by bytes, or where they are not known by recordings."""
        if self._census is None:
            return 0.0
        size = self._census.bytes - self._skipped_bytes
        done, of = (self._bytes, size) if size > 0 else (self.files, self._census.files - self.skipped_files)
        return min(1.0, done / of) if of > 0 else 1.0

    def _left(self) -> float:
        return (time.monotonic() - self._began) * (1.0 / self._share() - 1.0)

    def _tell_by_the_minute(self) -> None:
        while not self._over.wait(LINE_SECONDS):
            self.tell(self.line())


class _Line(ProgressColumn):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def render(self, task: Task) -> Text:  # noqa: ARG002 - it has one task
        return Text(self._progress.line())


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
