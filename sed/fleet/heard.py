"""What a fleet heard: its events, the newest first, as the boxes' clocks have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select

from sed.fleet import schema
from sed.fleet.roll import matches


@dataclass(frozen=True, slots=True)
class Sought:
    """Which events; no patterns and no labels mean all."""

    nodes: tuple[str, ...] = ()  # patterns such as gate-*
    labels: tuple[str, ...] = ()
    since: datetime | None = None
    limit: int = 100


def newest(engine: Engine, sought: Sought) -> Sequence[Row[Any]]:
    """Rows of the table `event`. Raises SQLAlchemyError."""
    event = schema.event.c
    query = select(schema.event).order_by(event.onset.desc(), event.id).limit(sought.limit)
    if sought.labels:
        query = query.where(event.label.in_(sought.labels))
    if sought.since:
        query = query.where(event.onset >= sought.since)
    with engine.connect() as connection:
        if sought.nodes:
            known = connection.execute(select(schema.box.c.node)).scalars()
            meant = [node for node in known if matches(node, sought.nodes)]
            query = query.where(event.node.in_(meant))
        return connection.execute(query).all()
