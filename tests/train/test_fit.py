"""A training of a few steps on a dozen tiny clips: it learns, it stops and goes on, and what it writes loads."""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sed.errors import AudioError, ModelError, SinkError, UsageError
from sed.metadata import FrontendSettings
from sed.model import OnnxModel
from sed.train import fit
from sed.train.batches import Grid
from sed.train.checkpoint import read_checkpoint
from sed.train.learner import check
from sed.train.material import Material
from sed.train.monitor import Monitor
from sed.train.release import summary
from sed.train.run import Run, averaged, begin, checkpoint_path, restore, save, start
from sed.train.schedule import one_cycle
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
    assert model.metadata.heard is not None
    assert model.metadata.heard.mean != model.metadata.heard.spread
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


def test_a_run_that_was_killed_learns_what_it_would_have_learnt(settings: TrainSettings) -> None:
    """Bit for bit: the weights, dropout's chance and the state that scenes go on in are in the checkpoint."""
    material = fit.gather(settings)
    slow = settings.model_copy(update={"steps": 9, "check_every": 4, "dropout": (0.2, 0.2)})
    whole = fit.fit(slow, material).network.state_dict()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Monitor, "after_step", killed_after(5))
        with pytest.raises(KeyboardInterrupt):
            fit.fit(slow, material)
    again = fit.fit(slow.model_copy(update={"resume": True}), material)
    assert len(again.losses) == 5
    assert all(torch.equal(part, whole[name]) for name, part in again.network.state_dict().items())


def killed_after(step: int) -> Callable[[Monitor, float], None]:
    def after_step(monitor: Monitor, rate: float, after: Callable[[Monitor, float], None] = Monitor.after_step) -> None:
        after(monitor, rate)
        if monitor._run.step == step:
            raise KeyboardInterrupt

    return after_step


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
    assert told["command"] == f"earwitness train --data {settings.data} --out {settings.out} --steps 24 --seed 1"
    assert told["settings"] == {
        "recipe": "varied", "batch": 4, "seconds": 3.0, "scenes": 48, "units": 16, "valid_scenes": 6,
        "learning_rate": 1e-2, "average": 0.8, "bfloat16": False,
    }  # fmt: skip
    begun = settings.model_copy(update={"config": Path("run.toml")})
    assert "earwitness train --config run.toml --data " in str(summary(begun, network, 24, 60.0)["command"])


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


def test_what_is_learnt_does_not_depend_on_the_cache(settings: TrainSettings, tmp_path: Path) -> None:
    fresh = settings.model_copy(update={"cache": tmp_path / "empty", "steps": 3, "dropout": (0.5, 0.5)})
    material = fit.gather(fresh)
    mixed_now, mixed_before = (fit.fit(fresh, material).losses for _ in range(2))
    assert mixed_now == mixed_before


@pytest.mark.parametrize("given", [{"schedule": "cosine"}, {"loss": "focal"}, {"loss": "focal", "focal_gamma": 0.0}])
def test_another_schedule_or_loss_learns_otherwise(settings: TrainSettings, given: dict[str, object]) -> None:
    material, short = fit.gather(settings), settings.model_copy(update={"steps": 6})
    usual, other = fit.fit(short, material), fit.fit(short.model_copy(update=given), material)
    assert (usual.losses == other.losses) == (given.get("focal_gamma") == 0.0)
    assert other.step == 6


def test_a_run_without_patience_left_gives_its_best_weights(settings: TrainSettings) -> None:
    """A rate far too high: the loss on valid falls a little at first, and never again."""
    wild = settings.model_copy(update={"learning_rate": 3.0, "steps": 200, "check_every": 2, "patience": 2})
    material = fit.gather(wild)
    run = fit.fit(wild, material)
    assert run.stopping.over
    assert run.step == run.stopping.step + 2 * wild.check_every < wild.steps
    assert valid_loss(run, wild, material) == pytest.approx(run.stopping.loss, rel=1e-6)
    assert fit.fit(wild.model_copy(update={"resume": True}), material).step == run.step  # it stays over


def test_the_best_weights_survive_a_kill(settings: TrainSettings) -> None:
    calm = settings.model_copy(update={"steps": 16, "check_every": 4, "patience": 2})
    material = fit.gather(calm)
    best = fit.fit(calm, material).stopping
    wild = calm.model_copy(update={"learning_rate": 30.0, "steps": 100, "resume": True})
    run = fit.fit(wild, material)
    assert run.step > best.step
    assert (run.stopping.over, run.stopping.step, run.stopping.loss) == (True, best.step, best.loss)
    assert valid_loss(run, wild, material) == pytest.approx(best.loss, rel=1e-6)
    kept = read_checkpoint(checkpoint_path(wild)).network
    for ours, theirs in zip(averaged(run).parameters(), kept.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def valid_loss(run: Run, settings: TrainSettings, material: Material) -> float:
    grid = Grid(settings.frontend, settings.scored, run.network.stride, settings.look_ahead, settings.seconds)
    return check(averaged(run), run.device, fit._checks(settings, material, grid), len(settings.labels))


def test_a_log_of_each_check_and_of_the_end(settings: TrainSettings, tmp_path: Path) -> None:
    logged = settings.model_copy(update={"steps": 10, "check_every": 4, "log_dir": tmp_path / "log"})
    material = fit.gather(logged)
    first = fit.fit(logged, material)
    further = fit.fit(logged.model_copy(update={"steps": 12, "resume": True}), material)
    header, *rows = ((tmp_path / "log" / "log.csv").read_text()).splitlines()
    assert header == "step,minutes,loss,rate,valid_loss"
    cells = [[float(cell) for cell in row.split(",")] for row in rows]
    assert [row[0] for row in cells] == [4, 8, 10, 12]
    means = [sum(part) / len(part) for part in (first.losses[:4], first.losses[4:8], first.losses[8:], further.losses)]
    assert [row[2] for row in cells] == pytest.approx(means, rel=1e-4)
    assert [row[3] for row in cells[:2]] == pytest.approx([1e-2 * one_cycle(step / 10) for step in (3, 7)], rel=1e-4)
    with pytest.raises(UsageError, match="holds the log of another run"):
        fit.train(logged)


def test_a_learning_rate_is_found_and_nothing_left_behind(settings: TrainSettings) -> None:
    found = fit.find(settings.model_copy(update={"out": Path("found.onnx")}))
    assert 1e-5 < (found.suggestion or 0.0) < 0.3
    assert not list(settings.cache.glob("found*"))  # type: ignore[union-attr]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told_first(settings: TrainSettings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="device cuda"):
        fit.train(settings.model_copy(update={"device": "cuda", "data": tmp_path / "nothing"}))


def test_scenes_that_do_not_fit_on_the_disk_are_told(settings: TrainSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)  # a disk of that size cannot be had here
    fresh = settings.model_copy(update={"seed": 78})
    with pytest.raises(SinkError, match=r"frames\.npy: needs 0\.\d GB \(no space left on device\); free some"):
        fit.fit(fresh, fit.gather(fresh))


def test_varied_scenes_and_strong_changes_can_be_learnt_from(settings: TrainSettings) -> None:
    varied = settings.model_copy(update={"recipe": "varied", "spectral": "strong", "dropout": (0.1, 0.2), "steps": 6})
    run = fit.fit(varied, fit.gather(varied))
    assert run.step == 6
    assert all(0.0 < loss < 5.0 for loss in run.losses)


def test_minutes_end_a_run_early(settings: TrainSettings) -> None:
    short = settings.model_copy(update={"steps": 10_000, "minutes": 1.0 / 60.0})
    run = fit.fit(short, fit.gather(short))
    assert 0 < run.step < 10_000
    assert run.elapsed < 60.0


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


def test_a_scene_has_whole_rows() -> None:
    grid = Grid(FrontendSettings(), ("a",), 4, 3, 10.0)
    assert (grid.rows, grid.samples) == (250, 160_352)
