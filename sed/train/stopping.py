"""Early stop: a run ends when the loss on valid has not fallen for a while, and its best weights are what it gives."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class Stopping:
    """The best of the checks of a run: its loss, its step and its weights; without `patience`, it keeps nothing.

    `patience` is how many checks in a row may be no better than the best one before `over` says so. All of it goes
    into the checkpoint by `state` and comes back by `load`, so that a run that was killed has lost no best weights.
    """

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self.loss, self.step, self._in_vain = math.inf, 0, 0
        self._weights: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether the run should end."""
        return self._patience is not None and self._in_vain >= self._patience

    def check(self, loss: float, step: int, network: nn.Module) -> None:
        """Take note of the loss of `network` on valid after `step`; one that is not a number is no better."""
        if self._patience is None:
            return
        if loss < self.loss:
            self.loss, self.step, self._in_vain = loss, step, 0
            self._weights = {name: part.detach().clone() for name, part in network.state_dict().items()}
        else:
            self._in_vain += 1

    def give(self, network: nn.Module) -> None:
        """Put the best weights into `network`; leave it as it is if none were kept."""
        if self._weights:
            network.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {"loss": self.loss, "step": self.step, "in_vain": self._in_vain, "weights": self._weights}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; without `patience` nothing is kept of it."""
        if self._patience is not None and state:
            self.loss, self.step, self._in_vain = state["loss"], state["step"], state["in_vain"]
            self._weights = dict(state["weights"])
