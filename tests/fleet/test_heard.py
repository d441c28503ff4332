"""What a fleet heard, on both databases."""

from datetime import timedelta

from sed.fleet.heard import Sought, newest
from sed.fleet.store import Store
from tests.fleet.test_roll import NOW, box, events, seconds


def found(store: Store, sought: Sought) -> list[tuple[str, float]]:
    """Whose, and how old."""
    return [(row.node, (NOW - row.onset).total_seconds()) for row in newest(store.engine, sought)]


def test_the_newest_come_first_and_what_is_not_asked_for_not(store: Store) -> None:
    for node in ("gate-1", "gate-2", "roof"):
        box(store, node, NOW, "hearing")
    events(store, "gate-1", seconds(50), seconds(10))
    events(store, "gate-2", seconds(30))
    events(store, "roof", seconds(20))
    everything = [("gate-1", 10.0), ("roof", 20.0), ("gate-2", 30.0), ("gate-1", 50.0)]
    assert found(store, Sought()) == everything
    assert found(store, Sought(limit=2)) == everything[:2]
    assert found(store, Sought(since=NOW - timedelta(seconds=30))) == everything[:3]
    assert found(store, Sought(nodes=("gate-*",))) == [each for each in everything if each[0] != "roof"]
    assert found(store, Sought(labels=("siren", "gun_shot"))) == everything
    assert found(store, Sought(labels=("gun_shot",))) == []
    assert found(store, Sought(nodes=("none",))) == []


def test_rows_are_whole(store: Store) -> None:
    events(store, "gate", NOW)
    (row,) = newest(store.engine, Sought())
    assert (row.onset, row.ended_at, row.late) == (NOW, None, False)
