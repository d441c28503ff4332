"""Times of a satellite's sound: its own clock's, unless that is plainly wrong."""

from datetime import UTC, datetime

import pytest

from sed.satellite.clock import ANCHORS, FarClock

RATE = 16_000
NOW = 1_790_000_000.0


def test_a_time_comes_from_the_stamps() -> None:
    clock = FarClock(RATE)
    with pytest.raises(ValueError, match="need an observation"):
        clock.utc(0)
    clock.observe(0, NOW)
    assert clock.utc(RATE) == datetime.fromtimestamp(NOW + 1.0, UTC)
    assert clock.stamp(RATE // 2).endswith(".500Z")


def test_a_sound_card_that_drifts_is_followed_within_a_millisecond() -> None:
    clock = FarClock(RATE)
    for n in range(0, 3_600 * 25, 5):  # an hour in blocks of 40 ms, at 300 ppm
        clock.observe(n * 640, NOW + n * 0.04 * 1.0003)
    for second in (600, 1_800, 3_599):
        assert clock.seconds(second * RATE) == pytest.approx(NOW + second * 1.0003, abs=0.0015)


def test_a_gap_keeps_the_times_before_and_after() -> None:
    clock = FarClock(RATE)
    clock.observe(0, NOW)
    clock.observe(RATE, NOW + 100.0)
    assert clock.seconds(RATE - 1) == pytest.approx(NOW + 1.0, abs=0.001)
    assert clock.seconds(RATE) == NOW + 100.0
    assert clock.seconds(-RATE) == NOW - 1.0


def test_what_it_remembers_is_bounded() -> None:
    clock = FarClock(RATE)
    for n in range(2 * ANCHORS):
        clock.observe(n, NOW + n)
    assert len(clock._anchors) == ANCHORS
    assert clock.seconds(2 * ANCHORS - 1) == NOW + 2 * ANCHORS - 1


@pytest.mark.parametrize(("off", "correction"), [(0.0, 0.0), (1.9, 0.0), (-1.9, 0.0), (3_600.0, 3_600.0), (-5.0, -5.0)])
def test_clocks_that_differ_a_little_are_believed_and_others_corrected(off: float, correction: float) -> None:
    clock = FarClock(RATE)
    assert clock.compare(NOW + 0.02, NOW - off, round_trip=0.04) == (correction != 0.0)
    clock.observe(0, NOW - off)
    assert clock.seconds(0) == pytest.approx(NOW - off + correction, abs=0.001)


def test_a_correction_changes_with_the_clock_and_not_with_jitter() -> None:
    clock = FarClock(RATE)
    assert clock.compare(NOW, NOW - 60.0, 0.0)
    assert not clock.compare(NOW + 1.0, NOW - 58.9, 0.1)
    assert clock.correction == 60.0
    assert clock.compare(NOW + 2.0, NOW + 2.0, 0.0)  # somebody has set it
    assert clock.correction == 0.0


@pytest.mark.parametrize("round_trip", [-1.0, 0.6, 1e10])
def test_an_answer_that_took_long_says_nothing(round_trip: float) -> None:
    clock = FarClock(RATE)
    assert not clock.compare(NOW, NOW - 60.0, round_trip)
