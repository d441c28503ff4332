"""The tables of a fleet's database, the same on SQLite and PostgreSQL.

Grafana and whoever else reads them relies on these names; `sed/fleet/migrations` brings older databases up to them.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    Index,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

EXAMPLE_CHARACTERS = 200
"""So much of a refused message is kept."""


class Moment(TypeDecorator[datetime]):
    """A moment that is UTC and says so, on every database: SQLite knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As the database takes it. Raises ValueError for a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"need a moment with a time zone, got {value.isoformat()}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """In UTC, whatever zone the session has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"})

event = Table(
    "event",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("onset", Moment, nullable=False, comment="by the box's clock, as offset and detected_at"),
    Column("offset", Moment, comment="null: it still sounds, or nobody knows (ended_at says which)"),
    Column("duration", Double, comment="seconds"),
    Column("score", Double, nullable=False),
    Column("level_dbfs", Double, nullable=False),
    Column("detected_at", Moment, nullable=False, comment="when it was first certain"),
    Column("lost_samples", BigInteger, nullable=False, comment="as its last message says"),
    Column("model", Text, nullable=False),
    Column("clip", Text),
    Column("late", Boolean, nullable=False, comment="one of its messages waited longer than mqtt.max_age"),
    Column("received_at", Moment, nullable=False, comment="first receipt, by the collector's clock"),
    Column("ended_at", Moment, comment="first receipt of the end; null: none has come"),
    Index(None, "onset"),
    Index(None, "node", "onset", "source"),
    Index(None, "received_at"),
)

box = Table(
    "box",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("available", Boolean, comment="null: it never said"),
    Column("available_since", Moment),
    Column("last_seen", Moment, comment="last live message; null: only what the broker had kept was heard"),
    Column("clock_offset", Double, comment="seconds ahead of the collector's, from its newest event that is not late"),
)

source = Table(
    "source",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("state", Text, comment="hearing, silent, lost or stopped"),
    Column("state_since", Moment),
    Column("dropped_samples", BigInteger),
    Column("level_dbfs", Double),
    Column("level_at", Moment),
    Column("model", Text),
    Column("last_seen", Moment, comment="as in box"),
)

refusal = Table(
    "refusal",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("day", Date, primary_key=True, comment="UTC"),
    Column("count", BigInteger, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("example", String(EXAMPLE_CHARACTERS), nullable=False),
)
