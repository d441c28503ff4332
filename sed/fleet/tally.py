"""What was collected in the last minute, in a line."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from time import monotonic

from sed.fleet.intake import Receipt
from sed.fleet.ledger import Page

MINUTE = 60.0


class Tally:
    """Counts what is committed; `line` says it once a minute, and nothing where nothing came."""

    def __init__(self) -> None:
        self._dropped = 0
        self._begin()

    def committed(self, receipts: Iterable[Receipt], page: Page, now: datetime) -> None:
        """A page is in the database."""
        self._events += len(page.events)
        for row in page.refusals:
            self._refused[row["node"], row["reason"]] += row["count"]
        for receipt in receipts:
            if receipt.topic.endswith("/event"):
                self._delays[round((now - receipt.at).total_seconds(), 3)] += 1

    def line(self, dropped: int) -> str | None:
        """What came since the last line, if that is a minute ago; `dropped` are all since the beginning."""
        seconds = monotonic() - self._began
        if seconds < MINUTE:
            return None
        line = self._line(seconds, dropped - self._dropped)
        self._begin()
        self._dropped = dropped
        return line

    def _begin(self) -> None:
        self._began = monotonic()
        self._events = 0
        self._delays: Counter[float] = Counter()  # seconds from receipt to commit
        self._refused: Counter[tuple[str, str]] = Counter()

    def _line(self, seconds: float, dropped: int) -> str | None:
        if not (self._events or self._refused or dropped):
            return None
        line = f"{self._events} messages of events in {seconds:.0f} s ({self._events / seconds:.1f}/s)"
        if self._delays:
            line += f", 95 % of them committed within {quantile(self._delays, 0.95):.3f} s of their receipt"
        if self._refused:
            (node, reason), most = self._refused.most_common(1)[0]
            line += f"; {self._refused.total()} messages refused, of them {most} of {node}: {reason}"
        if dropped:
            line += f"; {dropped} messages dropped that the broker does not keep"
        return line


def quantile(counts: Counter[float], share: float) -> float:
    """The least value that so many of them do not exceed."""
    wanted, passed = share * counts.total(), 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= wanted:
            return value
    raise ValueError("no values")
