"""Event messages for tests."""

from datetime import UTC, datetime
from typing import Any

from sed.message import Clock, Message, event_message
from sed.signals import Event, Phase, new_id

CLOCK = Clock(datetime(2026, 11, 20, 2, 59, 0, tzinfo=UTC), 16_000)


def message(
    phase: Phase = "start", name: str | None = None, label: str = "siren", source: str = "yard", **changes: Any
) -> Message:
    """A plausible message; `name` is the event's id."""
    event = Event(name or new_id(), label, phase, 16_000, 40_000 if phase == "end" else None, 0.9, 48_000, -23.1)
    return {**event_message(event, CLOCK, "gate", source, "earwitness-1"), **changes}
