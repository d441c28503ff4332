"""Decoded once, read back the same."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.errors import AudioError
from sed.train.clips import Clip
from sed.train.library import Library, cache_folder


def test_samples_are_those_of_the_file(data: Path, clips: list[Clip], library: Library) -> None:
    for clip in clips[::4]:
        samples, _ = soundfile.read(data / clip.path, dtype="float32")
        np.testing.assert_allclose(library.samples(clip), samples, atol=1e-4)
        assert library.length(clip) == len(samples)


def test_a_cut_never_leaves_its_clip(clips: list[Clip], library: Library) -> None:
    clip = clips[0]
    whole = library.samples(clip)
    np.testing.assert_array_equal(library.samples(clip, 100, 300), whole[100:300])
    np.testing.assert_array_equal(library.samples(clip, 100, 10**9), whole[100:])
    assert len(library.samples(clip, 10**9)) == 0


def test_the_second_opening_decodes_nothing(data: Path, clips: list[Clip], library: Library, cache: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    Library(data, clips, library.rate, cache)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before


def test_other_rates_are_resampled(data: Path, clips: list[Clip], tmp_path: Path) -> None:
    half = Library(data, clips[:2], 8_000, tmp_path)
    assert half.length(clips[0]) == 24_000


def test_a_broken_file_is_named(tmp_path: Path, clips: list[Clip]) -> None:
    with pytest.raises(AudioError, match=clips[0].path):
        Library(tmp_path, clips[:1], 16_000, tmp_path / "cache")


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "earwitness"
