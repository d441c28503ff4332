"""Quarters of an hour as hours of the day and as days of a time zone."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sed.archive.summary.tally import QUARTER, Doubles, Integers, Quarters, Tally

Step = Literal["day", "week", "month", "year"]

MOST_COLUMNS = 62
"""Of a picture: two months of days, more than a year of weeks, five years of months."""

_Times = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The time that an archive spans, in the time zone of those who listen to it."""

    step: Step
    first: date
    last: date
    starts: _Times  # (columns,) days, the first of each step
    _numbers: Integers  # (n,) quarters of an hour, rising
    _hours: Integers  # (n,) 0 to 23
    _columns: Integers  # (n,)

    def by_hour(self, quarters: Quarters) -> Doubles:
        """(24,) amounts by hour of the day."""
        place = np.searchsorted(self._numbers, quarters.numbers)
        return np.bincount(self._hours[place], quarters.amounts, minlength=24).astype(np.float64)

    def by_step(self, quarters: Quarters) -> Doubles:
        """(24, columns) amounts by hour of the day and by day, week, month or year."""
        place = np.searchsorted(self._numbers, quarters.numbers)
        cells = self._hours[place] * len(self.starts) + self._columns[place]
        found = np.bincount(cells, quarters.amounts, minlength=24 * len(self.starts))
        return found.astype(np.float64).reshape(24, -1)

    def name(self, column: int) -> str:
        """A column's, short: 3 Mar, Mar 2026 or 2026."""
        day: Any = self.starts[column].astype("datetime64[D]").item()
        forms: dict[Step, str] = {"day": "%-d %b", "week": "%-d %b", "month": "%b %Y", "year": "%Y"}
        text: str = day.strftime(forms[self.step])
        return text

    @property
    def span(self) -> str:
        """From its first to its last day."""
        return " to ".join(f"{day:%-d %b %Y}" for day in dict.fromkeys((self.first, self.last)))


def calendar(tally: Tally, zone: tzinfo) -> Calendar | None:
    """The calendar of all whose time is known, in the finest steps that a picture has columns for; None without any."""
    numbers = np.unique(np.concatenate([tally.heard.numbers, *(q.numbers for q in tally.quarters.values())]))
    if not len(numbers):
        return None
    local = _local(numbers, zone)
    steps: tuple[Step, ...] = ("day", "week", "month", "year")
    for step in steps:
        columns = _steps(local, step)
        first, last = int(columns[0]), int(columns[-1])
        if last - first < MOST_COLUMNS or step == "year":
            break
    hours = (local.astype("datetime64[h]").astype(np.int64)) % 24
    begin, end = (edge.astype("datetime64[D]").item() for edge in (local[0], local[-1]))
    return Calendar(step, begin, end, _starts(np.arange(first, last + 1), step), numbers, hours, columns - first)


def _local(numbers: Integers, zone: tzinfo) -> _Times:
    """The zone's own clock at each quarter, to the second."""
    clocks = (datetime.fromtimestamp(number * QUARTER, zone).utcoffset() for number in numbers.tolist())
    offsets = np.array([offset.total_seconds() if offset else 0.0 for offset in clocks])
    return (numbers * QUARTER + offsets.astype(np.int64)).astype("datetime64[s]")


def _steps(local: _Times, step: Step) -> Integers:
    """The number of each time's step since 1970."""
    if step == "week":
        return (local.astype("datetime64[D]").astype(np.int64) + _MONDAY) // 7
    return local.astype(f"datetime64[{_UNITS[step]}]").astype(np.int64)


def _starts(steps: Integers, step: Step) -> _Times:
    if step == "week":
        return (steps * 7 - _MONDAY).astype("datetime64[D]")
    return steps.astype(f"datetime64[{_UNITS[step]}]").astype("datetime64[D]")


_UNITS: dict[Step, str] = {"day": "D", "month": "M", "year": "Y"}
_MONDAY = 3
"""1970 began on a Thursday, three days after a Monday."""
