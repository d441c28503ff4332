"""Simple clip classifiers, trained on the same clips: what a first attempt at this would be."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from sed.signals import Floats
from sed.train.clips import weights
from sed.train.clipset import COEFFICIENTS, FRAMES, SETTINGS, Examples
from sed.train.device import device_of

BATCH = 48
LEARNING_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Baseline:
    """A classifier still to be trained."""

    name: str
    takes: Literal["mfcc", "mel"]
    make: Callable[[int], nn.Module]  # from the number of classes
    steps: int


def dense(classes: int) -> nn.Module:
    """Three dense layers on the mean of 40 MFCCs."""
    widths, layers = (COEFFICIENTS, 100, 200, 100), list[nn.Module]()
    for given, made in itertools.pairwise(widths):
        layers += [nn.Linear(given, made), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], classes))


def two_blocks(classes: int) -> nn.Module:
    """Two convolutions with pooling, and two dense layers on what is left of the picture."""
    return nn.Sequential(
        *_block(1, 16, 4), *_block(16, 32, 4), nn.Flatten(),
        nn.Linear(32 * (FRAMES // 16) * (SETTINGS.mels // 16), 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, classes),
    )  # fmt: skip


def four_blocks(classes: int) -> nn.Module:
    """Four convolutions with batch norm and pooling; what is left is averaged over time and pitch."""
    widths, layers = (1, 16, 32, 64, 64), list[nn.Module]()
    for given, made in itertools.pairwise(widths):
        layers += [nn.Conv2d(given, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, classes))


BASELINES = (
    Baseline("40-MFCC mean, 3 dense layers", "mfcc", dense, 3_000),
    Baseline("CNN of 2 blocks, 4 s log-mel", "mel", two_blocks, 400),
    Baseline("CNN of 4 blocks, batch norm", "mel", four_blocks, 400),
)


def train(baseline: Baseline, examples: Examples, labels: int, seed: int) -> Callable[[Examples], Floats]:
    """Learn from batches that hold every class alike; returns what scores clips, (clips, labels) in [0, 1]."""
    torch.set_num_threads(1)
    device = device_of("cpu", mixed=True)
    values = _values(baseline, examples)
    mean, spread = values.flatten(0, -2).mean(dim=0), values.flatten(0, -2).std(dim=0).clamp(min=1e-3)
    chance = np.random.default_rng(seed)
    shares = _shares(examples, labels + 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = baseline.make(labels + 1)
        optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, baseline.steps)
        network.train()
        for _ in range(baseline.steps):
            drawn = chance.choice(len(shares), BATCH, p=shares)
            with device.autocast():
                logits = network(_given(values[drawn], mean, spread))
            loss = nn.functional.cross_entropy(logits.float(), torch.from_numpy(examples.classes[drawn]))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    network.eval()
    return lambda clips: _scores(network, _given(_values(baseline, clips), mean, spread))[:, :labels]


def _values(baseline: Baseline, examples: Examples) -> Tensor:
    return torch.from_numpy(examples.mfcc if baseline.takes == "mfcc" else examples.mel.astype(np.float32))


def _given(values: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    """Normalised by column; pictures get a channel, in the order in which convolutions are fastest."""
    normal = (values - mean) / spread
    return normal.unsqueeze(1).to(memory_format=torch.channels_last) if normal.dim() == 3 else normal


def _shares(examples: Examples, classes: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How often each clip is drawn: every class alike, and in it by group and trust."""
    shares = np.zeros(len(examples.clips))
    for number in range(classes):
        own = np.flatnonzero(examples.classes == number)
        if len(own):
            shares[own] = weights([examples.clips[n] for n in own])
    return np.asarray(shares / shares.sum(), np.float64)


def _scores(network: nn.Module, values: Tensor) -> Floats:
    with torch.no_grad():
        parts = [torch.softmax(network(part), dim=1) for part in torch.split(values, BATCH)]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def _block(given: int, made: int, pool: int) -> Sequence[nn.Module]:
    return (nn.Conv2d(given, made, 3, padding=1), nn.ReLU(), nn.MaxPool2d(pool))
