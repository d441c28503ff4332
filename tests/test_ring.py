"""The ring between two real threads, and every sample accounted for."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.ring import RingBuffer
from sed.signals import Block, Floats
from tests.broker import eventually


def ramp(start: int, count: int) -> Floats:
    """Samples that are their own index (exact in float32 up to 2**24)."""
    return np.arange(start, start + count, dtype=np.float32)


def assert_true(block: Block) -> None:
    np.testing.assert_array_equal(block.samples, ramp(block.start, len(block.samples)))


def test_what_goes_in_comes_out() -> None:
    ring = RingBuffer(100)
    ring.write(ramp(0, 30))
    ring.write(ramp(30, 50))
    ring.close()
    blocks = list(ring.blocks(10))
    assert [(b.start, b.end) for b in blocks] == [(0, 80)]
    assert_true(blocks[0])
    assert ring.lost == 0


@given(capacity=st.integers(1, 60), writes=st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=30))
def test_every_sample_is_read_or_counted_as_lost(capacity: int, writes: list[tuple[int, bool]]) -> None:
    ring = RingBuffer(capacity)
    reader = ring.blocks(1)
    written, read, expected = 0, 0, 0
    blocks: list[Block] = []
    for count, then_read in writes:
        ring.write(ramp(written, count))
        written += count
        if then_read and ring.waiting:
            blocks.append(next(reader))
    ring.close()
    blocks.extend(reader)
    for block in blocks:
        assert block.start >= expected
        assert_true(block)
        expected = block.end
        read += len(block.samples)
    assert read + ring.lost == written


@given(
    capacity=st.integers(1, 60),
    steps=st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=30),
)
def test_a_gap_is_a_jump_at_its_place(capacity: int, steps: list[tuple[int, bool, bool]]) -> None:
    ring = RingBuffer(capacity)
    reader = ring.blocks(1)
    blocks: list[Block] = []
    for count, skipped, then_read in steps:
        if skipped and count:
            ring.skip(count)
        else:
            ring.write(ramp(ring.end, count))
        if then_read and ring.waiting:
            blocks.append(next(reader))
    ring.close()
    blocks.extend(reader)
    expected = 0
    for block in blocks:
        assert block.start >= expected
        assert_true(block)  # a sample is its own number: none stands where a gap is
        expected = block.end
    assert expected == ring.end
    assert sum(len(block.samples) for block in blocks) + ring.lost == ring.end


@given(
    capacity=st.integers(1, 60),
    steps=st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=30),
    start=st.integers(0, 400),
)
def test_the_past_is_what_was_read_and_not_yet_overwritten(
    capacity: int, steps: list[tuple[int, bool, bool]], start: int
) -> None:
    ring = RingBuffer(capacity)
    reader = ring.blocks(1)
    written: list[int] = []  # the numbers of all samples, but for the gaps
    read: set[int] = set()
    for count, skipped, then_read in steps:
        if skipped and count:
            ring.skip(count)
        else:
            written += range(ring.end, ring.end + count)
            ring.write(ramp(ring.end, count))
        if then_read and ring.waiting:
            block = next(reader)
            read |= set(range(block.start, block.end))
        blocks = ring.past(start)
        for block in blocks:
            assert_true(block)
        numbers = [number for block in blocks for number in range(block.start, block.end)]
        upto = max(read, default=-1)  # what was lost before that is overwritten: it is not held
        assert numbers == [number for number in written[-capacity:] if start <= number <= upto]


def test_gaps_in_the_past_are_forgotten_with_it() -> None:
    ring = RingBuffer(10)
    reader = ring.blocks(1)
    for _ in range(1_000):
        ring.skip(5)
        ring.write(ramp(ring.end, 3))
        next(reader)
    ends = [(block.start, block.end) for block in ring.past(0)]
    assert ends == [(7975, 7976), (7981, 7984), (7989, 7992), (7997, 8000)]
    assert len(ring._stretches) == 4


def test_the_reader_hears_of_a_gap_at_once() -> None:
    ring = RingBuffer(100)
    ring.write(ramp(0, 5))
    ring.skip(1000)
    reader = ring.blocks(20)
    assert [(block.start, block.end) for block in (next(reader), next(reader))] == [(0, 5), (1005, 1005)]
    assert ring.lost == 1000


def test_a_gap_has_a_length() -> None:
    with pytest.raises(ValueError, match="need samples >= 1"):
        RingBuffer(1).skip(0)


def test_the_oldest_samples_are_overwritten() -> None:
    ring = RingBuffer(10)
    ring.write(ramp(0, 25))
    ring.close()
    (block,) = ring.blocks(1)
    assert (block.start, block.end, ring.lost) == (15, 25, 15)


def test_blocks_wait_for_enough_samples() -> None:
    ring = RingBuffer(100)
    seen: list[Block] = []
    reader = threading.Thread(target=lambda: seen.extend(ring.blocks(20)))
    reader.start()
    ring.write(ramp(0, 19))
    time.sleep(0.05)
    assert seen == []
    ring.write(ramp(19, 1))
    ring.close()
    reader.join(60)
    assert [(b.start, b.end) for b in seen] == [(0, 20)]


def test_a_slow_reader_sees_only_true_samples() -> None:
    """The writer laps the reader all the time; a torn copy would show as a sample that is not its own index."""
    ring = RingBuffer(512)
    total = 400_000
    read, expected = 0, 0

    def write() -> None:
        for start in range(0, total, 64):
            ring.write(ramp(start, 64))
        ring.close()

    writer = threading.Thread(target=write)
    writer.start()
    for block in ring.blocks(300):
        assert block.start >= expected
        assert_true(block)
        expected = block.end
        read += len(block.samples)
    writer.join(60)
    assert read + ring.lost == total


def test_a_look_into_the_past_sees_only_true_samples() -> None:
    """As above: while the past is copied it is overwritten, again and again."""
    ring = RingBuffer(512)
    total = 400_000

    def write() -> None:
        for start in range(0, total, 64):
            ring.write(ramp(start, 64))
        ring.close()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    for block in ring.blocks(100):
        blocks = ring.past(block.start - 300)
        for each in blocks:
            assert_true(each)
        assert len(blocks) <= 1
        assert all(each.end == block.end for each in blocks)
        seen += len(blocks)
    writer.join(60)
    assert seen


def test_a_writer_that_can_wait_loses_nothing() -> None:
    ring = RingBuffer(256)
    read: list[Block] = []
    reader = threading.Thread(target=lambda: read.extend(ring.blocks(50)))
    reader.start()
    for start in range(0, 20_000, 100):
        assert ring.wait_for_room(100, timeout=60)
        ring.write(ramp(start, 100))
    ring.close()
    reader.join(60)
    assert sum(len(b.samples) for b in read) == 20_000
    assert ring.lost == 0


def test_waiting_for_room_gives_up() -> None:
    ring = RingBuffer(10)
    ring.write(ramp(0, 10))
    assert not ring.wait_for_room(1, timeout=0.01)


@pytest.mark.parametrize("capacity", [0, -1])
def test_capacity_is_checked(capacity: int) -> None:
    with pytest.raises(ValueError, match="need capacity >= 1"):
        RingBuffer(capacity)


def test_the_reader_says_each_time_how_much_is_worth_a_look() -> None:
    ring, wanted = RingBuffer(100), [30]
    blocks: list[Block] = []
    reader = threading.Thread(target=lambda: blocks.extend(ring.blocks(lambda: wanted[0])), daemon=True)
    reader.start()
    for start in (0, 10, 20):
        assert blocks == []
        ring.write(ramp(start, 10))
    eventually(lambda: len(blocks) == 1)
    wanted[0] = 1
    ring.write(ramp(30, 30))  # it still waits for so many
    eventually(lambda: len(blocks) == 2)
    ring.write(ramp(60, 1))
    eventually(lambda: len(blocks) == 3)
    ring.close()
    reader.join()
    assert [block.end for block in blocks] == [30, 60, 61]
    assert_true(blocks[-1])


def test_polling_gives_whole_units_and_what_lies_before_a_gap_or_the_end() -> None:
    ring = RingBuffer(100)
    assert ring.poll(10, 30) is None
    ring.write(ramp(0, 47))
    sizes = []
    while (block := ring.poll(10, 30)) is not None:
        sizes.append((block.start, len(block.samples)))
    assert sizes == [(0, 30), (30, 10)]
    assert ring.position == 40
    ring.skip(5)
    assert [(b.start, len(b.samples)) for b in (ring.poll(10, 30), ring.poll(10, 30)) if b] == [(40, 7), (52, 0)]
    assert (ring.poll(10, 30), ring.position, ring.over) == (None, 52, False)
    ring.write(ramp(52, 3))
    ring.close()
    assert not ring.over
    assert [(b.start, len(b.samples)) for b in (ring.poll(10, 30),) if b] == [(52, 3)]
    assert ring.over
