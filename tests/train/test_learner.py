"""One step of learning, and the check: what goes in, what is changed, and what is left alone."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from sed.train.batches import Item
from sed.train.device import device_of
from sed.train.learner import Learner, check, importance
from sed.train.losses import bce
from sed.train.run import Run, averaged, normalise, start
from sed.train.settings import TrainSettings


@pytest.fixture
def settings() -> TrainSettings:
    return TrainSettings(
        data=Path("data"), out=Path("tiny.onnx"), units=8, bfloat16=False, average=0.5, device="cpu",
        extra=("explosion",), extra_weight=0.25, dropout=(0.0, 0.0),
    )  # fmt: skip


def item(seed: int, labels: int = 4) -> Item:
    """Two scenes of ten rows."""
    chance = torch.Generator().manual_seed(seed)
    target = (torch.rand(2, 10, labels, generator=chance) < 0.3).float()
    return 10.0 * torch.randn(2, 40, 64, generator=chance) - 40.0, target, torch.ones_like(target)


def begun(settings: TrainSettings) -> Run:
    run = start(settings)
    normalise(run, item(0)[0].flatten(0, 1))
    return run


def weights(of: torch.nn.Module) -> Tensor:
    return torch.cat([part.detach().flatten() for part in of.parameters()])


def test_steps_lower_the_loss_and_move_the_mean_halfway(settings: TrainSettings) -> None:
    run = begun(settings)
    learner = Learner(run, settings)
    learner.step(item(0), 1e-3)  # the mean begins as a copy of the first weights
    before = weights(averaged(run))
    learner.step(item(0), 1e-3)
    torch.testing.assert_close(weights(averaged(run)), (before + weights(run.network)) / 2.0)
    for _ in range(20):
        learner.step(item(0), 1e-2)
    assert run.step == len(run.losses) == 22
    assert run.losses[-1] < 0.7 * run.losses[0]


def test_a_rate_of_zero_changes_nothing(settings: TrainSettings) -> None:
    run = begun(settings)
    before = weights(run.network)
    Learner(run, settings).step(item(0), 0.0)
    assert torch.equal(weights(run.network), before)


def test_the_loss_is_told_before_the_step_with_each_labels_importance(settings: TrainSettings) -> None:
    plain, silent = settings.model_copy(update={"extra_weight": 1.0}), settings.model_copy(update={"extra_weight": 0.0})
    assert importance(settings).tolist() == [1.0, 1.0, 1.0, 0.25]
    told = [Learner(begun(given), given).step(item(0), 1e-3) for given in (plain, settings, silent)]
    assert told[1] == pytest.approx((3.0 * told[2] + 0.25 * (4.0 * told[0] - 3.0 * told[2])) / 3.25, rel=1e-5)


def test_half_of_the_scenes_go_on_from_the_scene_before(settings: TrainSettings) -> None:
    run = begun(settings)
    learner = Learner(run, settings)
    learner.step(item(0), 0.0)
    ends = [part.clone() for part in run.recalled or []]
    assert all(part.untyped_storage().nbytes() == part.nbytes for part in run.recalled or [])
    gone_on = 0
    for _ in range(200):
        for part, end in zip(learner._begun(2), ends, strict=True):
            same = [torch.equal(part[scene], end[scene]) for scene in range(2)]
            fresh = [not bool(part[scene].any()) for scene in range(2)]
            assert [one != other for one, other in zip(same, fresh, strict=True)] == [True, True]
        gone_on += sum(same)
    assert 160 < gone_on < 240


def test_a_check_hears_the_labels_only_and_changes_nothing(settings: TrainSettings) -> None:
    network, device = averaged(begun(settings)), device_of("cpu", mixed=True)
    items, before = [item(1), item(2)], {name: part.clone() for name, part in network.state_dict().items()}
    with torch.no_grad():
        wanted = [
            float(bce(network(frames, *network.initial(2))[0][..., :3], target[..., :3], weight[..., :3]))
            for frames, target, weight in items
        ]
    assert check(network, device, items, 3) == pytest.approx(sum(wanted) / 2.0)
    assert all(torch.equal(part, before[name]) for name, part in network.state_dict().items())
    assert check(network, device, [], 3) == 0.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
@pytest.mark.parametrize("mixed", [False, True])
def test_a_gpu_learns_as_the_cpu_does(settings: TrainSettings, mixed: bool) -> None:
    losses = []
    for device in ("cpu", "cuda"):
        there = settings.model_copy(update={"device": device, "bfloat16": mixed})
        run = begun(there)
        learner = Learner(run, there)
        losses.append([learner.step(item(seed), 1e-3) for seed in range(5)])
        losses[-1].append(check(averaged(run), run.device, [item(9)], 3))
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_auxiliary_classes_and_short_events_count_as_told(settings: TrainSettings) -> None:
    told = settings.model_copy(update={"auxiliary": ("typing", "rain"), "auxiliary_weight": 0.125})
    torch.testing.assert_close(importance(told), torch.tensor([1.0, 1.0, 1.0, 0.25, 0.125, 0.125]))
    one, two = (begun(settings.model_copy(update={"brief": share})) for share in (0.0, 1.0))
    losses = [Learner(run, settings.model_copy(update={"brief": share})).step(item(0), 0.0)
              for run, share in ((one, 0.0), (two, 1.0))]  # fmt: skip
    assert losses[1] > losses[0]  # rows of 0 are known to a fresh network, short rows of 1 are not
