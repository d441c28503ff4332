"""The roll: how boxes stand, whose trouble comes first, what is counted, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from sed.fleet import schema
from sed.fleet.roll import STANDINGS, Asked, BoxLine, Roll, call_roll
from sed.fleet.store import Store

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 19, 23, 0, 0, tzinfo=UTC)  # in Berlin
ASKED = Asked(MIDNIGHT)


def seconds(count: float) -> datetime:
    """So long ago."""
    return NOW - timedelta(seconds=count)


def put(store: Store, table: Any, *rows: dict[str, Any]) -> None:
    with store.engine.begin() as connection:
        for row in rows:
            connection.execute(insert(table), row)


def box(store: Store, node: str, seen: datetime | None = NOW, *states: str | None, **columns: Any) -> None:
    """One with sources a, b and so on."""
    put(store, schema.box, {"node": node, "last_seen": seen, "available": True} | columns)
    for name, state in zip("abc", states, strict=False):
        put(store, schema.source, {"node": node, "source": name, "state": state})


def events(store: Store, node: str, *onsets: datetime, source: str = "a") -> None:
    for n, onset in enumerate(onsets):
        told = {"id": f"{node} {source} {onset} {n}", "node": node, "source": source, "label": "siren", "onset": onset}
        rest = {"score": 0.9, "level_dbfs": -20.0, "lost_samples": 0, "model": "m", "late": False}
        put(store, schema.event, {**told, **rest, "detected_at": onset, "received_at": onset})


def call(store: Store, **asked: Any) -> Roll:
    return call_roll(store.engine, NOW, Asked(MIDNIGHT, **asked))


def line(store: Store, node: str) -> BoxLine:
    return next(box for box in call(store).boxes if box.node == node)


STANDING: list[tuple[datetime | None, list[str | None], dict[str, Any], str]] = [
    (NOW, ["hearing"], {}, "ok"),
    (seconds(59), ["hearing"], {}, "ok"),
    (seconds(61), ["hearing"], {}, "silent"),
    (None, ["hearing"], {}, "silent"),  # only what the broker had kept is known
    (NOW, ["hearing"], {"available": False}, "offline"),
    (seconds(500), ["lost"], {"available": False}, "offline"),  # the worst counts
    (NOW, ["hearing"], {"available": None}, "ok"),  # a collector that came later
    (NOW, ["hearing", "lost"], {}, "deaf"),
    (NOW, ["silent"], {}, "deaf"),
    (NOW, ["stopped"], {}, "deaf"),
    (seconds(500), ["lost"], {}, "silent"),
    (NOW, [None], {}, "ok"),  # an event came, a state did not yet
    (NOW, [], {}, "ok"),
    (NOW + timedelta(seconds=3), ["hearing"], {}, "ok"),  # the collector's clock is ahead
]


def test_how_boxes_stand(store: Store) -> None:
    for n, (seen, states, columns, _) in enumerate(STANDING):
        box(store, f"{n}", seen, *states, **columns)
    found = {line.node: line.standing for line in call(store).boxes}
    assert found == {f"{n}": standing for n, (*_, standing) in enumerate(STANDING)}


def test_trouble_comes_first_then_names(store: Store) -> None:
    box(store, "b-ok", NOW, "hearing")
    box(store, "a-ok", NOW, "hearing")
    box(store, "z-offline", NOW, "hearing", available=False)
    box(store, "y-deaf", NOW, "lost")
    box(store, "x-silent", seconds(100), "hearing")
    roll = call(store)
    assert [each.node for each in roll.boxes] == ["z-offline", "x-silent", "y-deaf", "a-ok", "b-ok"]
    assert [roll.count(standing) for standing in STANDINGS] == [1, 1, 1, 2]
    assert not roll.well
    assert roll.last_seen == NOW


def test_how_long_is_silent_can_be_said(store: Store) -> None:
    box(store, "gate", seconds(100), "hearing")
    assert not call(store).well
    assert call(store, silent_after=timedelta(seconds=101)).well


def test_events_are_counted_since_midnight_and_in_a_day(store: Store) -> None:
    box(store, "gate", NOW, "hearing", "hearing")
    box(store, "yard", NOW, "hearing")
    day = NOW - timedelta(hours=24)
    events(store, "gate", NOW, MIDNIGHT, MIDNIGHT - timedelta(seconds=1), day, day - timedelta(seconds=1))
    events(store, "gate", NOW, source="b")
    assert [(each.events_today, each.events_24h) for each in line(store, "gate").sources] == [(2, 4), (1, 1)]
    assert [(each.events_today, each.events_24h) for each in line(store, "yard").sources] == [(0, 0)]


def test_what_sources_say_is_there(store: Store) -> None:
    box(store, "gate", seconds(2), clock_offset=-3.0, available_since=seconds(50))
    told = {
        "state": "hearing", "state_since": seconds(40), "dropped_samples": 2**40, "level_dbfs": -41.5,
        "level_at": seconds(5), "model": "earwitness-1", "last_seen": seconds(1),
    }  # fmt: skip
    put(store, schema.source, {"node": "gate", "source": "yard"} | told)
    found = line(store, "gate")
    (source,) = found.sources
    assert {name: getattr(source, name) for name in told} == told
    assert (found.last_seen, found.available_since, found.clock_offset) == (seconds(2), seconds(50), -3.0)


def test_a_clock_that_is_off_is_marked(store: Store) -> None:
    off = {None: False, 0.0: False, -4.9: False, 86_400.0: True, -6.0: True}
    for offset in off:
        box(store, f"{offset}", NOW, clock_offset=offset)
    assert {line.clock_offset: line.clock_is_off for line in call(store).boxes} == off


def test_refused_messages_of_two_days_count(store: Store) -> None:
    box(store, "gate", NOW)
    for age, count in ((0, 3), (1, 4), (2, 100)):
        day = (NOW - timedelta(days=age)).date()
        for reason in ("not JSON", "too large"):
            row = {"node": "gate", "reason": reason, "day": day, "count": count, "last_at": NOW, "example": "?"}
            put(store, schema.refusal, row)
    assert line(store, "gate").refused == 14


def test_who_only_sends_rubbish_is_no_box_but_who_only_has_sources_is(store: Store) -> None:
    put(
        store, schema.refusal,
        {"node": "ghost", "reason": "not JSON", "day": NOW.date(), "count": 1, "last_at": NOW, "example": "?"},
    )  # fmt: skip
    put(store, schema.source, {"node": "yard", "source": "a"})
    assert [each.node for each in call(store).boxes] == ["yard"]


def test_some_can_be_called(store: Store) -> None:
    for node in ("gate-1", "gate-2", "yard_1", "100%"):
        box(store, node, NOW, "hearing")
        events(store, node, NOW)
    assert [each.node for each in call(store, nodes=("gate-*", "100%")).boxes] == ["100%", "gate-1", "gate-2"]
    assert [each.sources[0].events_today for each in call(store, nodes=("yard?1",)).boxes] == [1]
    assert call(store, nodes=("none",)).boxes == ()


def test_an_empty_database_has_no_boxes(store: Store) -> None:
    roll = call(store)
    assert roll.boxes == ()
    assert roll.last_seen is None


onsets = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3 * 86_400)), max_size=12)


@given(told=onsets, midnight=st.integers(0, 86_400))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_agree_with_counting_by_hand(store: Store, told: list[tuple[str, int]], midnight: int) -> None:
    with store.engine.begin() as connection:
        for table in (schema.event, schema.source, schema.box):
            connection.execute(delete(table))
    box(store, "gate", NOW, "hearing", "hearing")
    for n, (source, age) in enumerate(told):
        events(store, "gate", seconds(age) - timedelta(microseconds=n), source=source)
    (found,) = call_roll(store.engine, NOW, Asked(seconds(midnight))).boxes
    for line in found.sources:
        ages = [age + n / 1e6 for n, (source, age) in enumerate(told) if source == line.source]
        assert line.events_today == sum(age <= midnight for age in ages)
        assert line.events_24h == sum(age <= 86_400 for age in ages)
