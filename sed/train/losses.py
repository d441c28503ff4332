"""What is learnt to be small: losses of logits, target and weight, each (scenes, rows, labels); the last two 0 to 1."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]

Total = Callable[[Tensor], Tensor]
"""What the weights of a batch, or of one process's share of it, amount to."""


def whole(weight: Tensor) -> Tensor:
    """The total of a batch that one process has all of."""
    return weight.sum().clamp(min=1.0)


def bce(logits: Tensor, target: Tensor, weight: Tensor, total: Total = whole) -> Tensor:
    """Mean binary cross-entropy over all rows and labels, each counting by its weight."""
    return (_cross_entropy(logits, target) * weight).sum() / total(weight)


def focal(logits: Tensor, target: Tensor, weight: Tensor, gamma: float = 2.0, total: Total = whole) -> Tensor:
    """`bce`, in which a row counts the less the better it is known: by (1 - p)^gamma; Lin et al. 2017, without alpha.

    p is the probability given to what the target says; for a target between 0 and 1, 1 - p is their distance, as in
    Li et al. 2020. A `gamma` of 0 is `bce`.
    """
    wrong = (target - logits.float().sigmoid()).abs().clamp(min=1e-8)  # no slope without bound where gamma < 1
    return (wrong**gamma * _cross_entropy(logits, target) * weight).sum() / total(weight)


LOSSES: Final[Mapping[str, Callable[..., Tensor]]] = {"bce": bce, "focal": focal}
"""What can be asked for, by name."""


def loss_of(name: str, gamma: float, total: Total = whole) -> Loss:
    """The loss of that name; `gamma` is the focal one's."""
    return partial(focal, gamma=gamma, total=total) if name == "focal" else partial(LOSSES[name], total=total)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
