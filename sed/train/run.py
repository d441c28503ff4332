"""The state of a training run: its weights, their running mean, the optimiser, and the checkpoint of them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sed.errors import ModelError
from sed.train.device import Device, device_of
from sed.train.kinds import untrained
from sed.train.library import cache_folder
from sed.train.network import Network
from sed.train.settings import TrainSettings
from sed.train.stopping import Stopping
from sed.train.teacher import Teacher


@dataclass(slots=True)
class Run:
    """Everything that changes while training."""

    network: Network
    mean: AveragedModel  # the running mean of the weights: what is exported
    optimiser: torch.optim.Optimizer
    chance: torch.Generator
    device: Device
    stopping: Stopping
    step: int = 0
    elapsed: float = 0.0  # seconds, over all sessions
    losses: list[float] = field(default_factory=list)
    recalled: list[Tensor] | None = None  # the network's state after the last batch, of this process's share
    teacher: Teacher | None = None  # of labels that fine-tuning has no clips of


def start(settings: TrainSettings, network: Network | None = None) -> Run:
    """A fresh run, its weights drawn from the seed unless there is a `network` to begin with."""
    torch.manual_seed(settings.seed)
    device = device_of(settings.device, settings.bfloat16)
    network = (network or untrained(settings)).to(device.place)  # drawn on the CPU: the same weights on every device
    with torch.no_grad():
        network.scores.bias.fill_(-3.0)  # most rows hold no event
    running_mean = get_ema_multi_avg_fn(settings.average)  # type: ignore[no-untyped-call]
    mean = AveragedModel(network, device.place, multi_avg_fn=running_mean, use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    chance = torch.Generator().manual_seed(settings.seed)
    return Run(network, mean, optimiser, chance, device, Stopping(settings.patience))


def normalise(run: Run, frames: Tensor) -> None:
    """Fix every mel band's mean and spread from `frames` (n, mels) in dB."""
    for network in (run.network, averaged(run)):
        network.normalise(frames.mean(0), frames.std(0))


def begin(run: Run, settings: TrainSettings) -> None:
    """Take the running mean of `settings.begin`'s weights as the first ones; raises ModelError if they do not fit.

    Classes that it did not learn keep their rows of the layer of scores, as they were drawn.
    """
    checkpoint = (settings.cache or cache_folder()) / f"{settings.begin}.pt"
    if not checkpoint.is_file():
        raise ModelError(f"{checkpoint}: no checkpoint to begin from")
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    try:
        run.mean.load_state_dict(_widened(saved["mean"], run.mean.state_dict()))
    except (KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{checkpoint}: the checkpoint is of another network ({reason})") from error
    run.network.load_state_dict(run.mean.module.state_dict())
    run.mean.n_averaged.zero_()  # the mean itself begins anew


def _widened(saved: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
    heads = {name: saved[name] for name in ("module.scores.weight", "module.scores.bias")}
    return {**saved, **{name: torch.cat((rows, drawn[name][len(rows) :])) for name, rows in heads.items()}}


def averaged(run: Run) -> Network:
    """The network with the running mean of the weights, ready to score."""
    network = run.mean.module
    assert isinstance(network, Network)  # noqa: S101 - AveragedModel copies what it is given
    return network.eval()


def checkpoint_path(settings: TrainSettings) -> Path:
    """The checkpoint of these settings; runs that write a file of the same name share it."""
    return (settings.cache or cache_folder()) / f"{settings.out.stem}.pt"


def save(run: Run, settings: TrainSettings) -> None:
    """Write the checkpoint, whole or not at all."""
    path = checkpoint_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save({**state(run), "labels": len(settings.scored)}, part)
    part.replace(path)


def state(run: Run) -> dict[str, Any]:
    """All that `take` needs to go on as this run would."""
    return {
        "network": run.network.state_dict(),
        "mean": run.mean.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "chance": run.chance.get_state(),
        "dropping": torch.get_rng_state(),
        "recalled": run.recalled,
        "scaler": run.device.scaler.state_dict(),
        "stopping": run.stopping.state(),
        "step": run.step,
        "elapsed": run.elapsed,
    }


def restore(run: Run, settings: TrainSettings) -> None:
    """Go on from the checkpoint of these settings; raises ModelError if there is none that fits."""
    path = checkpoint_path(settings)
    if not path.is_file():
        raise ModelError(f"{path}: no checkpoint to resume from; start without --resume")
    saved = torch.load(path, weights_only=True, map_location="cpu")
    try:
        take(run, saved)
    except (KeyError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path}: the checkpoint is of another network ({reason}); start without --resume") from error


def take(run: Run, saved: Mapping[str, Any]) -> None:
    """Go on from what `state` gave; raises KeyError, RuntimeError or ValueError if it is of another network."""
    run.network.load_state_dict(saved["network"])
    run.mean.load_state_dict(saved["mean"])
    run.optimiser.load_state_dict(saved["optimiser"])
    run.device.load(saved.get("scaler", {}))  # older checkpoints have neither
    run.stopping.load(saved.get("stopping", {}))
    run.chance.set_state(saved["chance"])
    torch.set_rng_state(saved.get("dropping", torch.get_rng_state()))
    recalled = saved.get("recalled")
    run.recalled = None if recalled is None else run.device.take(recalled)
    run.step, run.elapsed = saved["step"], saved["elapsed"]
