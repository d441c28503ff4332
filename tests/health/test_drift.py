"""Drift: any chunking gives the same, the level is told apart from the spectrum, an old sound is forgotten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.frontend import log_mel
from sed.health.drift import EVERY, MEMORY_SECONDS, Distance, Drift
from sed.metadata import FrontendSettings, Heard
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Floats, Frames

MELS, HOP = 8, 160
FRAME_SECONDS = 0.01
TRAINED = Heard(mean=(-40.0,) * MELS, spread=tuple(float(10 + band) for band in range(MELS)))


def distance(values: Floats, start: int = 0, sizes: list[int] | None = None) -> Distance | None:
    drift, at = Drift(TRAINED, FRAME_SECONDS), 0
    for size in sizes or [len(values)]:
        drift.push(Frames(start + at * HOP, HOP, values[at : at + size]))
        at += size
    drift.push(Frames(start + at * HOP, HOP, values[at:]))
    return drift.distance()


@given(st.lists(st.integers(0, 300), max_size=30), st.integers(0, 100_000))
def test_any_chunking_gives_the_same_as_every_tenth_frame_by_hand(sizes: list[int], start: int) -> None:
    values = np.random.default_rng(start).normal(-50.0, 20.0, (2_000, MELS)).astype(np.float32)
    found = distance(values, start, sizes)
    numbers = start // HOP + np.arange(len(values))
    away = (values[numbers % EVERY == 0].mean(axis=0, dtype=float) + 40.0) / TRAINED.spread
    assert found is not None
    assert found.level == pytest.approx(away.mean(), abs=1e-9)
    assert found.spectrum == pytest.approx(np.abs(away - away.mean()).mean(), abs=1e-9)


def test_sound_as_in_training_is_at_zero_and_one_that_is_quieter_differs_in_level_only() -> None:
    values = np.full((2_000, MELS), -40.0, np.float32)
    assert distance(values) == Distance(0.0, 0.0)
    found = distance(values - np.array(TRAINED.spread, np.float32))
    assert found is not None
    assert (found.level, found.spectrum) == pytest.approx((-1.0, 0.0), abs=1e-6)


def test_nothing_is_said_before_there_is_enough_sound() -> None:
    values = np.zeros((1_000, MELS), np.float32)
    assert distance(values[:990]) is None
    assert distance(values) is not None


def test_what_was_long_ago_is_forgotten() -> None:
    frames = round(MEMORY_SECONDS / FRAME_SECONDS)
    loud, quiet = (np.full((times * frames, MELS), level, np.float32) for times, level in ((1, 0.0), (3, -40.0)))
    found = distance(np.concatenate((loud, quiet)))
    assert found is not None
    left = np.exp(-3.0) * np.mean(40.0 / np.array(TRAINED.spread))  # of 0 dB, after three time constants
    assert found.level == pytest.approx(left, rel=0.01)


@pytest.mark.parametrize(
    ("volume", "band", "level", "spectrum"),
    [
        (0.003, (50, 8_000), (-0.8, 0.8), (0.0, 0.4)),  # a yard
        (0.000_02, (50, 8_000), (-2.0, -1.0), (0.0, 0.4)),  # the same, with the gain turned down
        (0.003, (50, 700), (-2.0, 0.0), (0.5, 1.5)),  # muffled
        (0.0, (50, 8_000), (-2.5, -2.2), (0.0, 0.4)),  # zeros
    ],
)
def test_the_shipped_model_knows_a_muffled_microphone(
    volume: float, band: tuple[int, int], level: tuple[float, float], spectrum: tuple[float, float]
) -> None:
    metadata = OnnxModel(model_path(DEFAULT_MODEL)).metadata
    assert metadata.heard is not None
    drift = Drift(metadata.heard, FRAME_SECONDS)
    drift.push(Frames(0, HOP, log_mel(volume * pink(11.0, *band), metadata.frontend)))
    found = drift.distance()
    assert found is not None
    assert level[0] <= found.level <= level[1]
    assert spectrum[0] <= found.spectrum <= spectrum[1]


def pink(seconds: float, low_hz: float, high_hz: float) -> Floats:
    """Noise that falls with frequency as outdoor sound does, nothing outside the band; its level is 0 dBFS."""
    rate = FrontendSettings().sample_rate
    count = round(seconds * rate)
    frequencies = np.fft.rfftfreq(count, 1.0 / rate)
    shape = np.where((frequencies >= low_hz) & (frequencies <= high_hz), 1.0 / np.maximum(frequencies, 1.0) ** 0.7, 0.0)
    phases = np.exp(2j * np.pi * np.random.default_rng(1).random(len(shape)))
    sound = np.fft.irfft(shape * phases, count)
    scaled: Floats = (sound / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)
    return scaled
