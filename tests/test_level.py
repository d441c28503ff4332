"""Levels against the definition, and their floor."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.level import LevelMeter, dbfs
from sed.signals import FLOOR_DBFS, Block
from tests.test_frontend import cut

RATE = 16_000


def meter_of(samples: np.ndarray, sizes: list[int]) -> LevelMeter:
    meter = LevelMeter(RATE)
    for block in cut(samples.astype(np.float32), sizes):
        meter.push(block)
    return meter


@pytest.mark.parametrize(("peak", "expected"), [(1.0, -3.01), (0.1, -23.01), (0.0, FLOOR_DBFS)])
def test_a_sine(peak: float, expected: float) -> None:
    sine = peak * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert meter_of(sine, [320]).loudest(0, RATE) == pytest.approx(expected, abs=0.01)


def test_full_scale_square_is_zero() -> None:
    assert meter_of(np.ones(RATE), [100]).loudest(0, RATE) == pytest.approx(0.0, abs=1e-4)


@given(sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=20), first=st.integers(0, 24), last=st.integers(1, 25))
def test_the_loudest_of_a_span(sizes: list[int], first: int, last: int) -> None:
    last = max(last, first + 1)
    noise = np.random.default_rng(4).normal(0.0, 0.1, RATE) * np.repeat(np.linspace(0.1, 1, 25), 640)
    powers = (noise.reshape(25, 640) ** 2).mean(axis=1)
    expected = 10 * math.log10(powers[first:last].max())
    assert meter_of(noise, sizes).loudest(first * 640, last * 640) == pytest.approx(expected, abs=1e-3)


def test_only_the_last_minute_is_remembered() -> None:
    meter = LevelMeter(RATE, seconds=1.0)
    meter.push(Block(0, np.ones(RATE, np.float32)))
    meter.push(Block(RATE, np.zeros(2 * RATE, np.float32)))
    assert meter.loudest(0, 3 * RATE) == FLOOR_DBFS


def test_after_a_loss_time_goes_on_from_there() -> None:
    meter = meter_of(np.ones(RATE), [RATE])
    meter.reset(at=5 * RATE)
    meter.push(Block(5 * RATE, np.full(RATE, 0.5, np.float32)))
    assert meter.loudest(0, 6 * RATE) == pytest.approx(20 * math.log10(0.5), abs=1e-3)


def test_nothing_heard_is_the_floor() -> None:
    assert LevelMeter(RATE).loudest(0, 100) == FLOOR_DBFS
    assert dbfs(0.0) == FLOOR_DBFS


def test_powers_of_all_whole_windows() -> None:
    meter = meter_of(np.repeat([1.0, 0.5, 0.1], [640, 640, 700]), [100, 1000, 880])
    np.testing.assert_allclose(meter.powers, [1.0, 0.25, 0.01], rtol=1e-5)


def test_powers_of_the_last_second_that_is_remembered() -> None:
    meter = LevelMeter(RATE, seconds=1.0)
    meter.push(Block(0, np.repeat(np.linspace(0.0, 1.0, 50), 640).astype(np.float32)))
    np.testing.assert_allclose(meter.powers, np.linspace(0.0, 1.0, 50)[25:] ** 2, rtol=1e-4)
