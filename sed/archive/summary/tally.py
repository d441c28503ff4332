"""What is in the tables of a scan, counted."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sed.archive.summary.tables import batches, grouped

Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

QUARTER = 900
"""Seconds; every time zone of our days is a whole number of quarters of an hour from UTC."""

LAST = (2100 - 1970) * 366 * 86_400 // QUARTER
"""A time after this, or before 1970, comes from a broken clock and is on no picture."""

SCORE_BINS = 50
"""Of the histogram of scores from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Quarters:
    """Amounts of some quarters of an hour, which are numbered from 1970, UTC."""

    numbers: Integers  # (n,), rising
    amounts: Doubles  # (n,)


@dataclass(slots=True)
class Tally:
    """Files and events of a scan."""

    files: Counter[str] = field(default_factory=Counter)
    """By status."""

    seconds: float = 0.0
    """Of sound in all files."""

    taken: float = 0.0
    """Seconds of work, all workers together."""

    dated: int = 0
    """Files whose time is known."""

    events: Counter[str] = field(default_factory=Counter)
    """By label."""

    scores: dict[str, Integers] = field(default_factory=dict)
    """By label, (SCORE_BINS,) events."""

    quarters: dict[str, Quarters] = field(default_factory=dict)
    """By label the events, as far as their time is known."""

    heard: Quarters = field(default_factory=lambda: Quarters(np.zeros(0, np.int64), np.zeros(0)))
    """Seconds of sound, as far as its time is known."""

    @property
    def labels(self) -> list[str]:
        """Most events first."""
        return sorted(self.events, key=lambda label: (-self.events[label], label))

    @property
    def timed(self) -> int:
        """Events whose time is known."""
        return int(sum(quarters.amounts.sum() for quarters in self.quarters.values()))


def count(folder: Path) -> Tally:
    """The tally of a scan's folder."""
    tally = Tally()
    _count_files(tally, folder)
    _count_events(tally, folder)
    return tally


def _count_files(tally: Tally, folder: Path) -> None:
    from pyarrow import dataset

    states = grouped(folder, "files", {"status": dataset.field("status")}, ("duration", "seconds_taken"))
    for row in states.to_pylist():
        tally.files[row["status"]] = row["rows"]
        tally.seconds += row["duration"] or 0.0
        tally.taken += row["seconds_taken"] or 0.0
    heard = np.zeros(LAST)
    for batch in batches(folder, "files", ("begins", "duration"), dataset.field("begins").is_valid()):
        tally.dated += len(batch)
        begins = batch.column("begins").cast("int64").to_numpy() / 1e6
        _spread(heard, begins, batch.column("duration").to_numpy(zero_copy_only=False))
    numbers = np.flatnonzero(heard)
    tally.heard = Quarters(numbers, heard[numbers])


def _count_events(tally: Tally, folder: Path) -> None:
    from pyarrow import compute, dataset

    label, score = dataset.field("label").cast("string"), dataset.field("score").cast("double")
    bins = compute.floor(compute.multiply(score, float(SCORE_BINS))).cast("int64")
    for row in grouped(folder, "events", {"label": label, "bin": bins}).to_pylist():
        tally.events[row["label"]] += row["rows"]
        histogram = tally.scores.setdefault(row["label"], np.zeros(SCORE_BINS, np.int64))
        histogram[min(max(row["bin"], 0), SCORE_BINS - 1)] += row["rows"]
    quarter = compute.divide(dataset.field("onset_time").cast("int64"), QUARTER * 1_000_000)
    found = grouped(folder, "events", {"label": label, "quarter": quarter}).drop_null()
    for name in tally.events:
        own = found.filter(compute.equal(found["label"], name)).sort_by("quarter")
        numbers, amounts = own["quarter"].to_numpy(), own["rows"].to_numpy().astype(np.float64)
        sane = (numbers >= 0) & (numbers < LAST)
        tally.quarters[name] = Quarters(numbers[sane], amounts[sane])


def _spread(heard: Doubles, begins: Doubles, seconds: Doubles) -> None:
    """Add to each quarter the seconds that recordings fill of it."""
    sane = (seconds > 0.0) & (begins >= 0.0) & (begins + seconds < LAST * QUARTER)
    begins, ends = begins[sane], (begins + seconds)[sane]
    first = np.floor(begins / QUARTER).astype(np.int64)
    touched = np.floor(ends / QUARTER).astype(np.int64) - first + 1
    which = np.repeat(np.arange(len(begins)), touched)
    quarter = np.arange(len(which)) - np.repeat(np.cumsum(touched) - touched, touched) + first[which]
    filled = np.minimum(ends[which], (quarter + 1.0) * QUARTER) - np.maximum(begins[which], quarter * float(QUARTER))
    np.add.at(heard, quarter, filled)
