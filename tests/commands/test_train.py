"""Training as a file says: what is given on the command line wins, and what is wrong is told."""

from pathlib import Path

import pytest

from sed.commands import train as command
from sed.errors import UsageError
from sed.train.settings import TrainSettings


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


@pytest.mark.parametrize("text", [None, "steps ="])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "run.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=r"run\.toml: cannot be read"):
        command.run(tmp_path, tmp_path / "mine.onnx", file)
