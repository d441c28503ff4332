"""Resampling without seams, without aliases, and at the right time."""

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from sed.resample import resampled
from sed.signals import Block, Floats
from tests.test_frontend import cut

TO = 16_000


def tone(hz: float, rate: int, seconds: float = 1.0) -> Floats:
    return np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def run(samples: Floats, rate: int, sizes: list[int]) -> Floats:
    blocks = list(resampled(cut(samples, sizes), rate, TO))
    expected = 0
    for block in blocks:
        assert block.start == expected
        expected = block.end
    return np.concatenate([block.samples for block in blocks])


@given(
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=20), rate=st.sampled_from([8000, 44_100, 48_000, 192_000])
)
def test_chunking_does_not_change_the_sound(sizes: list[int], rate: int) -> None:
    noise = np.random.default_rng(2).normal(0.0, 0.1, 12_000).astype(np.float32)
    whole = soxr.resample(noise, rate, TO, quality="HQ")
    np.testing.assert_allclose(run(noise, rate, sizes), whole, atol=1e-6)


@pytest.mark.parametrize("hz", [8_500.0, 11_000.0, 15_000.0, 23_000.0])
def test_a_tone_above_nyquist_does_not_come_back(hz: float) -> None:
    out = run(tone(hz, 48_000), 48_000, [480])
    assert 20 * np.log10(np.abs(out[1600:-1600]).max()) < -90


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_a_click_stays_where_it_was(rate: int) -> None:
    click = np.zeros(rate, np.float32)
    click[rate // 2] = 1.0
    out = run(click, rate, [rate // 50])
    assert len(out) == TO
    assert abs(int(np.abs(out).argmax()) / TO - (rate // 2) / rate) < 1.5 / TO


def test_the_right_rate_passes_untouched() -> None:
    blocks = cut(tone(440, TO), [160])
    assert list(resampled(blocks, TO, TO)) == blocks


def test_a_loss_stays_a_jump() -> None:
    samples = tone(440, 48_000)
    blocks = [Block(0, samples[:4800]), Block(14_400, samples[14_400:19_200])]
    out = list(resampled(blocks, 48_000, TO))
    spans = [(block.start, block.end) for block in out if len(block.samples)]
    assert spans[0][0] == 0
    assert max(end for _, end in spans if end <= 1600) == 1600
    assert min(start for start, _ in spans if start > 1600) == 4800
    assert spans[-1][1] == 6400
