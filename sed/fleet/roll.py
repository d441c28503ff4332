"""The roll of a fleet: how every box and source stands, those in trouble first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, and_, func, select

from sed.fleet import schema

Standing = Literal["offline", "silent", "deaf", "ok"]
"""Offline: it said so, or the broker did. Silent: nothing came for long. Deaf: a source of it does not hear."""

STANDINGS: Sequence[Standing] = ("offline", "silent", "deaf", "ok")
"""The worst first."""

CLOCK_SECONDS = 5.0
"""A box whose clock is farther off is marked."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source of a box; what it never said is None."""

    source: str
    events_today: int
    events_24h: int
    state: str | None = None
    state_since: datetime | None = None
    dropped_samples: int | None = None
    level_dbfs: float | None = None
    level_at: datetime | None = None
    model: str | None = None
    last_seen: datetime | None = None

    @property
    def hears(self) -> bool:
        """As far as is known."""
        return self.state in (None, "hearing")


@dataclass(frozen=True, slots=True)
class BoxLine:
    """One box and its sources, by name."""

    node: str
    standing: Standing
    sources: tuple[SourceLine, ...]
    refused: int = 0
    available: bool | None = None
    available_since: datetime | None = None
    last_seen: datetime | None = None
    clock_offset: float | None = None  # seconds ahead

    @property
    def clock_is_off(self) -> bool:
        """By so much that the times of its events mislead."""
        return abs(self.clock_offset or 0.0) > CLOCK_SECONDS


@dataclass(frozen=True, slots=True)
class Roll:
    """All boxes, those in trouble first, then by name."""

    at: datetime
    boxes: tuple[BoxLine, ...]

    def count(self, standing: Standing) -> int:
        """How many stand so."""
        return sum(box.standing == standing for box in self.boxes)

    @property
    def well(self) -> bool:
        """Whether nobody is in trouble."""
        return self.count("ok") == len(self.boxes)

    @property
    def last_seen(self) -> datetime | None:
        """When anything came from anybody."""
        return max((box.last_seen for box in self.boxes if box.last_seen), default=None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to call, and what for: `midnight` is when today began where the asker is."""

    midnight: datetime
    silent_after: timedelta = timedelta(seconds=60)
    nodes: tuple[str, ...] = ()  # patterns such as gate-*; none: all

    def means(self, node: str) -> bool:
        """Whether that one is to be called."""
        return not self.nodes or matches(node, self.nodes)


def matches(node: str, patterns: Iterable[str]) -> bool:
    """Whether a node is named by one of them, as gate-*."""
    return any(fnmatchcase(node, pattern) for pattern in patterns)


def call_roll(engine: Engine, now: datetime, asked: Asked) -> Roll:
    """How all stand at `now`. Raises SQLAlchemyError."""
    with engine.connect() as connection:
        boxes = {row.node: row for row in connection.execute(select(schema.box))}
        sources = _sources(connection, now, asked)
        refused = _refused(connection, now)
    nodes = sorted(node for node in {*boxes, *sources} if asked.means(node))
    lines = [_line(node, boxes.get(node), tuple(sources[node]), refused.get(node, 0), now, asked) for node in nodes]
    return Roll(now, tuple(sorted(lines, key=lambda line: STANDINGS.index(line.standing))))


def _sources(connection: Connection, now: datetime, asked: Asked) -> dict[str, list[SourceLine]]:
    """By node. Events are counted as the boxes' clocks have them, each source by itself in an index of its own."""
    event, source = schema.event.c, schema.source.c

    def since(moment: datetime) -> Any:
        theirs = and_(event.node == source.node, event.source == source.source, event.onset >= moment)
        return select(func.count()).select_from(schema.event).where(theirs).scalar_subquery()

    counts = (since(asked.midnight).label("events_today"), since(now - DAY).label("events_24h"))
    query = select(schema.source, *counts).order_by(source.node, source.source)
    if asked.nodes:
        query = query.where(source.node.in_([node for node in _known(connection) if asked.means(node)]))
    found: dict[str, list[SourceLine]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.node].append(SourceLine(**_told(row, "node")))
    return found


def _known(connection: Connection) -> Iterable[str]:
    return connection.execute(select(schema.source.c.node).distinct()).scalars()


def _refused(connection: Connection, now: datetime) -> dict[str, int]:
    """By node, since the UTC day before: older trouble is over."""
    refusal = schema.refusal.c
    since = (now.astimezone(UTC) - DAY).date()
    query = select(refusal.node, func.sum(refusal.count)).where(refusal.day >= since).group_by(refusal.node)
    return {node: int(count) for node, count in connection.execute(query)}


def _line(
    node: str, box: Row[Any] | None, sources: tuple[SourceLine, ...], refused: int, now: datetime, asked: Asked
) -> BoxLine:
    told = _told(box, "node")
    return BoxLine(node, _standing(told, sources, now - asked.silent_after), sources, refused, **told)


def _standing(told: dict[str, Any], sources: Iterable[SourceLine], deadline: datetime) -> Standing:
    last_seen = told.get("last_seen")
    if told.get("available") is False:
        return "offline"
    if last_seen is None or last_seen < deadline:
        return "silent"
    return "ok" if all(source.hears for source in sources) else "deaf"


def _told(row: Row[Any] | None, *keys: str) -> dict[str, Any]:
    """The columns of a row but its keys."""
    return {name: value for name, value in row._mapping.items() if name not in keys} if row is not None else {}
