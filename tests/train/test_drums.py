"""Drum machines: a pattern that repeats, of the length asked for, never over full scale."""

import numpy as np

from sed.train.drums import drums

RATE = 16_000


def test_drums_are_finite_and_at_most_full_scale() -> None:
    for seed in range(20):
        beat = drums(3 * RATE, RATE, np.random.default_rng(seed))
        assert beat.shape == (3 * RATE,)
        assert beat.dtype == np.float32
        assert np.abs(beat).max() <= 1.0


def test_drums_are_struck() -> None:
    loud = [drums(4 * RATE, RATE, np.random.default_rng(seed)) for seed in range(10)]
    crests = [np.abs(beat).max() / np.sqrt(np.mean(np.square(beat))) for beat in loud if beat.any()]
    assert np.median(crests) > 4.0


def test_the_seed_decides() -> None:
    one, two, other = (drums(RATE, RATE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
