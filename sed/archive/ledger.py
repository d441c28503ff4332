"""What a scan has found so far, as two Parquet tables in many parts; what is in them is done for good."""

import fcntl
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.compute as pc

from sed.archive.engine import Order, Outcome
from sed.archive.parts import part_of, parts, read_part, remove_unfinished, write_part, write_whole, writing
from sed.archive.rows import EVENTS, FILES, event_rows, file_row
from sed.archive.seen import Seen
from sed.errors import DamagedError, SinkError, UsageError

FIRST_SECONDS, LAST_SECONDS, SHARE = 2.0, 60.0, 0.05
"""How long rows are held before they are written: a share of the time so far. A kill costs no more work than that."""

LARGEST = 5_000
"""Rows held at most: memory, and what a part at least has of a fast scan."""


class Ledger:
    """The tables `events` and `files` in a folder, written so that a kill at any moment leaves no row twice."""

    def __init__(self, folder: Path, order: Order, made_with: Mapping[str, Any]) -> None:
        """Go on where the scan in this folder stopped.

        Raises UsageError if it was made with something else, or another one is writing it; SinkError if it cannot be
        written; DamagedError if one of its parts cannot be read.
        """
        self.seen = Seen()
        self.failed = 0  # recordings that were not done, whenever
        self._folder, self._order = folder, order
        self._files: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._began, self._written = time.monotonic(), -math.inf  # the first row at once: a full disk is told early
        self._lock = _locked(folder)
        try:
            _agree(folder / "scan.json", made_with)
            with writing(folder):
                self._next = self._tidy()
            for part in parts(folder / FILES.name).values():
                self._remember(read_part(part, ["file", "status"]))
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: object, __: object) -> None:
        """Write what is held, unless that is what failed."""
        try:
            if not isinstance(error, SinkError):
                self.flush()
        finally:
            self._lock.close()

    def add(self, outcome: Outcome) -> None:
        """Take in what became of a recording; it is written with others. Raises SinkError."""
        self.failed += outcome.status != "done"
        self._files.append(file_row(outcome, self._order))
        self._events += event_rows(outcome)
        if len(self._files) + len(self._events) >= LARGEST or self._is_time():
            self.flush()

    def flush(self) -> None:
        """Write what is held. Raises SinkError; what was written before stays whole."""
        if self._files:
            with writing(self._folder):  # the events first: a part of files says that both are there
                for table, rows in ((EVENTS, self._events), (FILES, self._files)):
                    part = part_of(self._folder / table.name, self._next)
                    write_part(part, pa.Table.from_pylist(rows, table.schema))
            self._files, self._events = [], []
            self._next += 1
        self._written = time.monotonic()

    def forget_failures(self) -> int:
        """Drop the rows of recordings that were not done, so that they are done again; how many. Raises SinkError."""
        forgotten, self.failed, self.seen = self.failed, 0, Seen()
        events = parts(self._folder / EVENTS.name)
        for number, part in parts(self._folder / FILES.name).items():
            rows = read_part(part)
            done = rows.filter(pc.equal(rows["status"], "done"))
            self._remember(done)
            if len(done) < len(rows):
                found = read_part(events[number])
                of_done = pc.is_in(found["file"], done["file"].combine_chunks())
                with writing(self._folder):
                    write_part(events[number], found.filter(of_done))
                    write_part(part, done)
        return forgotten

    def _remember(self, rows: Any) -> None:
        self.seen.update(rows["file"].to_pylist())
        self.failed += len(rows) - pc.sum(pc.equal(rows["status"], "done")).as_py() if len(rows) else 0

    def _is_time(self) -> bool:
        now = time.monotonic()
        return now - self._written >= min(LAST_SECONDS, max(FIRST_SECONDS, SHARE * (now - self._began)))

    def _tidy(self) -> int:
        """Remove what a kill left half done; returns the number of the next part."""
        files, events = parts(self._folder / FILES.name), parts(self._folder / EVENTS.name)
        for number in events.keys() - files.keys():
            events[number].unlink()
        for table in (FILES, EVENTS):
            remove_unfinished(self._folder / table.name)
        return max(files, default=-1) + 1


def _agree(path: Path, made_with: Mapping[str, Any]) -> None:
    """See that a scan that was begun goes on with what it began with."""
    told = json.loads(json.dumps(made_with))
    if not path.exists():
        with writing(path.parent):
            write_whole(path, (json.dumps(told, indent=2) + "\n").encode())
        return
    try:
        before = json.loads(path.read_bytes())
        other = [key for key in told if key != "earwitness" and before[key] != told[key]]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise DamagedError(f"{path}: cannot be read ({error}); use another --out") from error
    if other:
        raise UsageError(
            f"--out {path.parent}: has a scan made with other settings ({', '.join(other)}); "
            "use another folder, or the same settings to go on"
        )


def _locked(folder: Path) -> BinaryIO:
    """The folders, made where they are not there, for nobody else to write in."""
    try:
        for table in (FILES, EVENTS):
            (folder / table.name).mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UsageError(f"--out {folder}: cannot be used ({error.strerror}: {error.filename})") from error
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise UsageError(f"--out {folder}: another scan writes there; wait for it, or use another folder") from error
    return lock
