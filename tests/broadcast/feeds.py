"""A source for tests, and what it has to tell."""

from datetime import UTC, datetime

import numpy as np

from sed.journal import SourceState
from sed.message import Clock
from sed.metadata import Rule
from sed.observer import Origin
from sed.ring import RingBuffer
from sed.signals import Scores
from tests.toy import RATE, metadata

CLOCK = Clock(datetime(2026, 1, 1, tzinfo=UTC), RATE)
LABELS = ("siren", "gun_shot")
RULES = {"siren": Rule(on=0.6), "gun_shot": Rule(on=0.7, alert=False)}
STATE = SourceState("yard", "hearing", -30.0, 5, "toy")


def origin(source: str = "yard") -> Origin:
    return Origin("gate", source, metadata(LABELS), CLOCK, RingBuffer(RATE))


def scores(start: int = 0, rows: int = 1) -> Scores:
    """Those of each row are its number, and half of it."""
    numbers = start // 640 + np.arange(rows, dtype=np.float32)
    return Scores(start, 640, np.stack([numbers, numbers / 2], axis=1), 0)
