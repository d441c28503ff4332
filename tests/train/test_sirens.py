"""Made sirens: as long as asked for, tonal, swept as their kind says, and taken for sirens by the model that ships."""

from collections.abc import Callable

import numpy as np
import pytest

from sed.evaluate.hearing import hear
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Floats
from sed.train.sirens import mechanical, piercer, siren, two_tones, wail, yelp

RATE = 16_000
Pitch = Callable[[int, np.random.Generator], Floats]


def test_a_siren_is_as_long_as_asked_for_and_at_full_scale() -> None:
    for seed in range(10):
        sound = siren(3 * RATE + seed, RATE, np.random.default_rng(seed))
        assert sound.shape == (3 * RATE + seed,)
        assert sound.dtype == np.float32
        assert np.abs(sound).max() == pytest.approx(1.0)


def test_the_seed_decides() -> None:
    one, two, other = (siren(RATE, RATE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("kind", "fewest", "most"), [(wail, 1, 6), (yelp, 18, 54), (piercer, 76, 254)])
def test_it_sweeps_as_often_as_its_kind_does(kind: Pitch, fewest: int, most: int) -> None:
    """Crossings of the middle pitch upwards in ten seconds."""
    for seed in range(20):
        pitch = kind(2_000, np.random.default_rng(seed))
        over = pitch > np.sqrt(pitch.min() * pitch.max())
        assert fewest <= np.count_nonzero(over[1:] & ~over[:-1]) <= most
        assert 400.0 <= pitch.min() < pitch.max() <= 2_700.0


def test_two_tones_are_two() -> None:
    for seed in range(20):
        pitch = two_tones(2_000, np.random.default_rng(seed))
        ends = np.isclose(pitch, pitch.min(), rtol=1e-3) | np.isclose(pitch, pitch.max(), rtol=1e-3)
        assert ends.mean() > 0.65
        assert 1.12 <= pitch.max() / pitch.min() <= 1.5


def test_a_rotor_runs_up_faster_than_down() -> None:
    pitch = mechanical(4_000, np.random.default_rng(2))
    steps = np.diff(pitch)
    assert (steps > 0.0).any()
    assert (steps < 0.0).any()
    assert pitch.min() >= 150.0


def test_it_is_tones_and_no_noise() -> None:
    """Spectral flatness of 32 ms: 0.5 and more for white noise."""
    for seed in range(10):
        sound = siren(4 * RATE, RATE, np.random.default_rng(seed))
        power = np.abs(np.fft.rfft(sound[:512] * np.hanning(512))) ** 2 + 1e-6
        assert np.exp(np.log(power).mean()) < 0.1 * power.mean()


def test_the_model_that_ships_takes_most_of_them_for_sirens() -> None:
    """An independent ear: it learnt from recordings."""
    model = OnnxModel(model_path(DEFAULT_MODEL))
    column = model.metadata.labels.index("siren")
    made = [0.1 * siren(4 * RATE, RATE, np.random.default_rng(seed)) for seed in range(20)]
    heard = [hear(model, model.metadata.rules, sound).scores[50:, column].mean() for sound in made]
    assert sum(score > 0.5 for score in heard) >= 15
