"""Made textures: of the length asked for, even in level, struck where they should be, decided by the seed."""

from collections.abc import Callable

import numpy as np
import pytest

from sed.signals import Floats
from sed.train.textures import crackle, creaks, gusts, struck, texture, wheels

RATE = 16_000
KINDS = (crackle, wheels, creaks, gusts, struck, texture)
Make = Callable[[int, int, np.random.Generator], Floats]


@pytest.mark.parametrize("make", KINDS)
def test_a_texture_is_finite_and_even(make: Make) -> None:
    for seed in range(12):
        sound = make(2 * RATE, RATE, np.random.default_rng(seed))
        assert sound.shape == (2 * RATE,)
        assert sound.dtype == np.float32
        rms = float(np.sqrt(np.mean(np.square(sound))))
        assert rms == pytest.approx(1.0, abs=1e-3) or rms == 0.0


@pytest.mark.parametrize("make", KINDS)
def test_the_seed_decides(make: Make) -> None:
    one, two, other = (make(RATE, RATE, np.random.default_rng(seed)) for seed in (3, 3, 5))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("make", [crackle, wheels])
def test_strokes_stand_out_again_and_again(make: Make) -> None:
    """More than one frame in each sound is far over its median, as in no noise."""
    often = 0
    for seed in range(12):
        frames = np.square(make(4 * RATE, RATE, np.random.default_rng(seed))).reshape(-1, 160).mean(axis=1)
        often += int((frames > 10.0 * np.median(frames) + 1e-6).sum() > 3)
    assert often >= 8


def test_gusts_swell_slowly() -> None:
    """A gust has no stroke in it: neighbouring 10 ms differ little beside what a minute's loudest and softest do."""
    for seed in range(6):
        frames = np.square(gusts(4 * RATE, RATE, np.random.default_rng(seed))).reshape(-1, 640).mean(axis=1)
        level = 10.0 * np.log10(frames + 1e-9)
        assert np.median(np.abs(np.diff(level))) < 3.0
