"""Stretching keeps the pitch and moves onsets as it must; shifting keeps the length and the onsets."""

import numpy as np
import pytest

from sed.signals import Floats
from sed.train.tempo import pitched, stretched

RATE = 16_000
TIME = np.arange(4 * RATE) / RATE
TONE = np.sin(2 * np.pi * 1000 * TIME).astype(np.float32)
CLICK = np.eye(1, 4 * RATE, 2 * RATE, dtype=np.float32)[0]


def frequency(samples: Floats) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle))))) * RATE / len(middle))


@pytest.mark.parametrize("factor", [0.75, 1.0, 1.3])
def test_stretching_changes_the_length_only(factor: float) -> None:
    slow = stretched(TONE, RATE, factor)
    assert len(slow) == pytest.approx(len(TONE) / factor, abs=1)
    assert frequency(slow) == pytest.approx(1000, abs=2)
    assert int(np.argmax(np.abs(stretched(CLICK, RATE, factor)))) == pytest.approx(2 * RATE / factor, abs=RATE // 100)


@pytest.mark.parametrize("semitones", [-5.0, 0.0, 3.0])
def test_shifting_changes_the_pitch_only(semitones: float) -> None:
    other = pitched(TONE, RATE, semitones)
    assert len(other) == len(TONE)
    assert frequency(other) == pytest.approx(1000 * 2 ** (semitones / 12), abs=2)
    assert int(np.argmax(np.abs(pitched(CLICK, RATE, semitones)))) == pytest.approx(2 * RATE, abs=RATE // 100)


def test_the_same_sound_comes_out_every_time() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    np.testing.assert_array_equal(stretched(noise, RATE, 0.8), stretched(noise, RATE, 0.8))
    np.testing.assert_array_equal(pitched(noise, RATE, 2.0), pitched(noise, RATE, 2.0))


@pytest.mark.parametrize("count", [0, 1, 50, 700])
def test_short_sounds_are_no_trouble(count: int) -> None:
    assert len(stretched(TONE[:count], RATE, 0.5)) == 2 * count
    assert np.isfinite(pitched(TONE[:count], RATE, 4.0)).all()
