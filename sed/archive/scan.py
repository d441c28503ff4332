"""An archive scanned: recordings that are not done yet, through an engine, into a ledger."""

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Protocol, cast

from sed.archive.difference import Difference
from sed.archive.engine import Done, Engine, Order, Outcome, Recording
from sed.archive.ledger import Ledger
from sed.archive.pieces import Seams
from sed.archive.plan import WHOLE, Plan
from sed.archive.rows import spelt
from sed.metadata import Metadata


class Watcher(Protocol):
    """Who is told how it goes."""

    def skipped(self, recording: Recording) -> None: ...  # noqa: D102
    def heard(self, outcome: Outcome) -> None: ...  # noqa: D102
    def finished(self, outcome: Outcome) -> None: ...  # noqa: D102


class ArchiveScan:
    """Scans recordings once: those that the ledger has are passed over, and those that come again."""

    def __init__(
        self, order: Order, metadata: Metadata, ledger: Ledger, watcher: Watcher, split: float | None = None
    ) -> None:
        self._order, self._metadata, self._ledger, self._watcher = order, metadata, ledger, watcher
        self._plan = Plan(metadata, split)
        self._seams: dict[str, Seams] = {}  # of the recordings that are in pieces just now
        self._stopping = threading.Event()
        self.difference = Difference(metadata, order)

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Give out nothing more; what is being done is still finished."""
        self._stopping.set()

    def run(self, recordings: Iterable[Recording], engine: Engine) -> None:
        """Scan them. Raises SinkError if the ledger cannot be written, UsageError if `recordings` does."""
        work = engine.run(self._plan.jobs(self._new(recordings)), self._order)
        with closing(cast(Generator[Done], work)) as answers:
            for done in answers:
                for outcome in done.outcomes:
                    self._take(outcome)

    def _new(self, recordings: Iterable[Recording]) -> Iterator[Recording]:
        for recording in recordings:
            if self.stopped:
                return
            if self._ledger.seen.add(spelt(recording.name)):
                yield recording
            else:
                self._watcher.skipped(recording)

    def _take(self, outcome: Outcome) -> None:
        if outcome.recording == self._plan.measured:
            self.difference.add(outcome)
        if outcome.piece == WHOLE:
            return
        self._watcher.heard(outcome)
        whole = outcome if outcome.piece is None else self._joined(outcome)
        if whole is not None:
            self._ledger.add(whole)
            self._watcher.finished(whole)

    def _joined(self, outcome: Outcome) -> Outcome | None:
        name = outcome.recording.name
        seams = self._seams.setdefault(name, Seams(name, self._metadata, self._order))
        if (whole := seams.add(outcome)) is not None:
            del self._seams[name]
        return whole
