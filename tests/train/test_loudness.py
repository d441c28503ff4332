"""Power above 100 Hz, 250 ms at a time: tones whose power is known."""

import numpy as np
import pytest

from sed.train.fixedpoint import Samples
from sed.train.loudness import Loudness
from tests.train.sounds import RATE


def tone(hertz: float, amplitude: float, seconds: float = 1.0) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.round(32768 * amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.int64)


@pytest.mark.parametrize(("hertz", "expected"), [(1000.0, 0.02), (150.0, 0.02), (50.0, 0.0)])
def test_only_what_is_above_100_hz_counts(hertz: float, expected: float) -> None:
    assert Loudness(tone(hertz, 0.2), RATE).at(RATE // 3) == pytest.approx(expected, abs=2e-4)


def test_the_loudest_is_found_where_it_is() -> None:
    sound = np.concatenate((tone(500.0, 0.05), tone(500.0, 0.4, 0.3), tone(500.0, 0.05)))
    at, power = Loudness(sound, RATE).loudest(0, len(sound))
    assert RATE <= at <= RATE + RATE // 20
    assert power == pytest.approx(0.08, rel=0.01)
    assert Loudness(sound, RATE).loudest(0, RATE // 2)[1] == pytest.approx(0.00125, rel=0.02)


def test_a_short_sound_is_measured_over_the_whole_window() -> None:
    at, power = Loudness(tone(1000.0, 0.2, 0.05), RATE).loudest(0, RATE // 20)
    assert at == 0
    assert power == pytest.approx(0.02 / 5, rel=0.05)


def test_outside_there_is_silence() -> None:
    loudness = Loudness(tone(1000.0, 0.2), RATE)
    assert loudness.at(-RATE) == pytest.approx(0.0, abs=1e-5)
    assert loudness.at(9 * RATE) == pytest.approx(0.0, abs=1e-5)
