"""Training as a file says: what is given on the command line wins, and what is wrong is told."""

import re
from pathlib import Path

import pytest
import soundfile
import torch

from sed.cli import app
from sed.commands import train as command
from sed.errors import ConfigError, UsageError
from sed.train.settings import TrainSettings
from tests.test_cli import earwitness
from tests.train.sounds import RATE, SOUNDS


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[TrainSettings]:
    """The settings of the runs that were asked for; none is run."""
    runs: list[TrainSettings] = []
    monkeypatch.setattr("sed.train.fit.train", runs.append)
    return runs


def test_a_file_has_settings_and_the_command_line_the_last_word(tmp_path: Path, told: list[TrainSettings]) -> None:
    file = tmp_path / "run.toml"
    file.write_text('recipe = "varied"\nsteps = 7\ndropout = [0.1, 0.2]\n')
    command.run(tmp_path, tmp_path / "mine.onnx", file, steps=9)
    assert (told[0].recipe, told[0].steps, told[0].dropout) == ("varied", 9, (0.1, 0.2))
    assert told[0].name == "mine"
    assert told[0].seed == 0


def test_a_wrong_setting_is_told(tmp_path: Path, told: list[TrainSettings]) -> None:
    file = tmp_path / "run.toml"
    file.write_text("recipee = 'varied'\n")
    with pytest.raises(UsageError, match="did you mean 'recipe'"):
        command.run(tmp_path, tmp_path / "mine.onnx", file)
    assert told == []


@pytest.mark.parametrize(("text", "complaint"), [(None, "no such file"), ("steps =", "not TOML")])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, text: str | None, complaint: str) -> None:
    file = tmp_path / "run.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=rf"run\.toml: {complaint}"):
        command.run(tmp_path, tmp_path / "mine.onnx", file)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A siren and a background on either side of the split."""
    rows = ["path,class,split"]
    for label in ("siren", "background"):
        for number, split in enumerate(("train", "valid")):
            path = tmp_path / "clips" / f"{label}-{split}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, SOUNDS[label][0](2.0, number), RATE)
            rows.append(f"{path.name},{label},{split}")
    (tmp_path / "clips" / "clips.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "clips"


def test_a_learning_rate_is_told_and_drawn(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, cache = tmp_path / "run.toml", tmp_path / "cache"
    file.write_text(f'cache = "{cache}"\nbatch = 4\nseconds = 2.0\nunits = 8\nscenes = 16\nworkers = 0\n')
    command.find_rate(clips, tmp_path / "rate.png", file, labels=("siren",), steps=12)
    assert re.fullmatch(r"(learning_rate = \d\.\de-\d\d  # .*|no suggestion: .*)\n", capsys.readouterr().out)
    assert (tmp_path / "rate.png").read_bytes().startswith(b"\x89PNG")
    assert 2 <= len((tmp_path / "rate.tsv").read_text().splitlines()) <= 13
    assert not list(tmp_path.rglob("*.onnx")) + list(cache.glob("*.pt"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = earwitness("train", "--data", tmp_path, "--out", tmp_path / "mine.onnx", "--device", "cuda")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("earwitness: device cuda: ")


def test_a_rate_is_drawn_as_a_picture_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--find-rate rate\.txt: need a name that ends in"):
        command.find_rate(tmp_path, Path("rate.txt"))


def test_the_devices_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train: device: should be 'auto', 'cpu' or 'cuda', got 'gpu'"):
        command.run(tmp_path, tmp_path / "mine.onnx", device="gpu")


def test_the_model_is_named_after_the_file_of_settings(
    tmp_path: Path, told: list[TrainSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "street.toml").write_text("steps = 7\n")
    monkeypatch.chdir(tmp_path)
    app(["train", "--config", "street.toml", "--data", "clips"], standalone_mode=False)
    assert (told[0].out, told[0].name, told[0].steps) == (Path("street.onnx"), "street", 7)


def test_fine_tuning_begins_with_what_suits_few_recordings(tmp_path: Path, told: list[TrainSettings]) -> None:
    command.run(tmp_path, tmp_path / "mine.onnx", labels=("doorbell",), finetune="earwitness-1", batch=4)
    assert (told[0].finetune, told[0].labels, told[0].batch) == ("earwitness-1", ("doorbell",), 4)
    assert told[0].steps < 1000
    assert (told[0].units, told[0].channels) == (96, (16, 32, 32, 32))  # the model's


def test_a_model_that_is_not_ours_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    given = ("--finetune", tmp_path / "text.onnx", "--label", "doorbell", "--out", tmp_path / "mine.onnx")
    done = earwitness("train", "--data", tmp_path, *given)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "text.onnx: not a model" in done.stderr
