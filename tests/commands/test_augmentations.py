"""`earwitness train --show-augmentations`: one picture, and nothing is trained."""

import subprocess
import sys
from pathlib import Path

import pytest

from sed.cli import app
from sed.errors import AudioError, UsageError
from tests.train import layouts


def train(*arguments: object) -> None:
    """The command, in this process: importing torch anew takes longer than the picture."""
    app(["train", "--data", *map(str, arguments)], standalone_mode=False)


def test_a_picture_of_a_clip_of_the_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = layouts.catalogue(tmp_path / "set")
    train(folder, "--label", "siren", "--show-augmentations", tmp_path / "out.png")
    assert capsys.readouterr().out == f"{tmp_path / 'out.png'}: 31 augmentations of a.wav\n"
    assert (tmp_path / "out.png").stat().st_size > 100_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "set"]


def test_what_cannot_be_shown_is_told(tmp_path: Path) -> None:
    folder = layouts.catalogue(tmp_path / "set")
    with pytest.raises(UsageError, match=r"--show-augmentations out\.wav: need a name"):
        train(folder, "--show-augmentations", "out.wav")
    with pytest.raises(AudioError, match="gun_shot: no clips of split 'train' to show"):
        train(folder, "--label", "gun_shot", "--show-augmentations", tmp_path / "out.png")


def test_training_needs_a_file_to_write(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sed", "train", "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "earwitness: train: which file to write is not said; add --out mine.onnx\n"
