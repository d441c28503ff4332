"""`earwitness tune` as it is typed: a study, its picture, and a file that `earwitness train` takes."""

from pathlib import Path

import pytest

from sed.commands import train as training
from sed.commands import tune as command
from sed.errors import UsageError
from sed.train.settings import TrainSettings
from tests.commands.test_train import clips  # noqa: F401 - a fixture


def test_the_best_settings_are_a_file_for_training(
    clips: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, study = tmp_path / "run.toml", tmp_path / "mine.db"
    file.write_text(f'cache = "{tmp_path / "cache"}"\nbatch = 4\nseconds = 2.0\nscenes = 16\nworkers = 0\n')
    command.run(clips, study, 2, None, file, labels=("siren",), steps=3)
    assert capsys.readouterr().out.startswith(f"{study.with_suffix('.toml')}: loss on valid scenes ")
    assert study.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    runs: list[TrainSettings] = []
    monkeypatch.setattr("sed.train.fit.train", runs.append)
    training.run(clips, tmp_path / "mine.onnx", study.with_suffix(".toml"))
    assert (runs[0].labels, runs[0].batch) == (("siren",), 4)
    assert runs[0].steps == TrainSettings.model_fields["steps"].default  # a trial's steps are not a training's
    assert runs[0].learning_rate != TrainSettings.model_fields["learning_rate"].default


def test_a_study_does_not_overwrite_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--study mine\.png: .* take a name such as mine\.db"):
        command.run(tmp_path, Path("mine.png"), 2, None)
