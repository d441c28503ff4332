"""Codecs: the sound comes back as long as it was, where it was, and recognisable."""

import numpy as np
import pytest

from sed.train.codec import CODECS, coded, fitted

RATE = 16_000
NOISE = np.random.default_rng(2).standard_normal(2 * RATE).astype(np.float32)
LOW = np.convolve(NOISE, np.hanning(15) / 30.0, "same").astype(np.float32)  # below 2 kHz, which every codec carries
BURST = LOW * (np.arange(2 * RATE) > RATE) * np.float32(0.5)


@pytest.mark.parametrize("share", [0.0, 0.9])
@pytest.mark.parametrize("name", CODECS)
def test_a_codec_moves_nothing(name: str, share: float) -> None:
    heard = coded(BURST, RATE, CODECS[name], share)
    assert heard.shape == BURST.shape
    assert heard.dtype == np.float32
    size = 4 * RATE
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(BURST, size)))
    assert min(int(np.argmax(likeness)), size - int(np.argmax(likeness))) <= 4  # samples: a quarter of a millisecond
    loudness = np.sqrt(np.mean(heard**2) / np.mean(BURST**2))
    assert loudness == pytest.approx(1.0, abs=0.3)
    assert np.corrcoef(heard, BURST)[0, 1] > 0.7


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_loses_something(name: str) -> None:
    assert not np.allclose(coded(BURST, RATE, CODECS[name]), BURST, atol=1e-4)


def test_phones_carry_no_highs() -> None:
    white = NOISE * np.float32(0.1)
    for name in ("gsm", "mu-law"):
        power = np.abs(np.fft.rfft(coded(white, RATE, CODECS[name]))) ** 2
        assert power[len(power) * 5 // 8 :].sum() < 1e-4 * power.sum()


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("count", [0, 1, 100])
def test_short_sounds_keep_their_length(name: str, count: int) -> None:
    assert len(coded(BURST[:count], RATE, CODECS[name])) == count


def test_what_is_too_short_ends_in_silence() -> None:
    np.testing.assert_array_equal(fitted(np.ones(3, np.float32), 5), [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(fitted(np.ones(3, np.float32), 2), [1, 1])
