"""Intervals over scenes drawn anew; the draws bounded by what is known of them."""

import math

import numpy as np
import pytest

from sed.evaluate.bootstrap import draws, draws_of, interval, intervals, ratio


def test_draws_are_seeded_and_of_equal_size() -> None:
    weights = draws(7, 50, seed=3)
    assert weights.shape == (51, 7)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(weights, draws(7, 50, seed=3))
    assert not np.array_equal(weights, draws(7, 50, seed=4))


def test_a_source_is_drawn_with_all_its_scenes() -> None:
    weights = draws_of(["rain", "street", "rain", "wind", "rain"], 50, seed=3)
    np.testing.assert_array_equal(weights[:, [0, 2, 4]], weights[:, [0, 0, 0]])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]], draws(3, 50, seed=3))
    np.testing.assert_array_equal(draws_of(["a", "b", "c"], 20), draws(3, 20))


def test_scenes_that_are_wrong_together_make_a_figure_less_sure() -> None:
    """Forty beds under ten scenes each, all right or all wrong, are as sure as forty scenes."""
    right = np.repeat(np.arange(40) % 2, 10)
    sources = [str(place // 10) for place in range(400)]
    spread = [
        found.high - found.low
        for weights in (draws(400), draws_of(sources))
        for found in [intervals(lambda one: float(one @ right / one.sum()), weights)]
    ]
    assert spread[1] == pytest.approx(10**0.5 * spread[0], rel=0.15)


def test_the_interval_of_a_share_is_the_binomial_one() -> None:
    """Of 400 scenes half are right: the share's standard error is 0.025, so 95 % lie within 0.049."""
    right = np.arange(400) % 2
    found = intervals(lambda weights: float(weights @ right / weights.sum()), draws(400))
    assert found.value == 0.5
    assert [found.low, found.high] == pytest.approx([0.451, 0.549], abs=0.01)


def test_what_cannot_be_measured_is_not_a_number() -> None:
    assert np.isnan(ratio(np.array([0.0]), np.array([0.0]))).all()
    assert math.isnan(interval(np.array([np.nan, 1.0])).low)
    assert interval(np.array([1.0, np.nan, 2.0, 2.0])).high == 2.0
