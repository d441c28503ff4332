"""Recorders: gains, bands, ratios and peaks are the ones asked for, and no onset moves."""

import numpy as np
import pytest

from sed.signals import Floats
from sed.train.recorder import clipped, curve, equalised, narrowed, noisy

RATE = 16_000
NOISE = np.random.default_rng(3).standard_normal(2 * RATE).astype(np.float32) * np.float32(0.1)
CLICK = np.eye(1, 4000, 1500, dtype=np.float32)[0]


def level(samples: Floats, low: float, high: float) -> float:
    """dB in a band of Hz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10.0 * np.log10(power[(hz >= low) & (hz < high)].sum()))


def test_an_equaliser_gives_each_band_its_gain() -> None:
    gains = np.array([-20.0, 0.0, 0.0, 6.0, 6.0, -9.0], np.float32)  # at 100, 234, 547, 1280, 2993 and 7000 Hz
    heard = equalised(NOISE, RATE, gains)
    assert heard.shape == NOISE.shape
    for low, high, gain in ((240, 540, 0.0), (1400, 2900, 6.0), (7100, 7900, -9.0), (20, 90, -20.0)):
        assert level(heard, low, high) - level(NOISE, low, high) == pytest.approx(gain, abs=1.5)
    assert int(np.argmax(np.abs(equalised(CLICK, RATE, gains)))) == 1500


def test_curves_differ_and_stay_within_reason() -> None:
    curves = np.array([curve(np.random.default_rng(seed)) for seed in range(50)])
    assert np.ptp(curves, axis=0).min() > 5.0
    assert np.abs(curves[:, 1:]).max() <= 10.0


@pytest.mark.parametrize("hz", [2000.0, 5512.5])
def test_a_narrow_band_has_nothing_above(hz: float) -> None:
    heard = narrowed(NOISE, RATE, hz)
    assert heard.shape == NOISE.shape
    assert level(heard, 0, 0.8 * hz) == pytest.approx(level(NOISE, 0, 0.8 * hz), abs=0.2)
    assert level(heard, 1.1 * hz, 8000) < level(NOISE, 1.1 * hz, 8000) - 40.0
    assert int(np.argmax(np.abs(narrowed(CLICK, RATE, hz)))) == pytest.approx(1500, abs=1)


@pytest.mark.parametrize("snr", [-5.0, 20.0])
def test_noise_is_as_far_below_as_asked(snr: float) -> None:
    tone = np.sin(np.arange(len(NOISE)) * 0.1).astype(np.float32)
    added = noisy(tone, NOISE, snr) - tone
    assert 10.0 * np.log10(np.mean(tone**2) / np.mean(added**2)) == pytest.approx(snr, abs=0.01)


def test_silence_stays_silent() -> None:
    silence = np.zeros(100, np.float32)
    np.testing.assert_array_equal(noisy(silence, NOISE[:100], 10.0), silence)
    np.testing.assert_array_equal(clipped(silence, 10.0, True), silence)
    assert len(equalised(silence[:0], RATE, curve(np.random.default_rng(1)))) == 0


def test_clipping_flattens_peaks_and_no_more() -> None:
    hard, soft = clipped(NOISE, 12.0, False), clipped(NOISE, 12.0, True)
    peak = float(np.abs(NOISE).max())
    assert np.mean(np.isclose(np.abs(hard), peak)) == pytest.approx(
        np.mean(np.abs(NOISE) > peak * 10 ** (-12 / 20)), abs=1e-3
    )
    assert np.abs(hard).max() == pytest.approx(peak, rel=1e-5)
    assert np.abs(soft).max() < peak
    np.testing.assert_array_equal(np.sign(hard), np.sign(NOISE))
    np.testing.assert_allclose(clipped(NOISE, 0.0, False), NOISE, atol=1e-7)
