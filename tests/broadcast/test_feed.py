"""What a source tells: numbered, timed, and never more of it than can wait."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.broadcast.bulletin import Bulletin
from sed.broadcast.feed import LIMIT, Feed
from sed.message import Timekeeper
from sed.observer import Origin
from sed.ring import RingBuffer
from sed.signals import FLOOR_DBFS, Block
from tests.broadcast.feeds import origin, scores
from tests.messages import message
from tests.toy import RATE, metadata


def opened(place: Origin | None = None) -> Feed:
    feed = Feed(place or origin(), "cafe", lambda: None)
    feed.open = True
    return feed


def levels(feed: Feed) -> list[tuple[int | None, float]]:
    return [(each.sample, each.content()["level_dbfs"]) for each in feed.taken() if each.kind == "level"]


def test_nothing_is_kept_while_nobody_publishes() -> None:
    feed = Feed(origin(), "cafe", lambda: None)
    feed.scores(scores())
    feed.told(message())
    feed.block(Block(0, np.ones(RATE, np.float32)))
    assert list(feed.taken()) == []


def test_scores_have_their_sample_and_time() -> None:
    feed = opened()
    feed.scores(scores(2 * RATE, rows=3))
    (told,) = feed.taken()
    assert (told.topic, told.sample, told.utc, told.labels) == ("scores/yard", 2 * RATE, "2026-01-01T00:00:02.000Z", 2)
    np.testing.assert_array_equal(told.rows(), [[50, 25], [51, 25.5], [52, 26]])


def test_an_event_is_told_as_it_is_and_at_once() -> None:
    woken: list[bool] = []
    feed = Feed(origin(), "cafe", lambda: woken.append(True))
    feed.open = True
    sent = message()
    feed.scores(scores())
    assert woken == []
    feed.told(sent)
    assert woken == [True]
    assert [told.content() for told in feed.taken() if told.kind == "event"] == [sent]


def test_each_kind_is_numbered_apart() -> None:
    feed = opened()
    for n in range(3):
        feed.scores(scores(n))
    feed.told(message())
    feed.scores(scores(3))
    assert [(told.kind, told.seq) for told in feed.taken()] == [
        ("scores", 0), ("scores", 1), ("scores", 2), ("event", 0), ("scores", 3),
    ]  # fmt: skip
    assert feed.bulletin("hello", {}).seq == 0
    assert feed.bulletin("hello", {}).seq == 1


@pytest.mark.parametrize("more", [0, 1, 700])
def test_what_nobody_takes_is_dropped_and_counted_and_seen_from_the_numbers(more: int) -> None:
    feed = opened()
    for n in range(LIMIT + more):
        feed.scores(scores(640 * n))
    taken = list(feed.taken())
    assert feed.dropped == more
    assert [told.seq for told in taken] == list(range(more, LIMIT + more))


@given(st.lists(st.integers(0, 4_000), max_size=30))
def test_levels_are_the_mean_power_of_a_tenth_of_a_second_or_a_block(sizes: list[int]) -> None:
    feed, sound = opened(), np.random.default_rng(0).normal(0.0, 0.1, sum(sizes)).astype(np.float32)
    at = 0
    for size in sizes:
        feed.block(Block(at, sound[at : at + size]))
        at += size
    found = levels(feed)
    assert len(found) <= len(sound) * 10 / RATE
    starts = [start for start, _ in found if start is not None]
    for start, end, (_, level) in zip(starts, starts[1:], found, strict=False):
        assert end - start >= RATE / 10
        assert level == pytest.approx(10 * np.log10(np.mean(np.square(sound[start:end], dtype=float))), abs=0.051)


def test_silence_is_the_floor_and_a_loss_begins_anew() -> None:
    feed = opened()
    feed.block(Block(0, np.ones(1_500, np.float32)))
    feed.block(Block(50_000, np.zeros(1_600, np.float32)))
    assert levels(feed) == [(50_000, FLOOR_DBFS)]


def test_a_time_that_nobody_knows_yet_is_not_told() -> None:
    class Unfitted:
        sample_rate = RATE

        def utc(self, sample: int) -> None:
            raise ValueError("need an observation")

        stamp = utc

    clock: Timekeeper = Unfitted()  # type: ignore[assignment]
    feed = opened(Origin("gate", "yard", metadata(), clock, RingBuffer(1)))
    feed.scores(scores())
    (told,) = feed.taken()
    assert (told.sample, told.utc) == (0, None)
    assert Bulletin.received(told.frames()) == told
