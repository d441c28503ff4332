"""Training batches: scenes mixed in a worker process, their log-mel frames, and the rows to be learnt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from sed.frontend import log_mel
from sed.metadata import FrontendSettings
from sed.signals import Floats
from sed.train.marks import Mark
from sed.train.scenes import Mixer

Item = tuple[Tensor, Tensor, Tensor]
"""frames (n, mels) dB, targets (n / stride, labels) 0 to 1, weights (n / stride, labels)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How frames and rows of scores lie on the samples."""

    frontend: FrontendSettings
    labels: tuple[str, ...]
    stride: int
    look_ahead: int  # rows by which the network's output lags
    seconds: float

    @property
    def rows(self) -> int:
        """Rows of scores in a scene."""
        return round(self.seconds * self.frontend.sample_rate / (self.frontend.hop * self.stride))

    @property
    def samples(self) -> int:
        """Samples of a scene: just enough for all its frames."""
        return (self.rows * self.stride - 1) * self.frontend.hop + self.frontend.window


class Scenes(Dataset[Item]):
    """Scene i of a seed, ready to learn from; made anew at every access, the same every time."""

    def __init__(self, mixer: Mixer, grid: Grid, seed: int, first: int, count: int) -> None:
        """Scenes `first` to `first + count` of the seed."""
        self._mixer, self._grid, self._seed, self._first, self._count = mixer, grid, seed, first, count

    def __len__(self) -> int:
        """How many scenes there are."""
        return self._count

    def __getitem__(self, index: int) -> Item:
        """The frames, targets and weights of one scene."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        grid = self._grid
        scene = self._mixer.scene((self._seed, self._first + index), grid.samples)
        target, weight = rows((*scene.events, *scene.extras), scene.doubts, grid)
        frames = log_mel(scene.samples, grid.frontend)
        return torch.from_numpy(frames), torch.from_numpy(target), torch.from_numpy(weight)


def rows(events: Sequence[Mark], doubts: Sequence[Mark], grid: Grid) -> tuple[Floats, Floats]:
    """What each row of the network's output should say, and how much it counts, both (rows, labels).

    Output row j speaks of samples (j - look_ahead) * hop to (j - look_ahead + 1) * hop; the first rows count nothing.
    A row is 1 when the event fills a quarter of it or more.
    """
    hop = grid.stride * grid.frontend.hop
    target = np.zeros((grid.rows, len(grid.labels)), np.float32)
    weight = np.ones_like(target)
    weight[: grid.look_ahead] = 0.0
    for mark in doubts:
        first, last = mark.onset // hop + grid.look_ahead, -(-mark.offset // hop) + grid.look_ahead
        doubtful = weight[first:last, grid.labels.index(mark.label)]
        np.minimum(doubtful, mark.certainty, out=doubtful)
    for mark in events:
        first = (mark.onset + hop // 4) // hop + grid.look_ahead
        last = max(first + 1, (mark.offset + 3 * hop // 4) // hop + grid.look_ahead)
        column = grid.labels.index(mark.label)
        target[first:last, column] = 1.0
        weight[first:last, column] = np.minimum(1.0, weight[first:last, column] + 1.0)
    return target, weight


def loader(scenes: Scenes, batch: int, workers: int, whole: bool = True) -> Iterator[Item]:
    """Batches of `scenes` in order, mixed ahead of time by `workers` processes; only `whole` ones, or the rest too."""
    return iter(DataLoader(scenes, batch, num_workers=workers, drop_last=whole, prefetch_factor=6 if workers else None))
