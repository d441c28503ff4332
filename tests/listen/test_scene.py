"""What is remembered of what comes; what makes no sense changes nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.broadcast.bulletin import KINDS, Bulletin
from sed.listen.scene import EVENTS, FALL, SOURCES, Scene
from sed.signals import FLOOR_DBFS
from tests.listen.told import HELLO, LABELS, STATE, scores, told
from tests.messages import message


def seen(*bulletins: Bulletin) -> Scene:
    scene = Scene()
    for bulletin in bulletins:
        scene.take(bulletin)
    return scene


def test_the_newest_of_each_source() -> None:
    scene = seen(
        told("hello", HELLO),
        told("state", STATE),
        told("level", {"level_dbfs": -40.0}),
        told("level", {"level_dbfs": -30.0}),
        told("state", STATE | {"dropped_samples": 5}, source="street"),
    )
    assert list(scene.sources) == [("gate", "yard"), ("gate", "street")]
    yard = scene.sources["gate", "yard"]
    assert (yard.name, yard.state, yard.level_dbfs, yard.model) == ("gate/yard", "hearing", -30.0, "toy")
    assert (yard.labels, yard.on) == (("siren", "gun_shot", "music"), (0.6, 0.75, 0.5))
    assert scene.sources["gate", "street"].dropped_samples == 5
    assert not scene.strange


def test_a_short_high_score_falls_slowly() -> None:
    scene = seen(scores([0.1, 0.2], [0.9, 0.0]), scores([0.0, 0.25]))
    assert scene.sources["gate", "yard"].scores.tolist() == pytest.approx([0.9 * FALL, 0.25])


def test_a_source_that_is_lost_has_no_level() -> None:
    scene = seen(told("level", {"level_dbfs": -30.0}), told("state", STATE | {"state": "lost"}))
    assert scene.sources["gate", "yard"].level_dbfs == FLOOR_DBFS


def test_memory_is_bounded() -> None:
    scene = seen(*[told("event", message(name=str(n))) for n in range(3 * EVENTS)])
    assert [event["id"] for event in scene.events] == [str(n) for n in range(2 * EVENTS, 3 * EVENTS)]
    scene = seen(*[told("state", STATE, source=str(n)) for n in range(3 * SOURCES)])
    assert len(scene.sources) == SOURCES


STRANGE: list[Bulletin] = [
    told("event", {}),
    told("event", message() | {"score": "high"}),
    told("level", {"level_dbfs": None}),
    told("state", []),
    told("hello", HELLO | {"on": [0.5]}),
    scores([0.5]).__class__("scores", "gate", "yard", "cafe", 0, b"", labels=1),
]


@pytest.mark.parametrize("bulletin", STRANGE, ids=lambda bulletin: f"{bulletin.kind} {bulletin.body[:20]!r}")
def test_what_makes_no_sense_is_counted(bulletin: Bulletin) -> None:
    scene = seen(told("hello", HELLO), bulletin)
    assert scene.strange == {bulletin.kind: 1}
    assert scene.sources["gate", "yard"].labels == LABELS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from([*HELLO, *STATE, *message()]), json_values))
def test_nothing_that_comes_ends_it(kind: Any, changes: dict[str, object]) -> None:
    """Fuzzing."""
    whole: dict[str, dict[str, object]] = {"hello": HELLO, "state": STATE, "event": message()}
    body = json.dumps(whole.get(kind, {}) | changes).encode()
    seen(Bulletin(kind, "gate", "yard", "cafe", 0, body, labels=3))
