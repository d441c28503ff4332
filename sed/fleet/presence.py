"""When boxes and sources were seen, and how they are: only the latest word, however many come."""

import time
from collections.abc import Hashable
from datetime import datetime
from typing import Any, Generic, TypeVar

from sed.fleet.ledger import Row

PATIENCE_SECONDS = 5.0
"""So long may it wait that somebody was seen; that something changed waits for nothing."""
ROWS = 100
"""Of those that waited long enough, so many go with one transaction: events shall not wait for a thousand boxes."""

K = TypeVar("K", bound=Hashable)


class Latest(Generic[K]):
    """One row a key, not written yet; a column that is None says nothing."""

    def __init__(self) -> None:
        self._rows: dict[K, Row] = {}
        self._since: dict[K, float] = {}  # monotonic seconds; the oldest first
        self._news: set[K] = set()

    def put(self, key: K, row: Row, news: bool = False) -> None:
        """Over what is there."""
        old = self._rows.setdefault(key, row)
        if old is not row:
            old.update({name: value for name, value in row.items() if value is not None})
        self._since.setdefault(key, time.monotonic())
        if news:
            self._news.add(key)

    def take(self, all_of_them: bool = False) -> list[Row]:
        """What is to be written now."""
        due = time.monotonic() - PATIENCE_SECONDS
        keys = list(self._since) if all_of_them else list(self._news)
        if not all_of_them:
            for key, since in self._since.items():
                if since > due or len(keys) >= ROWS + len(self._news):
                    break
                if key not in self._news:
                    keys.append(key)
        self._news.clear()
        return [self._give(key) for key in keys]

    def _give(self, key: K) -> Row:
        del self._since[key]
        return self._rows.pop(key)


class Presence:
    """Boxes by node, sources by node and name. `seen` is when, and None for what the broker had kept."""

    def __init__(self) -> None:
        self.boxes: Latest[str] = Latest()
        self.sources: Latest[tuple[str, str]] = Latest()

    def box(self, node: str, seen: datetime | None, news: bool = False, **columns: Any) -> None:
        """Something was heard of a box."""
        known = dict.fromkeys(("available", "available_since", "clock_offset"))
        self.boxes.put(node, {**known, "node": node, "last_seen": seen, **columns}, news)

    def source(self, node: str, source: str, seen: datetime | None, news: bool = False, **columns: Any) -> None:
        """Something was heard of a source, and so of its box."""
        self.box(node, seen)
        names = ("state", "state_since", "dropped_samples", "level_dbfs", "level_at", "model")
        row = {**dict.fromkeys(names), "node": node, "source": source, "last_seen": seen, **columns}
        self.sources.put((node, source), row, news)
