"""What a model knew before it is fine-tuned: it teaches the labels of which there are no recordings."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from sed.train.device import Device
from sed.train.network import Network

WEIGHT: Final = 0.3
"""Of the teacher's loss beside that of the new labels."""


class Teacher:
    """A network that learns no more; its logits are what some labels' should stay. Li & Hoiem 2016.

    `columns` says for each of those labels, by its place in the new network, which place it has in the old one. Logits
    are matched, not scores (Hinton et al. 2015, section 2.1): where no recording reaches the threshold, the scores say
    nothing of how far above it a real event would have been.
    """

    def __init__(self, network: Network, columns: Mapping[int, int]) -> None:
        """`network` is where it computes, ready to score."""
        self._network, self._new, self._old = network, list(columns), list(columns.values())

    def spared(self, weight: Tensor) -> Tensor:
        """`weight` (scenes, rows, labels), nothing of the labels that are taught here."""
        weight = weight.clone()
        weight[..., self._new] = 0.0
        return weight

    def loss(self, frames: Tensor, logits: Tensor, device: Device) -> Tensor:
        """WEIGHT times the mean squared distance of `logits` (scenes, rows, labels) from what they were, a scalar."""
        with torch.no_grad(), device.autocast():
            before = self._network(frames, *device.take(self._network.initial(len(frames))))[0]
        apart = logits[..., self._new].float() - before[..., self._old].float()
        held: Tensor = WEIGHT * apart.square().mean()
        return held
