"""The loop: the same events for any chunking, the times they carry, and what a loss does."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.signals import Block, Event, Floats
from tests.test_frontend import cut
from tests.toy import RATE, bursts, write_toy

RULE = Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("model") / "toy.onnx"))


def events_of(model: OnnxModel, blocks: list[Block]) -> list[Event]:
    model.reset()
    tracker = Tracker(("tone",), {"tone": RULE}, RATE)
    return list(detect(blocks, LogMel(model.metadata.frontend), model, tracker, LevelMeter(RATE)))


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.phase, e.onset, e.offset, e.detected, round(e.score, 4), round(e.level_dbfs, 2)) for e in events]


SOUND = bursts((0.5, 1.0), (1.8, 2.0), seconds=2.5)


@given(sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=12))
@hypothesis_settings(max_examples=40)
def test_chunking_does_not_change_the_events(toy: OnnxModel, sizes: list[int]) -> None:
    whole = events_of(toy, [Block(0, SOUND)])
    assert [e.phase for e in whole] == ["start", "end", "start", "end"]
    chunked = [row[:3] + row[4:5] for row in told(events_of(toy, cut(SOUND, sizes)))]
    assert chunked == [row[:3] + row[4:5] for row in told(whole)]


def test_events_lie_where_the_sound_is(toy: OnnxModel) -> None:
    ends = [e for e in events_of(toy, cut(SOUND, [320])) if e.phase == "end"]
    for event, (onset, offset) in zip(ends, [(0.5, 1.0), (1.8, 2.0)], strict=True):
        assert abs(event.onset / RATE - onset) <= 0.13  # the toy claims two rows of look-ahead and needs none
        assert event.offset is not None
        assert abs(event.offset / RATE - offset) <= 0.13
        assert event.level_dbfs == pytest.approx(-20.0, abs=1.0)


def test_a_start_leaves_before_its_sound_is_over(toy: OnnxModel) -> None:
    """The block that completes the deciding sample is the last one taken from the source."""
    taken = 0

    def source() -> Iterator[Block]:
        nonlocal taken
        for block in cut(SOUND, [160]):
            taken = block.end
            yield block

    tracker = Tracker(("tone",), {"tone": RULE}, RATE)
    toy.reset()
    events = detect(source(), LogMel(toy.metadata.frontend), toy, tracker, LevelMeter(RATE))
    start = next(events)
    assert start.phase == "start"
    assert start.detected <= taken < start.detected + 160
    events.close()  # type: ignore[attr-defined]


def test_an_event_at_the_very_end_is_not_lost(toy: OnnxModel) -> None:
    events = events_of(toy, cut(bursts((0.9, 1.0), seconds=1.0), [320]))
    assert [e.phase for e in events] == ["start", "end"]
    assert all(e.detected <= RATE for e in events)


def with_a_hole(samples: Floats, first: int, last: int) -> list[Block]:
    blocks = cut(samples[:first], [320])
    return blocks + [Block(b.start + last, b.samples) for b in cut(samples[last:], [320])]


def test_a_loss_ends_open_events_and_is_told_with_the_next(toy: OnnxModel) -> None:
    sound = bursts((0.5, 2.0), seconds=3.0)
    events = events_of(toy, with_a_hole(sound, RATE, RATE + 4_000))
    assert [e.phase for e in events] == ["start", "end", "start", "end"]
    assert [e.lost_samples for e in events] == [0, 0, 4_000, 0]
    assert events[1].offset is not None
    assert abs(events[1].offset - RATE) <= 640
    assert events[2].onset == RATE + 4_000


def test_what_follows_a_loss_is_heard_afresh(toy: OnnxModel) -> None:
    """Nothing of before the hole leaks into after it: the events equal those of the second half alone."""
    sound = bursts((0.3, 0.7), (1.5, 1.9), seconds=2.5)
    after = [e for e in events_of(toy, with_a_hole(sound, RATE - 100, RATE)) if e.onset >= RATE]
    alone = events_of(toy, cut(sound[RATE:], [320]))
    assert [(e.onset - RATE, e.score) for e in after] == [(e.onset, e.score) for e in alone]


def test_silence_and_nothing(toy: OnnxModel) -> None:
    assert events_of(toy, []) == []
    assert events_of(toy, [Block(0, np.zeros(100, np.float32))]) == []
    assert events_of(toy, cut(np.zeros(RATE, np.float32), [320])) == []


def test_an_open_event_ends_where_a_gap_is_known_before_sound_comes_again(toy: OnnxModel) -> None:
    """What a ring gives when a microphone is unplugged: an empty block behind the gap."""
    blocks = [*cut(bursts((0.5, 1.5), seconds=1.5), [320]), Block(3 * RATE, np.zeros(0, np.float32))]
    events = events_of(toy, blocks)
    assert [event.phase for event in events] == ["start", "end"]
    assert events[1].offset == pytest.approx(1.5 * RATE, abs=0.05 * RATE)
    assert events[1].detected <= 1.5 * RATE
