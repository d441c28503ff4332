"""Members of one model: each learns as a run of its own would, a run that was cut off goes on, and one file is made."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from sed.commands import train as command
from sed.errors import ModelError, UsageError
from sed.model import OnnxModel
from sed.train import fit
from sed.train.checkpoint import read_checkpoint
from sed.train.members import apart, lessons
from sed.train.run import averaged, checkpoint_path
from sed.train.settings import Lesson, Member, TrainSettings
from sed.train.soup import soup
from sed.train.tuning import Effort, tune
from tests.train.models import sounds


@pytest.fixture
def settings(data: Path, cache: Path, tmp_path: Path) -> TrainSettings:
    return TrainSettings(
        data=data, out=tmp_path / "pair.onnx", cache=cache, steps=6, batch=4, seconds=3.0, units=8, workers=0,
        valid_scenes=6, scenes=24, learning_rate=1e-2, average=0.8, bfloat16=False, seed=1, channels=(2, 4, 4, 2),
        members=(Member(), Member(seed=2, steps=4, spectral="strong")),
    )  # fmt: skip


def test_each_member_learns_as_a_run_of_its_own(settings: TrainSettings, tmp_path: Path) -> None:
    model = OnnxModel(fit.train(settings))
    alone = {"members": (), "out": tmp_path / "alone.onnx"}
    material = fit.gather(settings)
    kinds: list[dict[str, Any]] = [{}, {"seed": 2, "steps": 4, "spectral": "strong"}]
    networks = [averaged(fit.fit(settings.model_copy(update={**alone, **kind}), material)).cpu() for kind in kinds]
    frames = sounds(1)[0][:160]
    with torch.no_grad():
        logits = [one(torch.from_numpy(frames)[None], *one.initial(1))[0] for one in networks]
    told = model.session.run(["scores"], {"frames": frames[None], **first_state(model)})[0]
    np.testing.assert_allclose(told, torch.sigmoid(torch.stack(logits).mean(0)).numpy(), atol=1e-5)
    training = model.metadata.training
    assert (training["steps"], training["network"]) == (10, "ensemble")
    assert training["settings"]["members"] == [{}, {"seed": 2, "steps": 4, "spectral": "strong"}]


def first_state(model: OnnxModel) -> dict[str, Any]:
    return {i.name: np.zeros([1, *i.shape[1:]], np.float32) for i in model.session.get_inputs()[1:]}


def test_a_run_goes_on_where_it_was_cut_off(settings: TrainSettings, caplog: pytest.LogCaptureFixture) -> None:
    whole = weights(fit.train(settings))
    _, second = apart(settings)
    checkpoint_path(second).unlink()
    caplog.clear()  # what another test asked to be logged
    going_on = settings.model_copy(update={"resume": True})
    assert [one.resume for one in apart(going_on)] == [True, False]
    with caplog.at_level(logging.INFO):
        again = weights(fit.train(going_on))
    assert "learnt already, step 6" in caplog.text
    assert "step 4 of 4" in caplog.text
    assert "step 6 of 6" not in caplog.text  # the first learnt nothing more
    assert read_checkpoint(checkpoint_path(second)).step == 4
    assert again.keys() == whole.keys()
    assert all(np.array_equal(part, whole[name]) for name, part in again.items())


def weights(path: Path) -> dict[str, Any]:
    return {part.name: onnx.numpy_helper.to_array(part) for part in onnx.load(str(path)).graph.initializer}


def test_a_fresh_run_forgets_the_members_of_an_older_one(settings: TrainSettings) -> None:
    fit.train(settings)
    second = checkpoint_path(apart(settings)[1])
    assert second.is_file()
    cut = settings.model_copy(update={"members": (Member(steps=0x7FFFFFFF), Member())})
    with pytest.raises(KeyboardInterrupt):
        interrupted(cut)
    assert not second.is_file()


def interrupted(settings: TrainSettings) -> None:
    """Ctrl-C in the first member's first check."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sed.train.monitor.check", stop)
        fit.train(settings.model_copy(update={"check_every": 2}))


def test_nothing_to_go_on_from_is_told(settings: TrainSettings, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"never-1\.pt: no checkpoint to resume from"):
        fit.train(settings.model_copy(update={"resume": True, "out": tmp_path / "never.onnx"}))


def test_each_member_has_a_log_of_its_own(settings: TrainSettings, tmp_path: Path) -> None:
    fit.train(settings.model_copy(update={"log_dir": tmp_path / "logs"}))
    assert [path.parent.name for path in sorted((tmp_path / "logs").rglob("log.csv"))] == ["1", "2"]


def test_a_second_lesson_goes_on_from_the_first(settings: TrainSettings) -> None:
    """With classes that the first one did not know, and that are not in the model."""
    then = Lesson(steps=3, augment={"texture": 0.5}, learning_rate=1e-6, auxiliary=("explosion",))
    whole = settings.model_copy(update={"members": (), "then": (then,), "units": 9})
    model = OnnxModel(fit.train(whole))
    assert model.metadata.labels == settings.labels
    assert model.metadata.training["steps"] == 9
    first, second = (read_checkpoint(checkpoint_path(lesson)) for lesson in lessons(whole))
    assert (first.step, second.step) == (6, 3)
    assert (first.labels, second.labels) == (3, 3)
    before, after = first.network.state_dict(), second.network.state_dict()
    kept = ("convolutions.3.weight", "recurrent.weight_hh_l0", "scores.weight", "mean", "spread")
    assert all(torch.allclose(before[name], after[name], atol=1e-3) for name in kept)
    assert not torch.equal(before["scores.weight"], after["scores.weight"])


def test_second_lessons_are_averaged(settings: TrainSettings) -> None:
    plain = {"members": (), "dropout": (0.0, 0.0)}
    then = (Lesson(steps=3, seed=4), Lesson(steps=2, spectral="strong", brief=0.5))
    whole = fit.train(settings.model_copy(update={**plain, "then": then}))
    runs = lessons(settings.model_copy(update={**plain, "then": then}))
    assert [run.out.stem for run in runs] == ["pair", "pair-then-1", "pair-then-2"]
    assert [run.begin for run in runs] == [None, "pair", "pair"]
    networks = [read_checkpoint(checkpoint_path(run)).network for run in runs[1:]]
    apart_by = [a - b for a, b in zip(*(network.parameters() for network in networks), strict=True)]
    assert max(float(part.detach().abs().max()) for part in apart_by) > 1e-3
    model, frames = OnnxModel(whole), sounds(1)[0][:160]
    assert model.metadata.training["steps"] == 11
    mean = soup(networks)
    with torch.no_grad():
        logits = mean(torch.from_numpy(frames)[None], *mean.initial(1))[0]
    told = model.session.run(["scores"], {"frames": frames[None], **first_state(model)})[0]
    np.testing.assert_allclose(told, torch.sigmoid(logits).numpy(), atol=1e-5)


def test_lessons_that_were_learnt_are_not_learnt_again(
    settings: TrainSettings, caplog: pytest.LogCaptureFixture
) -> None:
    then = {"members": (Member(then=(Lesson(steps=2),)), Member(steps=4))}
    twice = settings.model_copy(update=then)
    whole = weights(fit.train(twice))
    first, second = lessons(apart(twice)[0])
    assert (first.out.stem, second.out.stem, second.begin) == ("pair-1", "pair-1-then-1", "pair-1")
    checkpoint_path(second).unlink()
    caplog.clear()  # what another test asked to be logged
    with caplog.at_level(logging.INFO):
        again = weights(fit.train(twice.model_copy(update={"resume": True})))
    assert "step 2 of 2" in caplog.text
    assert "step 6 of 6" not in caplog.text
    assert all(np.array_equal(part, whole[name]) for name, part in again.items())


def test_auxiliary_classes_are_no_labels(tmp_path: Path) -> None:
    given = {"data": tmp_path, "out": tmp_path / "x.onnx", "extra": ("dog_bark",)}
    with pytest.raises(ValueError, match="auxiliary: dog_bark is a label of the model already"):
        TrainSettings(**given, auxiliary=("dog_bark", "typing"))
    with pytest.raises(ValueError, match="auxiliary: a trained model has none"):
        TrainSettings(**given, auxiliary=("typing",), finetune="earwitness-1")
    assert TrainSettings(**given, auxiliary=("typing",)).learnt[-2:] == ("dog_bark", "typing")


def test_minutes_and_logs_are_divided(settings: TrainSettings, tmp_path: Path) -> None:
    runs = apart(settings.model_copy(update={"minutes": 3.0, "log_dir": tmp_path}))
    assert [run.minutes for run in runs] == [1.5, 1.5]
    assert [run.log_dir for run in runs] == [tmp_path / "1", tmp_path / "2"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("[[members]]", "members: takes two or more networks of the kind 'crnn'"),
        ('network = "tcn"\n[[members]]\n[[members]]', "members: takes two or more networks of the kind 'crnn'"),
        ('begin = "mine"\n[[members]]\n[[members]]', "members: learn from fresh weights"),
        ("[[members]]\nunits = 4\n[[members]]", r"members.*units"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, lines: str, told: str) -> None:
    (tmp_path / "run.toml").write_text(lines + "\n")
    with pytest.raises(UsageError, match=told):
        command.run(tmp_path, tmp_path / "mine.onnx", tmp_path / "run.toml")


def test_what_is_for_one_network_is_refused(settings: TrainSettings, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"tune: is for one network, .*; give a --config without \[\[members\]\], and take"
    ):
        tune(settings, tmp_path / "study.db", Effort(1))
    with pytest.raises(UsageError, match="--find-rate: is for one network"):
        fit.find(settings)
