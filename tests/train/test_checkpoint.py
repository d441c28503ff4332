"""A checkpoint read without the settings of its run."""

import zipfile
from pathlib import Path

import pytest
import torch

from sed.errors import ModelError
from sed.train.checkpoint import described_like, read_checkpoint
from sed.train.kinds import KINDS
from sed.train.run import averaged, checkpoint_path, save, start
from sed.train.settings import TrainSettings
from tests.train.models import LABELS, tiny_metadata


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> TrainSettings:
    folder = tmp_path_factory.mktemp("run")
    return TrainSettings(data=folder, out=folder / "tiny.onnx", labels=LABELS, units=16, cache=folder)


@pytest.mark.parametrize("kind", KINDS)
def test_the_running_mean_is_what_is_read(settings: TrainSettings, kind: str) -> None:
    run = start(settings.model_copy(update={"network": kind}))
    run.step, run.elapsed = 7, 90.0
    save(run, settings)
    path = checkpoint_path(settings)
    found = read_checkpoint(path)
    assert (found.labels, found.step, found.elapsed) == (2, 7, 90.0)
    frames = torch.randn(1, 40, 64)
    expected = averaged(run)(frames, *run.network.initial(1))
    torch.testing.assert_close(found.network(frames, *found.network.initial(1)), expected)
    described = described_like(found, tiny_metadata(), path, "mine")
    assert (described.name, described.labels, described.scores) == ("mine", LABELS, {})
    assert described.rules == tiny_metadata().rules
    assert described.training["steps"] == 7
    assert described.training["minutes"] == 1.5
    assert described.training["network"] == kind


def test_another_shape_is_refused(settings: TrainSettings) -> None:
    save(start(settings), settings)
    found = read_checkpoint(checkpoint_path(settings))
    three = tiny_metadata().model_copy(update={"labels": (*LABELS, "dog_bark")})
    with pytest.raises(ModelError, match=r"run\.pt: has 2 labels, tiny has 3; name a model it was trained like"):
        described_like(found, three, Path("run.pt"), "mine")


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pt")
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as archive:
        archive.writestr("a", "b")
    for name in ("other.pt", "text.zip"):
        with pytest.raises(ModelError, match="not a checkpoint of this program's training"):
            read_checkpoint(tmp_path / name)
