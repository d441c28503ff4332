"""The event message: a contract that other programs rely on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.message import Clock, Message, abandoned, event_message, event_schema, rfc3339
from sed.signals import FLOOR_DBFS, Event

CLOCK = Clock(datetime(2026, 11, 20, 2, 59, 1, 240_000, tzinfo=UTC), 16_000)
START = Event("01JD0000000000000000000000", "glass_break", "start", 0, None, 0.97, 2_880, -23.1, 0)
END = replace(START, phase="end", offset=6_400, score=0.98765, detected=9_600, lost_samples=160)
VALIDATOR = jsonschema.Draft202012Validator(event_schema())


def told(event: Event) -> Message:
    return event_message(event, CLOCK, "gate", "yard", "earwitness-1")


def test_start_is_the_contracts_example() -> None:
    assert told(START) == {
        "schema": "earwitness.event/1",
        "id": "01JD0000000000000000000000",
        "event_type": "glass_break",
        "label": "glass_break",
        "phase": "start",
        "node": "gate",
        "source": "yard",
        "onset": "2026-11-20T02:59:01.240Z",
        "offset": None,
        "duration": None,
        "score": 0.97,
        "level_dbfs": -23.1,
        "detected_at": "2026-11-20T02:59:01.420Z",
        "lost_samples": 0,
        "model": "earwitness-1",
        "clip": None,
    }


def test_end_tells_offset_and_duration() -> None:
    changed = {key: value for key, value in told(END).items() if value != told(START)[key]}
    assert changed == {
        "phase": "end",
        "offset": "2026-11-20T02:59:01.640Z",
        "duration": 0.4,
        "score": 0.9877,
        "detected_at": "2026-11-20T02:59:01.840Z",
        "lost_samples": 160,
    }


def test_an_abandoned_event_ends_without_offset() -> None:
    end = abandoned(told(START), datetime(2026, 11, 20, 3, 0, tzinfo=UTC))
    assert end == {**told(START), "phase": "end", "detected_at": "2026-11-20T03:00:00.000Z"}
    VALIDATOR.validate(end)


@pytest.mark.parametrize("event", [START, END, replace(END, offset=0), replace(START, level_dbfs=FLOOR_DBFS)])
def test_messages_fit_the_schema(event: Event) -> None:
    VALIDATOR.validate(told(event))
    assert [*told(event), "late"] == [*event_schema()["required"], "late"] == list(event_schema()["properties"])
    VALIDATOR.validate({**told(event), "late": True})  # added by a sink, after an outage


@pytest.mark.parametrize(
    "wrong",
    [
        {"extra": 1},
        {"schema": "earwitness.event/2"},
        {"id": "yard-1"},
        {"phase": "middle"},
        {"offset": "2026-11-20T02:59:01.640Z"},  # in a start
        {"duration": 0.4},
        {"onset": "2026-11-20 02:59:01"},
        {"onset": "2026-11-20T02:59:01.240+01:00"},
        {"score": 1.1},
        {"score": "0.9"},
        {"level_dbfs": None},
        {"lost_samples": -1},
        {"source": "yard/gate"},
        {"late": False},
    ],
)
def test_the_schema_is_strict(wrong: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid({**told(START), **wrong})


@pytest.mark.parametrize("missing", list(event_schema()["required"]))
def test_the_schema_requires_every_field(missing: str) -> None:
    message = told(START)
    del message[missing]
    assert not VALIDATOR.is_valid(message)


def test_an_end_has_offset_and_duration_or_neither() -> None:
    assert not VALIDATOR.is_valid({**told(END), "duration": None})
    assert not VALIDATOR.is_valid({**told(END), "offset": None})


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())


def test_numpy_numbers_become_plain_ones_and_zero_has_no_sign() -> None:
    message = told(replace(START, score=float(np.float32(0.97)), level_dbfs=-0.04))
    assert message["score"] == 0.97
    assert str(message["level_dbfs"]) == "0.0"


@given(sample=st.integers(0, 10**13), rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]))
def test_stamps_are_exact_to_the_millisecond(sample: int, rate: int) -> None:
    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    told = datetime.fromisoformat(Clock(anchor, rate).stamp(sample)) - anchor
    milliseconds = told // timedelta(milliseconds=1)
    assert abs(milliseconds * rate - sample * 1_000) <= rate / 2 + rate / 1_000  # half a millisecond and a microsecond


def test_stamps_are_utc_whatever_the_anchors_zone() -> None:
    anchor = datetime(2026, 11, 20, 4, 0, tzinfo=timezone(timedelta(hours=1)))
    assert Clock(anchor, 16_000).stamp(24) == "2026-11-20T03:00:00.002Z"  # 1.5 ms, rounded up
    assert rfc3339(datetime(2026, 12, 31, 23, 59, 59, 999_600, tzinfo=UTC)) == "2027-01-01T00:00:00.000Z"


def test_an_anchor_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="need an anchor with a time zone, got 2026-11-20T00:00:00"):
        Clock(datetime(2026, 11, 20), 16_000)
