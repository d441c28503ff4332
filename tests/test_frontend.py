"""The frontend against torchaudio, librosa's formula by hand, and itself in other chunks."""

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.frontend import LogMel, log_mel, mel_filters
from sed.metadata import FrontendSettings
from sed.signals import Block, Floats

SETTINGS = FrontendSettings()
NOISE = np.random.default_rng(1).normal(0.0, 0.1, 20_000).astype(np.float32)


def cut(samples: Floats, sizes: list[int]) -> list[Block]:
    """`samples` as consecutive blocks of those sizes, over and over."""
    blocks, start, n = [], 0, 0
    while start < len(samples):
        blocks.append(Block(start, samples[start : start + sizes[n % len(sizes)]]))
        start, n = blocks[-1].end, n + 1
    return blocks


@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=40))
def test_chunking_does_not_change_the_frames(sizes: list[int]) -> None:
    mel = LogMel(SETTINGS)
    frames = [mel.push(block) for block in cut(NOISE, sizes)]
    np.testing.assert_allclose(np.concatenate([f.values for f in frames]), log_mel(NOISE, SETTINGS), atol=1e-3)
    starts = [f.start for f in frames]
    assert starts == [160 * n for n in np.cumsum([0, *(len(f.values) for f in frames)])[:-1]]


@pytest.fixture
def torchaudio_mel(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("torch", exc_type=ImportError)
    # PyPI's torchaudio has a C++ part that a CPU torch cannot load; its transforms are pure Python.
    extension = ModuleType("torchaudio._extension")
    vars(extension).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=lambda function: function)
    monkeypatch.setitem(sys.modules, "torchaudio._extension", extension)
    transforms = pytest.importorskip("torchaudio.transforms", exc_type=ImportError)
    return transforms.MelSpectrogram(
        sample_rate=SETTINGS.sample_rate, n_fft=SETTINGS.window, hop_length=SETTINGS.hop, n_mels=SETTINGS.mels,
        f_min=SETTINGS.low_hz, f_max=SETTINGS.high_hz, center=False, power=2.0,
    )  # fmt: skip


@pytest.mark.parametrize("level", [1.0, 1e-2, 1e-4])
def test_agrees_with_torchaudio(torchaudio_mel: Any, level: float) -> None:
    import torch

    power = torchaudio_mel(torch.from_numpy(NOISE * np.float32(level))).numpy().T
    expected = 10.0 * np.log10(power + SETTINGS.floor)
    np.testing.assert_allclose(log_mel(NOISE * np.float32(level), SETTINGS), expected, atol=1e-3)


def test_agrees_with_the_definition() -> None:
    """A slow reference in float64: no FFT library, no stride tricks."""
    samples = NOISE[:1200].astype(np.float64)
    n = np.arange(SETTINGS.window)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / SETTINGS.window)
    dft = np.exp(-2j * np.pi * np.outer(np.arange(257), n) / SETTINGS.window)
    filters = mel_filters(16_000, SETTINGS.window, SETTINGS.mels, SETTINGS.low_hz, SETTINGS.high_hz)
    for k, frame in enumerate(log_mel(NOISE[:1200], SETTINGS)):
        power = np.abs(dft @ (hann * samples[k * 160 : k * 160 + 512])) ** 2
        np.testing.assert_allclose(frame, 10 * np.log10(filters @ power + SETTINGS.floor), atol=1e-3)
    assert k == (1200 - 512) // 160


def test_silence_is_the_floor() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(512, np.float32), SETTINGS), -100.0, atol=1e-3)


def test_a_tone_lies_in_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000.0 * np.arange(4000) / 16_000).astype(np.float32)
    band = int(log_mel(tone, SETTINGS).mean(axis=0).argmax())
    filters = mel_filters(16_000, 512, 64, 50.0, 8000.0)
    assert filters[band, round(1000 / 31.25)] == filters[:, round(1000 / 31.25)].max()


def test_less_than_a_window_gives_no_frame() -> None:
    mel = LogMel(SETTINGS)
    assert mel.push(Block(0, NOISE[:511])).values.shape == (0, 64)
    assert mel.push(Block(511, NOISE[511:512])).values.shape == (1, 64)


def test_reset_begins_at_the_given_sample() -> None:
    mel = LogMel(SETTINGS)
    mel.push(Block(0, NOISE[:700]))
    mel.reset(at=5000)
    frames = mel.push(Block(5000, NOISE[:512]))
    assert frames.start == 5000
    np.testing.assert_array_equal(frames.values, log_mel(NOISE[:512], SETTINGS))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"low_hz": 9000.0}, "need low_hz < high_hz <= sample_rate / 2, got 9000, 8000, 16000"),
        ({"high_hz": 8001.0}, "need low_hz < high_hz"),
        ({"hop": 513}, "need hop <= window, got hop=513, window=512"),
    ],
)
def test_settings_are_checked_at_birth(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        FrontendSettings(**changed)
