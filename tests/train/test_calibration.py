"""Which sound a model is calibrated on."""

from pathlib import Path

import numpy as np
import pytest

from sed.errors import AudioError
from sed.train.calibration import SECONDS, recordings
from tests.train.models import tiny_metadata


def test_a_seed_draws_the_same_clips_at_the_same_levels(data: Path) -> None:
    first, again = (recordings(data, tiny_metadata(), "train", 4, seed=1) for _ in range(2))
    assert [len(one) for one in first] == [len(one) for one in again]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    other = recordings(data, tiny_metadata(), "train", 4, seed=2)
    assert [one.mean() for one in first] != [one.mean() for one in other]


def test_half_of_the_clips_are_of_the_labels(data: Path) -> None:
    lengths = {len(one) for one in recordings(data, tiny_metadata(), "train", 4, seed=1)}
    assert {297, 77} <= lengths  # the siren's 3.0 s and the shot's 0.8 s


def test_long_recordings_are_cut(data: Path) -> None:
    longest = max(len(one) for one in recordings(data, tiny_metadata(), "train", 64, seed=0))
    assert longest == (round(SECONDS * 16_000) - 512) // 160 + 1  # backgrounds last 12 s


def test_a_side_without_sound_is_told(data: Path) -> None:
    with pytest.raises(AudioError, match="too little sound of split 'holdout', 0 clips"):
        recordings(data, tiny_metadata(), "holdout", 4, seed=0)
