"""Two processes that torchrun started learn what one does, end together, and go on after one of them was killed."""

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from sed.commands import train as command
from sed.errors import UsageError
from sed.model import OnnxModel
from sed.train import fit
from sed.train.batchnorm import synchronised
from sed.train.distributed import check_division
from sed.train.run import checkpoint_path
from sed.train.settings import TrainSettings
from tests.broker import eventually
from tests.commands.test_train import clips  # noqa: F401 - a fixture
from tests.train.models import LABELS, write_tiny
from tests.train.torchrun import END_SECONDS, Torchrun

pytestmark = pytest.mark.timeout(4 * END_SECONDS)

NEAR = 5e-4
"""Between weights that one and two processes came to; a sum that is not over both puts them 5e-3 to 9e-2 apart."""


@pytest.fixture
def settings(data: Path, cache: Path, tmp_path: Path) -> TrainSettings:
    """Everything that could differ between shares: mixup, two losses with their own weights; no dropout."""
    return TrainSettings(
        data=data, out=tmp_path / "one.onnx", cache=cache, steps=8, batch=4, seconds=3.0, units=16, workers=0,
        valid_scenes=6, scenes=48, learning_rate=1e-3, average=0.8, bfloat16=False, seed=1, dropout=(0.0, 0.0),
        spectral="strong", segments=0.3, loss="focal", check_every=4,
    )  # fmt: skip


def cases(settings: TrainSettings, folder: Path) -> Iterator[TrainSettings]:
    """A network of each kind, one that stops early, and one that is fine-tuned."""
    write_tiny(folder / "tiny.onnx")
    wild = {"patience": 1, "check_every": 2, "learning_rate": 3.0, "steps": 60}
    tuned = {"finetune": str(folder / "tiny.onnx"), "labels": (*LABELS, "glass_break"), "front": 0.3}
    kinds: dict[str, dict[str, Any]] = {"crnn": {}, "tcn": {"network": "tcn"}, "wild": wild, "tuned": tuned}
    for name, given in kinds.items():
        yield settings.model_copy(update={**given, "out": folder / f"{name}.onnx"})


def test_two_processes_learn_what_one_does(settings: TrainSettings, tmp_path: Path) -> None:
    alone = list(cases(settings, tmp_path))
    files = [tmp_path / f"{case.out.stem}.json" for case in alone]
    for case, file in zip(alone, files, strict=True):
        file.write_text(case.model_copy(update={"out": Path(f"two-{case.out.name}")}).model_dump_json())
    with Torchrun(tmp_path, "tests.train.torchrun", *files) as run:
        assert run.ended() == 0, run.log
    for case in alone:
        losses = fit.fit(case, fit.gather(case)).losses
        one, path = saved(checkpoint_path(case)), checkpoint_path(case).with_name(f"two-{case.out.stem}.pt")
        two, told = saved(path), [torch.load(path.with_suffix(f".rank{rank}")) for rank in range(2)]
        assert told[0] == told[1]
        if case.out.stem == "wild":  # a rate at which all differences grow: only that it ends, and together
            assert two["step"] == len(told[0]) == two["stopping"]["step"] + 2 < case.steps
            continue
        assert told[0] == pytest.approx(losses, rel=1e-3)
        assert torch.equal(one["chance"], two["chance"])
        for part in ("network", "mean"):
            assert apart(one[part], two[part]) < NEAR, case.out.stem
            assert moved(one[part], case) > 4 * NEAR


def saved(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def apart(one: Mapping[str, Tensor], two: Mapping[str, Tensor]) -> float:
    """How far apart the two are anywhere, as a share of what a tensor's values are, where they are more than 1."""
    far = (((part - two[name]).abs() / part.abs().clamp(min=1.0)).double().max() for name, part in one.items())
    return max(float(value) for value in far)


def moved(weights: Mapping[str, Tensor], case: TrainSettings) -> float:
    """How far training has moved the layer of scores."""
    begun, _, _ = fit._begun(case, fit.gather(case))
    name = next(name for name in weights if name.endswith("scores.weight"))
    return float((weights[name] - begun.network.scores.weight).detach().abs().max())


def test_a_killed_process_ends_the_others_and_the_run_goes_on(
    settings: TrainSettings, clips: Path, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    file, out, cache = tmp_path / "run.toml", tmp_path / "mine.onnx", tmp_path / "cache"
    file.write_text(
        f'cache = "{cache}"\nbatch = 4\nseconds = 2.0\nunits = 8\nscenes = 16\nworkers = 0\nvalid_scenes = 4\n'
        'labels = ["siren"]\ncheck_every = 3\n'
    )
    typed = ("train", "--data", clips, "--config", file, "--out", out, "--log-dir", tmp_path / "log")
    with Torchrun(tmp_path, "sed", *typed, "--steps", 100_000) as run:
        eventually((cache / "mine.pt").is_file, END_SECONDS)
        os.kill(run.workers()[1], signal.SIGKILL)
        assert run.ended(120.0) == 1
        assert run.log.count(" 16/16 ") == 1  # scenes, mixed by the first that comes
        told = [line for line in run.log.splitlines() if line.startswith("earwitness: train: rank 0 of 2: ")]
        assert len(told) == 1, run.log
        assert "--resume" in told[0]
    step = saved(cache / "mine.pt")["step"]
    with Torchrun(tmp_path, "sed", *typed, "--resume", "--steps", step + 2) as run:
        assert run.ended() == 0, run.log
        assert run.log.count(f"going on from step {step} of ") == 1
    assert OnnxModel(out).metadata.training["steps"] == step + 2
    assert saved(cache / "mine.pt")["step"] == step + 2
    rows = (tmp_path / "log" / "log.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == [*range(3, step + 1, 3), step + 2]


def test_a_batch_that_cannot_be_divided_is_told(settings: TrainSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match=r"batch: 4 scenes cannot be divided over 3 processes; set batch = 3 "):
        fit.train(settings)
    with pytest.raises(UsageError, match="--find-rate: runs in one process; start it without torchrun"):
        fit.find(settings)
    with pytest.raises(UsageError, match="set batch = 8 in"):
        check_division(2, 8)
    check_division(32, 8)


def test_what_is_wrong_is_told_once(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """By the first process of a machine, of all that cannot be otherwise with the others."""
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="batch: 32 scenes cannot be divided over 3 processes; set batch = 33 in"):
        command.run(clips, tmp_path / "mine.onnx", labels=("siren",))
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(SystemExit, match="2"):
        command.run(clips, tmp_path / "mine.onnx", labels=("siren",))


@pytest.fixture
def one_of_one(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_of_one")
@pytest.mark.parametrize(("kind", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_batch_norm_is_torchs_own(kind: torch.dtype, near: float) -> None:
    """With one process, whose share is the batch: what comes out, the slopes, and what is remembered."""
    torch.manual_seed(0)
    theirs, ours = nn.Sequential(nn.BatchNorm2d(3)), nn.Sequential(nn.BatchNorm2d(3))
    synchronised(ours)
    for step in range(3):
        x = (3.0 * torch.randn(4, 3, 10, 5) + step).to(kind)
        given = [x.clone().requires_grad_() for _ in range(2)]
        slope = torch.randn_like(x)
        for norm, value in zip((theirs, ours), given, strict=True):
            norm.zero_grad()
            norm(value).backward(slope)
        torch.testing.assert_close(ours(x), theirs(x), atol=near, rtol=near)
        torch.testing.assert_close(given[1].grad, given[0].grad, atol=near, rtol=near)
        for own, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(own.grad, expected.grad, atol=near, rtol=near)
        for kept, remembered in zip(ours.buffers(), theirs.buffers(), strict=True):
            torch.testing.assert_close(kept, remembered, atol=near, rtol=near)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), atol=near, rtol=near)
