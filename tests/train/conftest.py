"""A tiny data folder in the form of the real one, its sounds generated, and the real one where it is."""

import csv
from pathlib import Path

import pytest
import soundfile
import torch

from sed.train.clips import Clip, read_clips
from sed.train.library import Library
from tests.train.sounds import RATE, SOUNDS

torch.set_num_threads(1)  # two threads that wait for each other are slow on a machine that does other work
REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six classes of three clips, one for each side of the split, and a suspect one."""
    folder = tmp_path_factory.mktemp("data")
    rows = [
        _write(folder, label, split, number)
        for label in SOUNDS
        for number, split in enumerate(("train", "valid", "test"))
    ]
    rows.append({**_write(folder, "background", "train", 9), "suspect": "siren"})
    with (folder / "clips.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _write(folder: Path, label: str, split: str, number: int) -> dict[str, str]:
    make, seconds = SOUNDS[label]
    path = folder / "audio" / label / f"{number}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, make(seconds, number), RATE)
    return {
        "path": str(path.relative_to(folder)),
        "class": label,
        "split": split,
        "source_group": f"{label}-{number}",
        "dataset": "made",
        "realism": "recording",
        "active_onset": "0.0",
        "active_offset": str(seconds),
        "suspect": "",
    }


@pytest.fixture(scope="session")
def clips(data: Path) -> list[Clip]:
    return read_clips(data)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def library(data: Path, clips: list[Clip], cache: Path) -> Library:
    return Library(data, clips, RATE, cache)


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real recordings."""
    if not (REAL / "clips.csv").is_file():
        pytest.skip(f"no real recordings: {REAL} is absent")
    return REAL
