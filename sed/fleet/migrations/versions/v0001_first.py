"""The first tables."""

import sqlalchemy as sa
from alembic import op

from sed.fleet.schema import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "event",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("onset", Moment, nullable=False, comment="by the box's clock, as offset and detected_at"),
        sa.Column("offset", Moment, comment="null: it still sounds, or nobody knows (ended_at says which)"),
        sa.Column("duration", sa.Double, comment="seconds"),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("level_dbfs", sa.Double, nullable=False),
        sa.Column("detected_at", Moment, nullable=False, comment="when it was first certain"),
        sa.Column("lost_samples", sa.BigInteger, nullable=False, comment="as its last message says"),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("clip", sa.Text),
        sa.Column("late", sa.Boolean, nullable=False, comment="one of its messages waited longer than mqtt.max_age"),
        sa.Column("received_at", Moment, nullable=False, comment="first receipt, by the collector's clock"),
        sa.Column("ended_at", Moment, comment="first receipt of the end; null: none has come"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_onset", "event", ["onset"])
    op.create_index("ix_event_node_onset_source", "event", ["node", "onset", "source"])
    op.create_index("ix_event_received_at", "event", ["received_at"])
    op.create_table(
        "box",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("available", sa.Boolean, comment="null: it never said"),
        sa.Column("available_since", Moment),
        sa.Column("last_seen", Moment, comment="last live message; null: only what the broker had kept was heard"),
        sa.Column(
            "clock_offset",
            sa.Double,
            comment="seconds ahead of the collector's, from its newest event that is not late",
        ),
        sa.PrimaryKeyConstraint("node", name="pk_box"),
    )
    op.create_table(
        "source",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.Text, comment="hearing, silent, lost or stopped"),
        sa.Column("state_since", Moment),
        sa.Column("dropped_samples", sa.BigInteger),
        sa.Column("level_dbfs", sa.Double),
        sa.Column("level_at", Moment),
        sa.Column("model", sa.Text),
        sa.Column("last_seen", Moment, comment="as in box"),
        sa.PrimaryKeyConstraint("node", "source", name="pk_source"),
    )
    op.create_table(
        "refusal",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="UTC"),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("last_at", Moment, nullable=False),
        sa.Column("example", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("node", "reason", "day", name="pk_refusal"),
    )
