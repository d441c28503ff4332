"""`earwitness collect` as its own process, and what boxes send it, for tests."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sed.fleet.schema import event
from sed.fleet.store import Store
from sed.message import Message, rfc3339
from sed.values import DATABASE_PASSWORD_VARIABLE
from tests.broker import Broker
from tests.daemon import Run
from tests.fleet.conftest import Place
from tests.messages import message

SECONDS = 60.0
"""The machine is busy."""


class Command(Run):
    """Another command than `run`, as a process."""

    def __init__(self, folder: Path, *words: object, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, environment=environment)
        self._command = [sys.executable, "-m", "sed", *map(str, words)]


class Collecting(Command):
    """One collector, of a group unless that is None; a `with` starts it and kills what is left of it."""

    def __init__(
        self,
        folder: Path,
        broker: Broker,
        place: Place,
        name: str = "a",
        *options: object,
        group: str | None = "collectors",
    ) -> None:
        environment = {DATABASE_PASSWORD_VARIABLE: place.password} if place.password else {}
        where = ["--mqtt", broker.mqtt().url, "--database", place.url, "--name", name]
        shared = ["--group", group] if group else []
        super().__init__(folder, "collect", *where, *shared, *options, environment=environment)

    def ready(self) -> bool:
        """Whether it has both the broker and the database."""
        return self.said(": connected") and self.said(": open")


def pair(node: str = "gate", **changes: Any) -> tuple[Message, Message]:
    """Start and end of one event, as a box tells them."""
    start = message("start", node=node, **changes)
    return start, message("end", name=str(start["id"]), node=node, score=0.95, **changes)


def now(shift: timedelta = timedelta()) -> str:
    """As a box with such a clock says it."""
    return rfc3339(datetime.now(UTC) + shift)


def send(broker: Broker, messages: Iterable[Mapping[str, Any]]) -> None:
    """Publish in order, node by node."""
    by_node: dict[str, list[bytes]] = {}
    for each in messages:
        by_node.setdefault(f"{each['node']}/{each['source']}", []).append(json.dumps(each).encode())
    for where, payloads in by_node.items():
        broker.publish(f"earwitness/{where}/event", *payloads)


def rows(store: Store) -> dict[str, Any]:
    """The events by their ids."""
    with store.engine.connect() as connection:
        return {row.id: row for row in connection.execute(select(event))}


def ended(store: Store) -> set[str]:
    """The ids of those whose end is known."""
    return {name for name, row in rows(store).items() if row.ended_at is not None}
