"""What boxes may say: the package's own JSON Schema is the reference."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sed.fleet.contract import RefusedError, read_availability, read_event, read_level, read_state
from sed.message import Message, abandoned, event_schema
from tests.fleet.collecting import pair

START, END = pair()
VALID = Draft202012Validator(event_schema())


def read(message: object) -> Any:
    return read_event(json.dumps(message).encode(), "gate", "yard")


def reason(payload: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        read_event(payload, "gate", "yard")
    return str(refused.value)


def test_a_message_becomes_what_it_says() -> None:
    found = read(END)
    assert (found.id, found.phase, found.label, found.score) == (END["id"], "end", "siren", 0.95)
    assert found.onset.isoformat() == "2026-11-20T02:59:01+00:00"
    assert (found.offset - found.onset).total_seconds() == found.duration == 1.5


@pytest.mark.parametrize(
    "message",
    [
        START,
        END,
        {**END, "late": True},
        {**END, "clip": "a.flac"},
        {**START, "score": 1},
        abandoned(START, read(END).onset),
    ],
)
def test_all_that_the_schema_allows_is_taken(message: Message) -> None:
    VALID.validate(message)
    read(message)


def test_a_newer_box_may_say_more() -> None:
    assert read({**START, "distance": {"metres": 12}}).id == START["id"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"schema": "earwitness.event/2"}, "schema: not earwitness.event/1"),
    ({"schema": None}, "schema: not earwitness.event/1"),
    ({"id": "1; DROP TABLE event"}, "id: wrong"),
    ({"id": 5}, "id: wrong"),
    ({"phase": "middle"}, "phase: wrong"),
    ({"node": "hall"}, "node or source are not those of the topic"),
    ({"source": "hall"}, "node or source are not those of the topic"),
    ({"node": "a/b"}, "node: wrong"),
    ({"label": ""}, "label: wrong"),
    ({"label": "si\0ren"}, "label: wrong"),
    ({"label": "\x1b[2J"}, "label: wrong"),
    ({"label": "x" * 201}, "label: wrong"),
    ({"label": ["siren"]}, "label: wrong"),
    ({"onset": "yesterday"}, "onset: wrong"),
    ({"onset": 1_763_600_000}, "onset: wrong"),
    ({"onset": "2026-02-30T00:00:00.000Z"}, "onset: wrong"),
    ({"onset": "0001-01-01T00:00:00.000Z"}, "onset: wrong"),
    ({"onset": "9999-12-31T23:59:59.999Z"}, "onset: wrong"),
    ({"onset": "2026-11-20T02:59:01.000+01:00"}, "onset: wrong"),
    ({"offset": "2026-11-20T02:59:03.000Z", "duration": 2.0}, "offset: in a start, or before the onset"),
    (
        {"phase": "end", "offset": "2026-11-20T02:59:00.999Z", "duration": 0.0},
        "offset: in a start, or before the onset",
    ),
    ({"phase": "end", "offset": "2026-11-20T02:59:03.000Z"}, "offset and duration go together"),
    ({"score": 1.5}, "score: wrong"),
    ({"score": "0.9"}, "score: wrong"),
    ({"score": True}, "score: wrong"),
    ({"score": float("nan")}, "score: wrong"),
    ({"score": None}, "score: wrong"),
    ({"level_dbfs": float("-inf")}, "level_dbfs: wrong"),
    ({"level_dbfs": -1000.0}, "level_dbfs: wrong"),
    ({"lost_samples": -1}, "lost_samples: wrong"),
    ({"lost_samples": 2**63}, "lost_samples: wrong"),
    ({"lost_samples": 0.5}, "lost_samples: wrong"),
    ({"model": None}, "model: wrong"),
    ({"clip": "../../\n"}, "clip: wrong"),
    ({"late": "yes"}, "late: wrong"),
]


@pytest.mark.parametrize(("change", "why"), WRONG, ids=lambda value: str(value)[:40])
def test_what_breaks_the_contract_is_refused_in_few_words(change: dict[str, Any], why: str) -> None:
    assert reason(json.dumps({**START, **change}).encode()) == why


@pytest.mark.parametrize("field", sorted(set(event_schema()["required"]) - {"event_type", "schema"}))
def test_every_field_has_to_be_there(field: str) -> None:
    assert (
        reason(json.dumps({key: value for key, value in START.items() if key != field}).encode()) == f"{field}: missing"
    )


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"siren!", "not JSON"),
        (b"[" * 10_000, "not JSON"),
        (json.dumps(START).encode()[:-1], "not JSON"),
        (json.dumps(START).replace("siren", r"\ud800").encode(), "not JSON"),  # half a character
        (json.dumps(START).replace("0.9", "1e999").encode(), "score: wrong"),
        (b"[]", "not a JSON object"),
        (b'"siren"', "not a JSON object"),
        (b"{}", "schema: not earwitness.event/1"),
    ],
)
def test_rubbish_is_refused(payload: bytes, why: str) -> None:
    assert reason(payload) == why


@pytest.mark.parametrize(("payload", "level"), [(b"-23.1", -23.1), (b"-120.0", -120.0), (b"0", 0.0)])
def test_levels(payload: bytes, level: float) -> None:
    assert read_level(payload) == level


@pytest.mark.parametrize("payload", [b"", b"loud", b"nan", b"-inf", b"1e3", b"-120.1", b"-23,1", b" -23", b"9" * 400])
def test_what_is_no_level(payload: bytes) -> None:
    with pytest.raises(RefusedError, match=r"^level: not a number of dBFS$"):
        read_level(payload)


def test_states() -> None:
    told = read_state(
        b'{"state": "hearing", "dropped_samples": 5, "model": "m", "orders": {"siren": {"enable": false}}}'
    )
    assert (told.state, told.dropped_samples, told.model) == ("hearing", 5, "m")
    assert read_state(b'{"error": "no such label"}').state is None
    for rubbish in (b"hearing", b'{"state": "bored"}', b'{"dropped_samples": -1}'):
        with pytest.raises(RefusedError):
            read_state(rubbish)


def test_availability() -> None:
    assert (read_availability(b"online"), read_availability(b"offline")) == (True, False)
    with pytest.raises(RefusedError, match="neither online nor offline"):
        read_availability(b"ONLINE")
