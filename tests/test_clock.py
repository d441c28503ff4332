"""Events keep their true times, whatever callbacks, sound card and wall clock do. All clocks here are simulated."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sed import clock as clock_module
from sed.clock import SampleClock

RATE = 16_000
BLOCK = 320  # samples a callback
UP = 100_000.0  # seconds since the computer was started
WALL = datetime(2026, 11, 20, 2, 59, tzinfo=UTC)


class Card:
    """A sound card that runs `ppm` fast, and the callbacks of a computer that is up to `jitter` seconds late."""

    def __init__(self, ppm: float = 0.0, jitter: float = 0.0, seed: int = 0, up: float = UP) -> None:
        self._jitter, self._random, self._up = jitter, np.random.default_rng(seed), up
        self.sample, self._origin = 0, (0, 0.0)  # a sample, and when it was heard in seconds from the start
        self.turn(ppm)
        self.step = 0.0  # seconds the wall clock is off
        self.busy = 0.0  # seconds everything is late

    def turn(self, ppm: float) -> None:
        """From now on it runs so much fast."""
        self._origin = (self.sample, self.heard(self.sample) if self.sample else 0.0)
        self._rate = RATE * (1 + ppm * 1e-6)

    def heard(self, sample: int) -> float:
        """When a sample was heard indeed, in seconds from the start."""
        return self._origin[1] + (sample - self._origin[0]) / self._rate

    def play(self, clock: SampleClock, seconds: float) -> None:
        """Let callbacks come."""
        for _ in range(round(seconds * RATE / BLOCK)):
            self.call(clock, self.sample)
            self.sample += BLOCK

    def call(self, clock: SampleClock, sample: int) -> None:
        """A callback with the next block, which is counted from `sample` on."""
        now = self.heard(self.sample + BLOCK) + self.busy + self._random.uniform(0.0, self._jitter)
        clock.observe(sample, BLOCK / RATE, self._up + now, WALL.timestamp() + now + self.step)

    def error(self, clock: SampleClock, sample: int) -> float:
        """Seconds that the clock is late."""
        return (clock.utc(sample) - WALL).total_seconds() - self.heard(sample)


def errors(clock: SampleClock, card: Card) -> Iterator[float]:
    """Of the sounds of the last second, the newest first."""
    for back in range(0, RATE, BLOCK):
        yield card.error(clock, card.sample - back)


@settings(max_examples=25)
@given(
    ppm=st.floats(-300, 300),
    jitter=st.floats(0.0, 0.05),
    step=st.floats(-10, 10),
    step_at=st.integers(1, 60),
    seed=st.integers(0, 1000),
)
def test_events_keep_their_true_times(ppm: float, jitter: float, step: float, step_at: int, seed: int) -> None:
    """The issue's bound: 20 ms; asked for at every second of the first minute and a half."""
    card, clock = Card(ppm, jitter, seed), SampleClock(RATE)
    for second in range(90):
        card.step = step if second >= step_at and abs(step) > 0.5 else 0.0
        card.play(clock, 1.0)
        assert max(map(abs, errors(clock, card))) < 0.020


@pytest.mark.parametrize("ppm", [-300.0, 0.0, 300.0])
def test_the_drift_is_measured(ppm: float) -> None:
    card, clock = Card(ppm, 0.05), SampleClock(RATE)
    card.play(clock, 300.0)
    assert clock.drift_ppm == pytest.approx(ppm, abs=5.0)
    assert abs(card.error(clock, card.sample)) < 0.003


def test_a_drift_that_changes_is_followed() -> None:
    """From a cold night into the sun."""
    card, clock = Card(0.0, 0.02), SampleClock(RATE)
    card.play(clock, 300.0)
    card.turn(50.0)
    worst = 0.0
    for _ in range(60):
        card.play(clock, 10.0)
        worst = max(worst, abs(card.error(clock, card.sample)))
    assert clock.drift_ppm == pytest.approx(50.0, abs=3.0)
    assert worst < 0.010


def test_ten_seconds_in_which_everything_comes_late_move_nothing() -> None:
    card, clock = Card(100.0, 0.01), SampleClock(RATE)
    card.play(clock, 60.0)
    for card.busy in (0.4, 0.0):
        card.play(clock, 10.0)
        assert abs(card.error(clock, card.sample)) < 0.005


def test_after_a_loss_of_unknown_length_new_sound_is_timed_afresh_and_old_sound_keeps_its_time() -> None:
    card, clock = Card(200.0), SampleClock(RATE)
    card.play(clock, 60.0)
    counted, lost = card.sample, 5 * RATE
    before = clock.utc(counted - RATE)
    clock.restart(counted)
    card.sample += lost
    card.call(clock, counted)  # the count goes on as if nothing was lost
    assert clock.utc(counted - RATE) == before
    late = (clock.utc(counted) - WALL).total_seconds() - card.heard(counted + lost)
    assert late == pytest.approx(0.0, abs=1e-4)
    assert clock.drift_ppm == pytest.approx(200.0, abs=1.0)  # the card is still the same


def test_a_step_of_the_wall_clock_is_told_and_believed_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "BELIEF_SECONDS", 30.0)
    card, clock = Card(), SampleClock(RATE)
    card.play(clock, 20.0)
    card.step = 10.0
    card.play(clock, 20.0)
    assert clock.wall_step == pytest.approx(10.0, abs=0.001)
    assert abs(card.error(clock, card.sample)) < 0.005
    card.play(clock, 20.0)
    assert clock.wall_step == 0.0
    assert card.error(clock, card.sample) == pytest.approx(10.0, abs=0.005)


def test_a_step_that_is_taken_back_was_nothing() -> None:
    card, clock = Card(), SampleClock(RATE)
    card.play(clock, 20.0)
    card.step = -3600.0
    card.play(clock, 20.0)
    card.step = 0.0
    card.play(clock, 20.0)
    assert clock.wall_step == 0.0
    assert abs(card.error(clock, card.sample)) < 0.005


def test_a_board_that_has_just_been_started_gets_its_time_from_the_network() -> None:
    card, clock = Card(up=40.0), SampleClock(RATE)
    card.step = -86_400.0  # no battery: it woke up yesterday
    card.play(clock, 20.0)
    assert card.error(clock, card.sample) == pytest.approx(-86_400.0, abs=0.005)
    card.step = 0.0
    card.play(clock, 10.0)
    assert abs(card.error(clock, card.sample)) < 0.005


def test_a_small_correction_is_followed_slowly() -> None:
    card, clock = Card(), SampleClock(RATE)
    card.play(clock, 20.0)
    card.step = 0.1
    card.play(clock, 50.0)
    assert card.error(clock, card.sample) == pytest.approx(0.010, abs=0.002)


def test_it_stamps_as_the_clock_of_a_file_does() -> None:
    clock = SampleClock(RATE)
    clock.observe(0, 0.0, UP, WALL.timestamp())
    assert clock.stamp(3_840) == "2026-11-20T02:59:00.240Z"


def test_without_sound_there_is_no_time() -> None:
    clock = SampleClock(RATE)
    assert clock.captured(0) is None
    assert clock.drift_ppm == 0.0
    with pytest.raises(ValueError, match="need an observation"):
        clock.utc(0)
