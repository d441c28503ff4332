"""Learning from one batch: forward in the device's precision, the loss, one step down, and the running mean."""

from typing import Final

import torch
from torch import Tensor, nn

from sed.train.batches import Item
from sed.train.brevity import brevity
from sed.train.device import Device
from sed.train.distributed import ALONE, Ranks
from sed.train.finetune import still
from sed.train.losses import bce, loss_of
from sed.train.network import Network
from sed.train.run import Run
from sed.train.segments import segment_loss
from sed.train.settings import TrainSettings

GOES_ON: Final = 0.5
"""The share of scenes that begin in the state in which the scene before ended, as a stream does."""


class Learner:
    """Teaches a run's network batch by batch; the run holds the state of the network from each to the next.

    Each of `ranks` varies the whole batch, by the same chance, and learns from its share.
    """

    def __init__(self, run: Run, settings: TrainSettings, ranks: Ranks = ALONE) -> None:
        self._run, self._settings, self._ranks = run, settings, ranks
        ranks.prepare(run.network, still=settings.finetune is not None)
        self._network: nn.Module | None = None
        self._learns: list[bool] = []
        self._loss = loss_of(settings.loss, settings.focal_gamma, ranks.total)

    def step(self, batch: Item, rate: float) -> float:
        """Vary the batch, learn from it at this rate, and return the loss before; the run counts the step."""
        run, device = self._run, self._run.device
        for group in run.optimiser.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        varied = self._settings.changing.vary(batch, self._settings.look_ahead, run.chance)
        begun = self._begun(len(varied[0]))
        frames, target, weight = device.take(self._ranks.share(varied))
        run.network.train()
        if self._settings.finetune:
            still(run.network)
        with device.autocast():
            logits, *state = self._shared()(frames, *begun)
        loss = self._of(logits, target, run.teacher.spared(weight) if run.teacher else weight)
        if run.teacher and self._settings.front:
            loss = loss + run.teacher.loss(frames, logits, device)
        device.descend(loss, run.network, run.optimiser)
        if self._ranks.first:
            run.mean.update_parameters(run.network)
        run.recalled = [part.detach().float().clone() for part in state]  # not the whole batch's frames with them
        run.step += 1
        run.losses.append(float(self._ranks.mean(loss.detach())))
        return run.losses[-1]

    def _shared(self) -> nn.Module:
        """The network, wrapped anew when other layers learn than before: DDP sees what does when it is made."""
        learns = [part.requires_grad for part in self._run.network.parameters()]
        if self._network is None or learns != self._learns:
            self._network, self._learns = None, learns
            self._network = self._ranks.wrapped(self._run.network)
        return self._network

    def _begun(self, scenes: int) -> list[Tensor]:
        """The state in which each scene of a share begins: nothing heard yet, or the end of the scene before."""
        fresh = self._run.device.take(self._run.network.initial(scenes // self._ranks.count))
        if self._run.recalled is None:
            return fresh
        chosen = torch.rand(scenes, generator=self._run.chance) < GOES_ON
        (goes_on,) = self._run.device.take(self._ranks.share([chosen]))
        return [
            torch.where(goes_on.view(-1, *[1] * (new.dim() - 1)), old, new)
            for old, new in zip(self._run.recalled, fresh, strict=True)
        ]

    def _of(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        weight = weight * importance(self._settings).to(weight.device)
        if self._settings.brief:
            labels = len(self._settings.labels)
            brief = brevity(target[..., :labels], self._settings.brief)
            weight = torch.cat((weight[..., :labels] * brief, weight[..., labels:]), dim=2)
        loss = self._loss(logits, target, weight)
        if self._settings.segments:
            loss = loss + self._settings.segments * segment_loss(logits, target, weight, total=self._ranks.total)
        return loss


def importance(settings: TrainSettings) -> Tensor:
    """How much each class that is learnt counts in the loss, (classes,)."""
    shares = (
        (1.0, settings.labels),
        (settings.extra_weight, settings.extra),
        (settings.auxiliary_weight, settings.auxiliary),
    )
    return torch.tensor([share for share, classes in shares for _ in classes])


def check(network: Network, device: Device, items: list[Item], labels: int) -> float:
    """The mean cross-entropy of the first `labels` on scenes that are not learnt from, whatever is learnt by."""
    found: list[float] = []
    with torch.no_grad():
        for item in items:
            frames, target, weight, *state = device.take((*item, *network.initial(len(item[0]))))
            logits = network(frames, *state)[0]
            logits, target, weight = (part[..., :labels] for part in (logits, target, weight))
            found.append(float(bce(logits, target, weight)))
    return sum(found) / max(1, len(found))
