"""The message that leaves for every event: a frozen contract, in JSON, with the time taken from the sample clock."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, Protocol

from sed.signals import Event

SCHEMA = "earwitness.event/1"

Message = dict[str, object]
"""What `event.schema.json` describes: strings, numbers and None only."""


class Timekeeper(Protocol):
    """UTC from sample numbers."""

    @property
    def sample_rate(self) -> int: ...  # noqa: D102
    def utc(self, sample: int) -> datetime: ...  # noqa: D102
    def stamp(self, sample: int) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Clock:
    """UTC from sample numbers: sample 0 was heard at `anchor`."""

    anchor: datetime
    sample_rate: int  # Hz

    def __post_init__(self) -> None:
        """Refuse an anchor without a zone: it would be read as local time."""
        if self.anchor.tzinfo is None:
            raise ValueError(f"need an anchor with a time zone, got {self.anchor.isoformat()}")

    def utc(self, sample: int) -> datetime:
        """The moment of a sample, to the microsecond."""
        microseconds = (sample * 1_000_000 + self.sample_rate // 2) // self.sample_rate
        return self.anchor.astimezone(UTC) + timedelta(microseconds=microseconds)

    def stamp(self, sample: int) -> str:
        """The moment of a sample as in RFC 3339: `2026-11-20T02:59:01.240Z`."""
        return rfc3339(self.utc(sample))


def event_message(event: Event, clock: Timekeeper, node: str, source: str, model: str) -> Message:
    """The contract's JSON for one event message; only `end` has an offset and a duration (seconds)."""
    offset = event.offset if event.phase == "end" else None
    return {
        "schema": SCHEMA,
        "id": event.id,
        "event_type": event.label,
        "label": event.label,
        "phase": event.phase,
        "node": node,
        "source": source,
        "onset": clock.stamp(event.onset),
        "offset": None if offset is None else clock.stamp(offset),
        "duration": None if offset is None else round((offset - event.onset) / clock.sample_rate, 3),
        "score": round(float(event.score), 4),
        "level_dbfs": round(float(event.level_dbfs), 1) + 0.0,  # no -0.0
        "detected_at": clock.stamp(event.detected),
        "lost_samples": event.lost_samples,
        "model": model,
        "clip": None,
    }


def abandoned(start: Message, now: datetime) -> Message:
    """The `end` of an event whose process died while it sounded; nobody knows its offset and duration: null.

    Its clip died with the process.
    """
    unknown = dict.fromkeys(("offset", "duration", "clip"))
    return {**start, **unknown, "phase": "end", "detected_at": rfc3339(now), "lost_samples": 0}


def event_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event message."""
    document = files("sed").joinpath("event.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(document)
    return schema


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and `Z`."""
    rounded = moment.astimezone(UTC) + timedelta(microseconds=500)
    return rounded.isoformat(timespec="milliseconds").replace("+00:00", "Z")
