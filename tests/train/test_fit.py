"""A training of a few steps on a dozen tiny clips: it learns, it stops and goes on, and what it writes loads."""

import logging
from pathlib import Path

import pytest
import torch

from sed.errors import AudioError, ModelError
from sed.metadata import FrontendSettings
from sed.model import OnnxModel
from sed.train import fit
from sed.train.batches import Grid
from sed.train.release import summary
from sed.train.run import averaged, begin, checkpoint_path, restore, save, start
from sed.train.settings import TrainSettings


@pytest.fixture
def settings(data: Path, cache: Path, tmp_path: Path) -> TrainSettings:
    return TrainSettings(
        data=data, out=tmp_path / "tiny.onnx", cache=cache, steps=24, batch=4, seconds=3.0, units=16, workers=0,
        valid_scenes=6, scenes=48, learning_rate=1e-2, average=0.8, bfloat16=False, seed=1,
    )  # fmt: skip


def test_a_few_steps_lower_the_loss_and_the_file_loads(
    settings: TrainSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        path = fit.train(settings)
    model = OnnxModel(path)
    assert model.metadata.labels == settings.labels
    assert model.metadata.look_ahead == settings.look_ahead
    assert model.metadata.training["steps"] == settings.steps
    assert len(model.metadata.training["mel_mean_db"]) == 64
    assert set(model.metadata.scores) == {"valid", "test"}
    assert "written" in caplog.text


def test_other_classes_need_nothing_but_their_clips(settings: TrainSettings, tmp_path: Path) -> None:
    source = settings.data / "audio" / "speech"
    lines = [f"{source / f'{n}.flac'},hum,{split}" for n, split in enumerate(("train", "valid"))]
    (tmp_path / "clips.csv").write_text("\n".join(["path,class,split", *lines]) + "\n")
    given = {"data": tmp_path, "labels": ("hum",), "steps": 3, "cache": tmp_path / "cache"}
    model = OnnxModel(fit.train(settings.model_copy(update=given)))
    assert model.metadata.labels == ("hum",)


def test_the_loss_falls_and_the_seed_repeats(settings: TrainSettings) -> None:
    material = fit.gather(settings)
    longer = settings.model_copy(update={"steps": 72})  # each scene six times
    one, two = (fit.fit(longer, material) for _ in range(2))
    assert sum(one.losses[-12:]) < 0.8 * sum(one.losses[:12])
    assert one.losses == two.losses


def test_an_interrupted_run_goes_on(settings: TrainSettings) -> None:
    material = fit.gather(settings)
    fit.fit(settings.model_copy(update={"steps": 8}), material)
    run = fit.fit(settings.model_copy(update={"steps": 12, "resume": True}), material)
    assert run.step == 12
    assert len(run.losses) == 4


def test_resuming_needs_a_checkpoint_that_fits(settings: TrainSettings) -> None:
    other = settings.model_copy(update={"out": Path("never.onnx")})
    with pytest.raises(ModelError, match="no checkpoint to resume from"):
        restore(start(other), other)
    save(start(settings), settings)
    wider = settings.model_copy(update={"units": 24})
    with pytest.raises(ModelError, match="of another network"):
        restore(start(wider), wider)


def test_a_run_can_begin_with_the_weights_of_another(settings: TrainSettings, tmp_path: Path) -> None:
    material = fit.gather(settings)
    first = fit.fit(settings, material)
    given = {"begin": "tiny", "steps": 2, "out": tmp_path / "second.onnx", "learning_rate": 1e-6}
    second = fit.fit(settings.model_copy(update=given), material)
    assert second.step == 2
    for before, after in zip(averaged(first).parameters(), averaged(second).parameters(), strict=True):
        torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-4)


def test_beginning_needs_a_checkpoint_that_fits(settings: TrainSettings) -> None:
    with pytest.raises(ModelError, match="no checkpoint to begin from"):
        begin(start(settings), settings.model_copy(update={"begin": "never"}))
    save(start(settings), settings)
    wider = settings.model_copy(update={"units": 24, "begin": "tiny"})
    with pytest.raises(ModelError, match="of another network"):
        begin(start(wider), wider)


def test_the_file_tells_what_was_not_as_usual(settings: TrainSettings) -> None:
    network = averaged(start(settings))
    told = summary(settings.model_copy(update={"recipe": "varied"}), network, 24, 60.0)
    assert told["command"] == f"earwitness train {settings.data} --out {settings.out} --steps 24 --seed 1"
    assert told["settings"] == {
        "recipe": "varied", "batch": 4, "seconds": 3.0, "scenes": 48, "units": 16, "valid_scenes": 6,
        "learning_rate": 1e-2, "average": 0.8, "bfloat16": False,
    }  # fmt: skip


def test_extra_labels_are_scored_and_raise_no_alert(settings: TrainSettings) -> None:
    given = {"extra": ("explosion",), "recipe": "broad", "segments": 0.5, "steps": 4}
    meta = OnnxModel(fit.train(settings.model_copy(update=given))).metadata
    assert meta.labels == (*settings.labels, "explosion")
    assert [meta.rules[label].alert for label in meta.labels] == [True, True, True, False]
    assert set(meta.scores["test"]["extra"]["labels"]) == {"explosion"}
    assert set(meta.scores["test"]["scenes"]["labels"]) == set(settings.labels)


def test_extra_labels_need_clips(settings: TrainSettings) -> None:
    with pytest.raises(AudioError, match="yodel: no clips of split 'train'"):
        fit.train(settings.model_copy(update={"extra": ("yodel",)}))


def test_scenes_are_mixed_once(settings: TrainSettings, caplog: pytest.LogCaptureFixture) -> None:
    fresh = settings.model_copy(update={"seed": 77, "steps": 2})
    with caplog.at_level(logging.INFO):
        for rate in (1e-3, 1e-2):
            fit.fit(fresh.model_copy(update={"learning_rate": rate}), fit.gather(fresh))
    assert caplog.text.count("mixing 48 scenes") == 1


def test_varied_scenes_and_strong_changes_can_be_learnt_from(settings: TrainSettings) -> None:
    varied = settings.model_copy(update={"recipe": "varied", "spectral": "strong", "dropout": (0.1, 0.2), "steps": 6})
    run = fit.fit(varied, fit.gather(varied))
    assert run.step == 6
    assert all(0.0 < loss < 5.0 for loss in run.losses)


def test_minutes_end_a_run_early(settings: TrainSettings) -> None:
    short = settings.model_copy(update={"steps": 10_000, "minutes": 1.0 / 60.0})
    run = fit.fit(short, fit.gather(short))
    assert 0 < run.step < 10_000
    assert run.elapsed < 5.0


def test_the_checkpoint_holds_the_averaged_network(settings: TrainSettings) -> None:
    run = fit.fit(settings.model_copy(update={"steps": 4}), fit.gather(settings))
    again = start(settings)
    restore(again, settings)
    assert checkpoint_path(settings).is_file()
    for ours, theirs in zip(averaged(run).state_dict().values(), averaged(again).state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_data_that_is_not_there_is_told(settings: TrainSettings, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no such file"):
        fit.train(settings.model_copy(update={"data": tmp_path}))


def test_one_cycle_rises_and_falls() -> None:
    rates = [fit.one_cycle(step / 100) for step in range(101)]
    assert max(rates) == rates[10] == 1.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_rows_of_no_weight_do_not_count() -> None:
    logits = torch.tensor([[[5.0], [-5.0]]])
    target = torch.tensor([[[0.0], [0.0]]])
    full = fit.weighted_loss(logits, target, torch.ones(1, 2, 1))
    assert float(fit.weighted_loss(logits, target, torch.tensor([[[0.0], [1.0]]]))) < 0.01 < float(full)


def test_a_scene_has_whole_rows() -> None:
    grid = Grid(FrontendSettings(), ("a",), 4, 3, 10.0)
    assert (grid.rows, grid.samples) == (250, 160_352)
