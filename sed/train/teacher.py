"""What a model knew before it is fine-tuned: it teaches the labels of which there are no recordings."""

from collections.abc import Mapping

import torch
from torch import Tensor

from sed.train.device import Device
from sed.train.network import Network


class Teacher:
    """A network that does not learn any more; its scores are what some labels should be. Li & Hoiem 2016.

    `columns` says for each of those labels, by its place in the new network, which place it has in the old one.
    """

    def __init__(self, network: Network, columns: Mapping[int, int]) -> None:
        """`network` is where it computes, ready to score."""
        self._network, self._new, self._old = network, list(columns), list(columns.values())

    def taught(self, frames: Tensor, target: Tensor, device: Device) -> Tensor:
        """`target` (scenes, rows, labels) with the old scores where they are what should be learnt."""
        if not self._new:
            return target
        with torch.no_grad(), device.autocast():
            logits = self._network(frames, *device.take(self._network.initial(len(frames))))[0]
        target = target.clone()
        target[..., self._new] = logits[..., self._old].float().sigmoid()
        return target
