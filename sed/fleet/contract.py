"""What a box may say, and what is refused: events as `event.schema.json` has them, states, levels and availability.

Newer boxes may say more than is known here; that is no reason to refuse them.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sed.message import SCHEMA
from sed.signals import Phase, State
from sed.values import checked_level

LONGEST_NAME = 200
"""Characters; an index of PostgreSQL takes no more than 2,700 bytes."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
T = TypeVar("T", bound="Said")
_MOST_SAMPLES = 2**63 - 1


class RefusedError(ValueError):
    """Why a message is not taken, in words that are few and the same for all boxes: they are counted."""


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value, re.ASCII):
        raise ValueError("not as 2026-11-20T02:59:01.240Z")
    moment = datetime.fromisoformat(value)
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"not within {EARLIEST.year} and {LATEST.year}")
    return moment


def _word(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has control characters")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Word = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_word)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(checked_level)]
Samples = Annotated[int, Field(ge=0, le=_MOST_SAMPLES)]


class Said(BaseModel):
    """JSON of a box, with the types that are promised and no others."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class EventMessage(Said):
    """One of the two messages of an event."""

    schema_: Literal["earwitness.event/1"] = Field(alias="schema")
    id: Annotated[str, Field(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    phase: Phase
    node: Name
    source: Name
    label: Word
    onset: Moment
    offset: Moment | None
    duration: Annotated[float, Field(ge=0.0)] | None
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    level_dbfs: Annotated[float, Field(ge=-120.0, le=20.0)]
    detected_at: Moment
    lost_samples: Samples
    model: Word
    clip: Word | None
    late: bool = False

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.offset is None) != (self.duration is None):
            raise ValueError("offset and duration go together")
        if self.offset is not None and (self.phase == "start" or self.offset < self.onset):
            raise ValueError("offset: in a start, or before the onset")
        return self


class StateMessage(Said):
    """How a source is; an answer to an order that failed may say nothing of that."""

    state: State | None = None
    dropped_samples: Samples | None = None
    model: Word | None = None


def read_event(payload: bytes, node: str, source: str) -> EventMessage:
    """The event in a payload that came on a topic of that node and source. Raises RefusedError."""
    message = _read(EventMessage, payload)
    if (message.node, message.source) != (node, source):
        raise RefusedError("node or source are not those of the topic")
    return message


def read_state(payload: bytes) -> StateMessage:
    """A source's state. Raises RefusedError."""
    return _read(StateMessage, payload)


def read_level(payload: bytes) -> float:
    """A level in dBFS. Raises RefusedError."""
    if not re.fullmatch(rb"-?\d{1,3}(\.\d{1,6})?", payload) or not -120.0 <= float(payload) <= 20.0:
        raise RefusedError("level: not a number of dBFS")
    return float(payload)


def read_availability(payload: bytes) -> bool:
    """Whether a box is there. Raises RefusedError."""
    if payload not in (b"online", b"offline"):
        raise RefusedError("availability: neither online nor offline")
    return payload == b"online"


def _read(kind: type[T], payload: bytes) -> T:
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        raise RefusedError(_reason(error)) from error


def _reason(error: ValidationError) -> str:
    """`score: wrong`: the value is not part of it, or there would be as many reasons as messages."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "not JSON"
    if not first["loc"]:
        return str(first["ctx"]["error"]) if first["type"] == "value_error" else "not a JSON object"
    field = first["loc"][0]
    if field == "schema":
        return f"schema: not {SCHEMA}"
    return f"{field}: missing" if first["type"] == "missing" else f"{field}: wrong"
