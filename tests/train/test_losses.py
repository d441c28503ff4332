"""The losses against a slow reference that takes one row at a time, in float64."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from sed.train.losses import LOSSES, bce, focal, loss_of


def batch(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    chance = torch.Generator().manual_seed(seed)
    logits = 6.0 * torch.randn(3, 7, 2, generator=chance)
    target = (torch.rand(3, 7, 2, generator=chance) < 0.4).float()
    return logits, target, torch.rand(3, 7, 2, generator=chance)


def slow(logits: Tensor, target: Tensor, weight: Tensor, gamma: float) -> float:
    """As in Lin et al. 2017, equation 4: -(1 - p_t)^gamma log p_t, weighted."""
    total = 0.0
    for z, y, w in rows(logits, target, weight):
        p = 1.0 / (1.0 + math.exp(-z))
        p_t = p if y == 1.0 else 1.0 - p
        total += w * (1.0 - p_t) ** gamma * -math.log(p_t)
    return total / float(weight.double().sum())


def rows(*parts: Tensor) -> Iterator[tuple[float, ...]]:
    return zip(*(part.double().flatten().tolist() for part in parts), strict=True)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_is_the_papers(gamma: float) -> None:
    for seed in range(5):
        assert float(focal(*batch(seed), gamma)) == pytest.approx(slow(*batch(seed), gamma), rel=1e-4)


def test_bce_is_the_sum_of_the_logarithms() -> None:
    for seed in range(5):
        assert float(bce(*batch(seed))) == pytest.approx(slow(*batch(seed), 0.0), rel=1e-5)


def test_a_gamma_of_zero_is_bce() -> None:
    assert torch.equal(focal(*batch(0), 0.0), bce(*batch(0)))
    assert torch.equal(loss_of("focal", 0.0)(*batch(0)), loss_of("bce", 2.0)(*batch(0)))


def test_focal_gives_less_to_what_is_known() -> None:
    known, unknown = torch.tensor([[[4.0]]]), torch.tensor([[[-4.0]]])
    ones = torch.ones(1, 1, 1)
    assert float(focal(known, ones, ones)) < 0.001 * float(bce(known, ones, ones))
    assert float(focal(unknown, ones, ones)) > 0.95 * float(bce(unknown, ones, ones))


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_slope_is_bounded_however_sure_the_network_is(name: str, gamma: float) -> None:
    logits = torch.tensor([[[-200.0], [-30.0], [0.0], [30.0], [200.0]]], requires_grad=True)
    for target in (torch.zeros(1, 5, 1), torch.ones(1, 5, 1), torch.full((1, 5, 1), 0.5)):
        (slope,) = torch.autograd.grad(loss_of(name, gamma)(logits, target, torch.ones(1, 5, 1)), logits)
        assert bool((slope.abs() <= 1.0).all()), slope


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_rows_of_no_weight_do_not_count(name: str) -> None:
    logits, target = torch.tensor([[[5.0], [-5.0]]]), torch.zeros(1, 2, 1)
    full = LOSSES[name](logits, target, torch.ones(1, 2, 1))
    assert float(LOSSES[name](logits, target, torch.tensor([[[0.0], [1.0]]]))) < 0.01 < float(full)
    assert float(LOSSES[name](logits, target, torch.zeros(1, 2, 1))) == 0.0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_are_summed_in_float(dtype: torch.dtype) -> None:
    logits, target, weight = batch(0)
    for loss in LOSSES.values():
        found = loss(logits.to(dtype), target, weight)
        assert found.dtype == torch.float32
        assert float(found) == pytest.approx(float(loss(logits, target, weight)), rel=0.02)
