"""From messages to rows: what is in order goes on, what is not is counted."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sed.fleet.contract import LONGEST_NAME, RefusedError, read_availability, read_event, read_level, read_state
from sed.fleet.intake import LARGEST_PAYLOAD, Receipt
from sed.fleet.ledger import Page, Row
from sed.fleet.presence import Presence
from sed.fleet.schema import EXAMPLE_CHARACTERS


class Reader:
    """Makes pages for the ledger; what is known of boxes waits in between."""

    def __init__(self) -> None:
        self._presence = Presence()
        self._refusals: dict[tuple[str, str, object], Row] = {}

    def read(self, receipts: Iterable[Receipt], last: bool = False) -> Page:
        """The rows that these messages make; the `last` page has all that was held back."""
        page = Page()
        for receipt in receipts:
            node = receipt.topic.split("/")[1]
            try:
                self._read(receipt, page)
            except RefusedError as refused:
                self.refuse(node, str(refused), receipt.payload, receipt.at)
        page.boxes, page.sources = self._presence.boxes.take(last), self._presence.sources.take(last)
        page.refusals, self._refusals = list(self._refusals.values()), {}
        return page

    def refuse(self, node: str, reason: str, payload: bytes, at: datetime) -> None:
        """Count what a box should not have said."""
        name = printable(node)[:LONGEST_NAME]
        row: Row = {"node": name, "reason": reason, "day": at.astimezone(UTC).date(), "count": 0}
        row = self._refusals.setdefault((name, reason, row["day"]), row)
        row["count"] += 1
        row["last_at"], row["example"] = at, printable(payload.decode("utf-8", "replace"))[:EXAMPLE_CHARACTERS]

    def _read(self, receipt: Receipt, page: Page) -> None:
        _, node, *rest = receipt.topic.split("/")
        if receipt.size > LARGEST_PAYLOAD:
            raise RefusedError("too large")
        if max(map(len, (node, *rest))) > LONGEST_NAME or not receipt.topic.isprintable():
            raise RefusedError("topic: wrong")
        if not receipt.payload and rest[-1] != "event":
            return  # who clears what the broker keeps says nothing
        match rest:
            case [source, "event"]:
                self._event(receipt, node, source, page)
            case [source, "state"]:
                self._state(receipt, node, source)
            case [source, "level"]:
                level = read_level(receipt.payload)
                seen = _seen(receipt)
                self._presence.source(node, source, seen, level_dbfs=level, level_at=receipt.at)
            case _:
                available = read_availability(receipt.payload)
                self._presence.box(node, _seen(receipt), news=True, available=available, available_since=receipt.at)

    def _event(self, receipt: Receipt, node: str, source: str, page: Page) -> None:
        message = read_event(receipt.payload, node, source)
        row = message.model_dump(exclude={"schema_", "phase"})
        ended = receipt.at if message.phase == "end" else None
        page.events.append({**row, "received_at": receipt.at, "ended_at": ended})
        self._presence.source(node, source, _seen(receipt))
        if not (message.late or receipt.kept):
            ahead = (message.detected_at - receipt.at).total_seconds()
            self._presence.box(node, _seen(receipt), clock_offset=ahead)

    def _state(self, receipt: Receipt, node: str, source: str) -> None:
        told = read_state(receipt.payload).model_dump()
        since = receipt.at if told["state"] else None
        self._presence.source(node, source, _seen(receipt), news=True, state_since=since, **told)


def printable(text: str) -> str:
    """No NUL, which PostgreSQL does not take, and nothing else that steers a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _seen(receipt: Receipt) -> datetime | None:
    """A message that the broker had kept is as old as it may be."""
    return None if receipt.kept else receipt.at
