"""Near-identical clips are dropped from what is measured, never from what is learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.train.clips import Clip
from sed.train.duplicates import fingerprint, without_duplicates
from sed.train.library import Library
from tests.train.sounds import RATE, noise, ring


def clip(name: str, split: str) -> Clip:
    return Clip(name, "glass_break", split, name, "made", "recording", 0.0, 1.0, "")


def test_the_measured_side_gives_way(tmp_path: Path) -> None:
    sounds = {
        "a": ring(1.0, 1),
        "louder": 0.5 * ring(1.0, 1) + 1e-4 * noise(1.0, 3),
        "other": ring(1.0, 5),
        "twin": ring(1.0, 5),
    }
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
    splits = {"a": "train", "louder": "test", "other": "test", "twin": "valid"}
    clips = [clip(f"{name}.wav", split) for name, split in splits.items()]
    library = Library(tmp_path, clips, RATE, tmp_path / "cache")
    kept = without_duplicates(clips, ("glass_break", "siren"), library)
    assert [c.path for c in kept] == ["a.wav", "other.wav"]
    assert without_duplicates([replace(c, label="speech") for c in clips], ("siren",), library) != kept


def test_a_fingerprint_has_length_one(library: Library, clips: list[Clip]) -> None:
    own = fingerprint(library, clips[0])
    assert np.linalg.norm(own) == pytest.approx(1.0, abs=1e-5)
