"""`earwitness train --show-augmentations`: one picture, and nothing is trained."""

import subprocess
import sys
from pathlib import Path

import pytest

from sed.cli import app
from sed.errors import AudioError, ConfigError, UsageError
from tests.train import layouts


def train(*arguments: object) -> None:
    """The command, in this process: importing torch anew takes longer than the picture."""
    app(["train", "--data", *map(str, arguments)], standalone_mode=False)


def test_a_picture_of_a_clip_of_the_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = layouts.catalogue(tmp_path / "set")
    train(folder, "--label", "siren", "--show-augmentations", tmp_path / "out.png")
    assert capsys.readouterr().out == f"{tmp_path / 'out.png'}: 38 augmentations of a.wav\n"
    assert (tmp_path / "out.png").stat().st_size > 100_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "set"]


def test_what_cannot_be_shown_is_told(tmp_path: Path) -> None:
    folder = layouts.catalogue(tmp_path / "set")
    with pytest.raises(UsageError, match=r"--show-augmentations out\.wav: need a name"):
        train(folder, "--show-augmentations", "out.wav")
    with pytest.raises(AudioError, match="gun_shot: no clips of split 'train' to show"):
        train(folder, "--label", "gun_shot", "--show-augmentations", tmp_path / "out.png")


def test_labels_and_seed_of_a_file_of_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = layouts.catalogue(tmp_path / "set"), tmp_path / "run.toml"
    file.write_text('labels = ["siren"]\nsteps = 7\n')
    train(folder, "--config", file, "--show-augmentations", tmp_path / "out.png")
    assert "augmentations of a.wav" in capsys.readouterr().out
    with pytest.raises(AudioError, match="gun_shot: no clips"):
        train(folder, "--config", file, "--label", "gun_shot", "--show-augmentations", tmp_path / "out.png")


@pytest.mark.parametrize(("text", "told"), [(None, "no such file"), ("steps =", "not TOML"), ("stepps = 7", "stepps")])
def test_a_file_of_settings_that_is_wrong_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "run.toml").write_text(text)
    with pytest.raises((ConfigError, UsageError), match=told):
        train(tmp_path, "--config", tmp_path / "run.toml", "--show-augmentations", tmp_path / "out.png")


@pytest.mark.parametrize(
    "given",
    [
        *("--out mine.onnx", "--steps 5", "--minutes 5", "--threads 1", "--device cpu", "--finetune earwitness-1"),
        *("--resume", "--log-dir logs", "--find-rate rate.png"),
    ],
)
def test_what_is_of_a_training_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(UsageError) as error:
        train(tmp_path, *given.split(), "--show-augmentations", tmp_path / "out.png")
    assert error.value.exit_code == 2
    assert str(error.value) == f"train: --show-augmentations trains nothing; leave out {given.split()[0]}"


@pytest.mark.parametrize("given", ["--out mine.onnx", "--minutes 5", "--resume", "--log-dir logs"])
def test_a_rate_is_found_without_what_is_of_a_training(tmp_path: Path, given: str) -> None:
    with pytest.raises(UsageError, match=f"--find-rate trains nothing; leave out {given.split()[0]}"):
        train(tmp_path, *given.split(), "--find-rate", tmp_path / "rate.png")


def test_training_needs_a_file_to_write(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sed", "train", "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "earwitness: train: which file to write is not said; add --out mine.onnx\n"
