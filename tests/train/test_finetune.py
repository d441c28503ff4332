"""A small model learns a label more from one clip, keeps the one it knew, and its rule; what cannot work is told."""

import csv
from pathlib import Path

import pytest
import torch
from sklearn.metrics import average_precision_score

from sed.errors import UsageError
from sed.metadata import FrontendSettings, Metadata, Rule
from sed.model import OnnxModel
from sed.train import fit
from sed.train.batches import Grid, Scenes, loader
from sed.train.clips import read_clips
from sed.train.distributed import ALONE
from sed.train.ensemble import Ensemble
from sed.train.export import export
from sed.train.finetune import adopt, beginning, check_clips, check_model, thaw, widened
from sed.train.learner import Learner
from sed.train.network import Network
from sed.train.recipe import TRAINING
from sed.train.run import Run, averaged, start
from sed.train.scenes import Mixer
from sed.train.settings import TrainSettings
from sed.train.teacher import WEIGHT
from tests.train.models import write_tiny

KNOWN, NEW = "siren", "glass_break"
RULE = Rule(on=0.65, off=0.2, max_gap=0.6)


@pytest.fixture(scope="module")
def first(data: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainSettings:
    """A model that knows sirens, in `out`: what it hears in them, the next label can be told by."""
    settings = TrainSettings(
        data=data, out=tmp_path_factory.mktemp("first") / "first.onnx", cache=cache, labels=(KNOWN,), steps=200,
        batch=8, seconds=3.0, units=16, workers=0, valid_scenes=8, scenes=48, learning_rate=1e-2, average=0.8,
        bfloat16=False,
    )  # fmt: skip
    network = averaged(fit.fit(settings, fit.gather(settings))).cpu()
    described = Metadata(
        name="first", version="1", labels=(KNOWN,), frontend=FrontendSettings(), look_ahead=3, rules={KNOWN: RULE},
        licence="MIT",
    )  # fmt: skip
    export(network, described, settings.out)
    return settings


@pytest.fixture(scope="module")
def few(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Glass on each side of the split, noise, speech that sounds a little like a siren, and no siren."""
    return folder(tmp_path_factory.mktemp("few"), data, {NEW, "background", "speech"})


def folder(made: Path, data: Path, classes: set[str], splits: tuple[str, ...] = ("train", "valid", "test")) -> Path:
    with (data / "clips.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["class"] in classes and row["split"] in splits]
    with (made / "clips.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows({**row, "path": data / row["path"]} for row in rows)
    return made


@pytest.fixture
def settings(first: TrainSettings, few: Path, tmp_path: Path) -> TrainSettings:
    given = {"seconds": 3.0, "workers": 0, "valid_scenes": 8, "bfloat16": False, "scenes": 48, "batch": 8}
    plain = {"recipe": "training", "spectral": "plain", "average": 0.8, "steps": 120, "check_every": 60}
    named = {"data": few, "out": tmp_path / "mine.onnx", "cache": first.cache, "finetune": str(first.out)}
    return TrainSettings(**{**beginning(str(first.out)), **given, **plain, **named, "labels": (KNOWN, NEW)})


def begun(settings: TrainSettings) -> Run:
    run = start(settings, widened(settings))
    adopt(run, settings, read_clips(settings.data))
    return run


def precision(network: Network, settings: TrainSettings, data: Path) -> dict[str, float]:
    """The average precision of each label's rows, on scenes of all the data's valid side."""
    material = fit.gather(settings.model_copy(update={"data": data, "finetune": None}))
    grid = Grid(settings.frontend, settings.labels, network.stride, settings.look_ahead, settings.seconds)
    mixer = Mixer(material.library, material.clips, "valid", settings.labels, TRAINING)
    frames, target, weight = next(loader(Scenes(mixer, grid, 3, 0, 40), 40, 0))
    with torch.no_grad():
        scores = network(frames, *network.initial(len(frames)))[0]
    columns = zip(*(part.flatten(0, 1).T for part in (target, scores, weight)), strict=True)
    return {
        label: float(average_precision_score(true, told, sample_weight=counts))
        for label, (true, told, counts) in zip(settings.labels, columns, strict=True)
    }


def test_a_new_label_is_learnt_and_the_old_one_not_lost(settings: TrainSettings, first: TrainSettings) -> None:
    before = precision(averaged(begun(settings)), settings, first.data)
    deep = settings.model_copy(update={"front": 1.0, "steps": 240, "seed": 7})
    after = precision(averaged(fit.fit(deep, fit.gather(deep))), settings, first.data)
    assert after[NEW] > before[NEW] + 0.2
    assert after[KNOWN] > 0.7 * before[KNOWN]


def test_the_last_layer_alone_learns_and_no_other_label_changes(settings: TrainSettings) -> None:
    begins = begun(settings)
    run = fit.fit(settings, fit.gather(settings))
    weights, learnt = averaged(begins).state_dict(), averaged(run).state_dict()
    changes = {name for name in weights if not torch.equal(weights[name], learnt[name])}
    assert changes == {"scores.weight", "scores.bias"}
    for name in changes:
        assert torch.equal(weights[name][0], learnt[name][0])
    assert sum(run.losses[-20:]) < 0.95 * sum(run.losses[:20])


def test_a_run_that_is_over_is_gone_on_with(settings: TrainSettings) -> None:
    """Its optimiser holds the last layer alone."""
    material = fit.gather(settings)
    before = averaged(fit.fit(settings.model_copy(update={"steps": 4}), material)).state_dict()
    again = fit._lesson(settings.model_copy(update={"steps": 4, "resume": True}), material, ALONE)
    assert again.step == 4
    assert all(torch.equal(part, before[name]) for name, part in averaged(again).state_dict().items())


def test_it_begins_as_the_model_that_it_begins_with(settings: TrainSettings, first: TrainSettings) -> None:
    network = averaged(begun(settings.model_copy(update={"labels": (NEW, KNOWN)})))
    frames = torch.randn(1, 80, 64) * 10.0 - 50.0
    with torch.no_grad():
        logits = network(frames, *network.initial(1))[0][0, :, 1]
    session = OnnxModel(first.out).session
    names = [value.name for value in session.get_inputs()]
    fed = [frames, *network.initial(1)]
    scores = session.run(["scores"], {name: part.numpy() for name, part in zip(names, fed, strict=True)})[0]
    torch.testing.assert_close(logits.sigmoid(), torch.from_numpy(scores[0, :, 0]), atol=1e-5, rtol=0)


def test_the_scores_learn_first_and_the_norms_keep_their_statistics(settings: TrainSettings) -> None:
    settings = settings.model_copy(update={"front": 0.2})
    run = begun(settings)
    learner = Learner(run, settings)
    chance = torch.Generator().manual_seed(2)
    batch = (10.0 * torch.randn(2, 40, 64, generator=chance) - 50.0, torch.ones(2, 10, 2), torch.ones(2, 10, 2))
    before = {name: part.clone() for name, part in run.network.state_dict().items()}
    thaw(run.network, settings, 0.0)
    learner.step(batch, 1e-3)
    assert changed(before, run.network) == {"scores.weight", "scores.bias"}
    thaw(run.network, settings, 0.9)
    learner.step(batch, 1e-3)
    found = changed(before, run.network)
    assert {"narrow.weight", "norms.0.weight", "recurrent.weight_hh_l0"} <= found
    assert not {name for name in found if "running" in name or name in {"mean", "spread"}}


def changed(before: dict[str, torch.Tensor], network: Network) -> set[str]:
    return {name for name, part in network.state_dict().items() if not torch.equal(part, before[name])}


def test_a_label_without_clips_is_held_by_the_old_model(settings: TrainSettings) -> None:
    run = begun(settings)
    assert run.teacher is not None
    frames = torch.randn(2, 40, 64) * 10.0 - 50.0
    with torch.no_grad():
        logits = averaged(run)(frames, *run.network.initial(2))[0]
    far = logits + torch.tensor([2.0, 50.0])  # what is said of the new label is no matter
    assert float(run.teacher.loss(frames, logits, run.device)) == pytest.approx(0.0, abs=1e-8)
    assert float(run.teacher.loss(frames, far, run.device)) == pytest.approx(WEIGHT * 4.0, rel=1e-4)
    assert run.teacher.spared(torch.ones(1, 1, 2)).tolist() == [[[0.0, 1.0]]]


def test_the_file_keeps_the_rule_of_a_label_without_clips(settings: TrainSettings) -> None:
    short = settings.model_copy(update={"steps": 4})
    written = OnnxModel(fit.train(short)).metadata
    assert written.labels == (KNOWN, NEW)
    assert written.rules[KNOWN] == RULE
    assert written.training["settings"]["finetune"] == settings.finetune
    again = fit.fit(short.model_copy(update={"steps": 6, "resume": True}), fit.gather(short))
    assert (again.step, len(again.losses)) == (6, 2)


def test_another_network_is_refused_before_any_work(settings: TrainSettings) -> None:
    with pytest.raises(UsageError, match=r"its units is 16, the settings say 32"):
        check_model(settings.model_copy(update={"units": 32}))
    with pytest.raises(UsageError, match=r"its frontend is .*hop=160.*hop=80"):
        fit.train(settings.model_copy(update={"frontend": FrontendSettings(hop=80), "data": Path("nothing")}))


def test_what_is_missing_in_the_data_is_told(
    settings: TrainSettings, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = read_clips(settings.data)
    with pytest.raises(UsageError, match=r"--label doorbell: no clips of it to learn from in .* background, glass"):
        check_clips(settings.model_copy(update={"labels": (KNOWN, "doorbell")}), clips)
    with pytest.raises(UsageError, match=r"no clips of siren in .*: nothing to learn"):
        check_clips(settings.model_copy(update={"labels": (KNOWN,)}), clips)
    with pytest.raises(UsageError, match=r"no clips of split 'valid' .* earwitness data import .* --folds 5"):
        check_clips(settings, read_clips(folder(tmp_path, data, {NEW}, ("train",))))
    assert caplog.text == ""
    check_clips(settings, [clip for clip in clips if clip.label == NEW])
    assert "false alarms on ordinary sound will not be known" in caplog.text


def test_an_ensemble_learns_a_label_more(settings: TrainSettings, tmp_path: Path) -> None:
    pair = write_tiny(tmp_path / "pair.onnx", "ensemble")
    labels = (*pair.metadata.labels, NEW)
    told = settings.model_copy(update={"finetune": str(pair.path), "labels": labels, "steps": 4})
    check_model(told)
    run = fit.fit(told, fit.gather(told))
    assert isinstance(averaged(run), Ensemble)
    begins = averaged(start(told, widened(told))).state_dict()
    assert changed({**begins}, averaged(run)) == {"scores.weight", "scores.bias"}
