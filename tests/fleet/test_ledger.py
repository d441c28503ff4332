"""What is written: whatever comes twice, in any order, makes the same rows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select

from sed.fleet.contract import EventMessage
from sed.fleet.ledger import Page, Row, forget, forget_refusals, write
from sed.fleet.schema import box, refusal, source
from sed.fleet.store import Store
from sed.message import Message
from sed.signals import new_id
from tests.fleet.collecting import pair, rows
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, Postgres

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def received(message: Message, seconds: float = 0.0) -> Row:
    """A message as the reader makes a row of it."""
    found = EventMessage.model_validate_json(json.dumps(message))
    at = NOON + timedelta(seconds=seconds)
    row = found.model_dump(exclude={"schema_", "phase"})
    return {**row, "received_at": at, "ended_at": at if found.phase == "end" else None}


def put(store: Store, *events: Row, **pages: Any) -> None:
    with store.engine.begin() as connection:
        write(connection, Page(events=list(events), **pages))


def table(store: Store, which: Table) -> list[dict[str, Any]]:
    with store.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(which).order_by(*which.primary_key))]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[list[Store]]:
    """One open database of either kind, for many examples."""
    folder: Path = tmp_path_factory.mktemp("ledger")
    with (
        postgres.database() as name,
        Place(f"sqlite:///{folder}/fleet.db").open() as light,
        Place(postgres.url(name), PASSWORD).open() as real,
    ):
        yield [light, real]


@settings(max_examples=30)
@given(
    order=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90)), min_size=1, max_size=12),
    cuts=st.sets(st.integers(1, 11)),
)
def test_any_order_and_number_of_messages_make_the_same_rows(
    shared: list[Store], order: list[tuple[int, int]], cuts: set[int]
) -> None:
    """`order` has which of four messages came, and when; `cuts` say which came in one transaction."""
    start, end = pair(label="siren")
    other_start, other_end = pair(label="glass_break")
    end |= {"score": 0.99, "lost_samples": 7, "detected_at": "2026-11-20T02:59:09.000Z"}
    messages = [start, end, {**other_start, "late": True}, other_end]
    came = [(number, received(messages[number], seconds)) for number, seconds in order]
    for store in shared:
        edges = [0, *sorted(cut for cut in cuts if cut < len(came)), len(came)]
        for begin, until in pairwise(edges):
            put(store, *(row for _, row in came[begin:until]))
        found = rows(store)
        for first, last in ((0, 1), (2, 3)):
            told = [row for number, row in came if number in (first, last)]
            ends = [row for number, row in came if number == last]
            if not told:
                continue
            assert dict(found[str(messages[first]["id"])]._mapping) == {
                **(ends or told)[0],
                "detected_at": min(row["detected_at"] for row in told),
                "received_at": min(row["received_at"] for row in told),
                "late": any(row["late"] for row in told),
                "ended_at": min((row["received_at"] for row in ends), default=None),
            }


def test_nobody_changes_anothers_events(store: Store) -> None:
    start, end = pair("gate")
    put(store, received(start))
    put(store, received({**end, "node": "hall", "label": "nothing"}))
    put(store, received({**end, "source": "attic", "label": "nothing"}))
    (row,) = rows(store).values()
    assert (row.node, row.label, row.ended_at) == ("gate", "siren", None)


def test_the_end_of_a_process_that_died_is_an_end(store: Store) -> None:
    start, end = pair()
    put(store, received(start), received({**end, "offset": None, "duration": None}, 5.0))
    (row,) = rows(store).values()
    assert (row.offset, row.ended_at) == (None, NOON + timedelta(seconds=5))


def seen(node: str, at: float | None, **columns: Any) -> Row:
    row = dict.fromkeys(("available", "available_since", "clock_offset"))
    return {**row, "node": node, "last_seen": None if at is None else NOON + timedelta(seconds=at), **columns}


def test_a_box_keeps_what_nobody_contradicts(store: Store) -> None:
    put(store, boxes=[seen("gate", None, available=True, available_since=NOON)])
    assert table(store, box)[0]["last_seen"] is None
    put(store, boxes=[seen("gate", 5.0, clock_offset=-0.2)])
    put(store, boxes=[seen("gate", 3.0, available=True, available_since=NOON + timedelta(seconds=3))])
    (row,) = table(store, box)
    assert row == {
        "node": "gate",
        "available": True,
        "available_since": NOON,  # it was there all the time
        "last_seen": NOON + timedelta(seconds=5),
        "clock_offset": -0.2,
    }
    put(store, boxes=[seen("gate", 9.0, available=False, available_since=NOON + timedelta(seconds=9))])
    (row,) = table(store, box)
    assert (row["available"], row["available_since"]) == (False, NOON + timedelta(seconds=9))


def test_a_source_keeps_since_when_it_is_as_it_is(store: Store) -> None:
    names = ("state", "state_since", "dropped_samples", "level_dbfs", "level_at", "model", "last_seen")
    key = {"node": "gate", "source": "yard"}

    def told(at: float, **columns: Any) -> Row:
        return {**dict.fromkeys(names), **key, "state_since": NOON + timedelta(seconds=at), **columns}

    put(store, sources=[told(0, state="hearing", dropped_samples=0, model="m")])
    put(store, sources=[told(1, state="hearing", dropped_samples=5)])
    put(store, sources=[told(2, level_dbfs=-40.0)])
    (row,) = table(store, source)
    assert (row["state"], row["state_since"], row["dropped_samples"]) == ("hearing", NOON, 5)
    assert (row["level_dbfs"], row["model"]) == (-40.0, "m")
    put(store, sources=[told(3, state="lost")])
    (row,) = table(store, source)
    assert (row["state"], row["state_since"]) == ("lost", NOON + timedelta(seconds=3))


def test_refusals_are_counted(store: Store) -> None:
    row = {"node": "gate", "reason": "not JSON", "day": NOON.date(), "count": 2, "last_at": NOON, "example": "x"}
    put(store, refusals=[row])
    put(store, refusals=[{**row, "count": 3, "example": "y"}])
    assert [(each["count"], each["example"]) for each in table(store, refusal)] == [(5, "y")]


def test_the_oldest_are_forgotten_a_few_at_a_time(store: Store) -> None:
    put(store, *(received(pair()[0], seconds) for seconds in range(10)))
    before = NOON + timedelta(seconds=7)
    for expected in (5, 2, 0):
        with store.engine.begin() as connection:
            assert forget(connection, before, 5) == expected
    assert sorted(row.received_at for row in rows(store).values()) == [NOON + timedelta(seconds=s) for s in (7, 8, 9)]


def test_what_another_collector_forgets_is_not_waited_for(postgres: Postgres, shared: list[Store]) -> None:
    _, real = shared
    then = NOON - timedelta(days=999)
    names = [new_id() for _ in range(4)]
    put(real, *({**received(pair(id=name)[0]), "received_at": then} for name in names))
    with real.engine.begin() as first, real.engine.begin() as second:
        assert forget(first, NOON - timedelta(days=998), 3) == 3
        assert forget(second, NOON - timedelta(days=998), 3) == 1


def test_refusals_are_forgotten_by_their_day(store: Store) -> None:
    row = {"node": "gate", "reason": "not JSON", "count": 2, "last_at": NOON, "example": "x"}
    put(store, refusals=[{**row, "day": (NOON - timedelta(days=days)).date()} for days in range(3)])
    with store.engine.begin() as connection:
        forget_refusals(connection, NOON - timedelta(days=1))
        assert connection.execute(select(func.count()).select_from(refusal)).scalar() == 2


def test_a_page_row_by_row() -> None:
    page = Page(events=[{"node": "a"}], boxes=[{"node": "b"}, {"node": "c"}])
    assert page.rows == 3
    assert [(row["node"], single.rows) for row, single in page.singly()] == [("a", 1), ("b", 1), ("c", 1)]
