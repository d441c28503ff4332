"""Whole numbers: gains and fades bounded by the same in floating point."""

import numpy as np
import pytest

from sed.train.fixedpoint import FULL, ONE, factor, faded, finished, paste, whole


@pytest.mark.parametrize("db", [-60.0, -6.02, 0.0, 0.01, 40.0])
def test_a_factor_is_its_gain(db: float) -> None:
    assert 20.0 * np.log10(factor(round(100 * db)) / ONE) == pytest.approx(db, abs=0.01)


def test_samples_survive_the_way_through_float() -> None:
    every = np.arange(-32768, 32768)
    np.testing.assert_array_equal(whole((every / 32768.0).astype(np.float32)), every)


def test_fades_rise_and_fall_and_leave_the_rest() -> None:
    out = faded(np.full(10, 1000, np.int64), 4, 2)
    assert out.tolist() == [0, 250, 500, 750, 1000, 1000, 1000, 1000, 500, 0]
    assert faded(np.full(3, 1000, np.int64), 0, 0).tolist() == [1000] * 3
    assert len(faded(np.zeros(0, np.int64), 5, 5)) == 0


@pytest.mark.parametrize(("at", "expected"), [(-1, [2, 0, 0]), (1, [0, 1, 2]), (2, [0, 0, 1]), (9, [0, 0, 0])])
def test_paste_keeps_what_lies_inside(at: int, expected: list[int]) -> None:
    out = np.zeros(3, np.int64)
    paste(out, np.array([1, 2]), at, 1)
    assert out.tolist() == expected


def test_a_mixture_that_fits_is_left_as_it_is() -> None:
    samples, down = finished(np.array([100, -200, FULL]) * ONE)
    assert (samples.tolist(), down) == ([100, -200, FULL], 0.0)


def test_a_mixture_that_does_not_is_turned_down_whole() -> None:
    samples, down = finished(np.array([4 * FULL, -FULL, 40]) * ONE)
    assert samples.tolist() == [FULL, -FULL // 4, 10]
    assert down == pytest.approx(12.04, abs=0.01)
