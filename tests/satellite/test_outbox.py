"""What waits for the box: nothing twice, nothing out of order, nothing lost but what is counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sed.satellite.outbox import Outbox
from sed.satellite.wire import Audio


def audio(first: int, size: int = 10) -> Audio:
    return Audio(first, 0, np.zeros(size, np.float32))


def firsts(outbox: Outbox, wanted: int = 0, window: int = 1_000) -> list[int]:
    return [each.first for each in outbox.sendable(wanted, window)]


def filled(blocks: int, capacity: int = 1_000) -> Outbox:
    outbox = Outbox(capacity)
    for n in range(blocks):
        outbox.put(audio(10 * n))
    return outbox


def test_what_was_sent_is_not_sent_again_until_the_line_breaks() -> None:
    outbox = filled(5)
    assert firsts(outbox) == [0, 10, 20, 30, 40]
    assert firsts(outbox) == []
    outbox.acknowledge(25)  # in the midst of a block: it is sent again, and the box passes over what it has
    outbox.rewind()
    assert firsts(outbox) == [20, 30, 40]
    outbox.acknowledge(50)
    assert outbox.held == 0


def test_what_could_not_be_sent_waits() -> None:
    outbox = filled(3)
    for each in outbox.sendable(0, 1_000):
        if each.first == 10:
            break  # ZeroMQ takes no more
    assert firsts(outbox) == [10, 20]


def test_the_window() -> None:
    outbox = filled(10)
    assert firsts(outbox, window=30) == [0, 10, 20]
    outbox.acknowledge(20)
    assert firsts(outbox, wanted=20, window=30) == [30, 40]


def test_a_gap_longer_than_the_window_does_not_stop_it() -> None:
    outbox = filled(2)
    outbox.put(audio(100_000))
    assert firsts(outbox, wanted=0, window=30) == [0, 10]
    outbox.acknowledge(20)
    assert firsts(outbox, wanted=20, window=30) == [100_000]


def test_a_box_that_knows_nothing_gets_what_there_is() -> None:
    outbox = filled(100, capacity=50)
    assert firsts(outbox, wanted=0, window=30) == [950, 960, 970]


@given(steps=st.lists(st.tuples(st.sampled_from("psar"), st.integers(1, 40)), max_size=60))
def test_everything_leaves_in_order_or_is_counted(steps: list[tuple[str, int]]) -> None:
    outbox, put, got, most = Outbox(100), 0, 0, 0
    for step, size in steps:
        if step == "p":
            outbox.put(audio(put, size))
            put += size
        elif step == "s":
            for each in outbox.sendable(got, 60):
                assert each.first <= max(got, each.first)
                most = max(most, each.end)
        elif step == "a":
            got = max(got, most)
            outbox.acknowledge(got)
        else:
            outbox.rewind()
        assert outbox.held <= 100
    outbox.rewind()
    left = [each.first for each in outbox.sendable(got, 10**9)]
    assert left == sorted(left)
    assert outbox.held + outbox.lost + got >= put
