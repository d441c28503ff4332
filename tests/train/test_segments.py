"""The loss of whole seconds, beside a slow reference."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sed.train.segments import segment_loss


def slow(logits: Tensor, target: Tensor, weight: Tensor, rows: int) -> float:
    total = shares = 0.0
    for scene in range(logits.shape[0]):
        for label in range(logits.shape[2]):
            for first in range(0, logits.shape[1] - rows + 1, rows // 2):
                cut = [
                    (float(logits[scene, n, label]), float(target[scene, n, label]), float(weight[scene, n, label]))
                    for n in range(first, first + rows)
                ]
                filled = sum(t for _, t, _ in cut) / rows
                there = filled >= 0.25 or (filled > 0 and cut[0][1] == cut[-1][1] == 0.0)
                if filled > 0 and not there:
                    continue
                share = max(w for _, t, w in cut if t > 0) if there else min(w for *_, w in cut)
                score = 1.0 / (1.0 + math.exp(-max(z for z, *_ in cut)))
                total -= share * math.log(score if there else 1.0 - score)
                shares += share
    return total / max(1.0, shares)


@given(seed=st.integers(0, 1000), rows=st.integers(2, 9), length=st.integers(9, 30))
def test_it_agrees_with_the_slow_one(seed: int, rows: int, length: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, length, 3, generator=chance) * 3.0
    target = (torch.rand(2, length, 3, generator=chance) < 0.1).float()
    weight = torch.rand(2, length, 3, generator=chance)
    found = float(segment_loss(logits, target, weight, rows))
    assert found == pytest.approx(slow(logits, target, weight, rows), rel=1e-4)


def test_one_high_row_costs_as_much_as_many() -> None:
    quiet = torch.full((1, 24, 1), -8.0)
    one, all_ = quiet.clone(), torch.full((1, 24, 1), 4.0)
    one[0, 5] = 4.0
    zero, full = torch.zeros(1, 24, 1), torch.ones(1, 24, 1)
    assert float(segment_loss(one, zero, full)) == pytest.approx(float(segment_loss(all_, zero, full)))
    assert float(segment_loss(quiet, zero, full)) < 0.001


def test_a_second_that_an_event_only_touches_counts_nothing() -> None:
    target = torch.zeros(1, 48, 1)
    target[0, 22:46] = 1.0  # the first segment has two of its rows, the second twelve
    logits, weight = torch.full((1, 48, 1), -8.0), torch.ones(1, 48, 1)
    wrong_first = logits.clone()
    wrong_first[0, :12] = 8.0
    assert float(segment_loss(logits, target, weight)) == float(segment_loss(wrong_first, target, weight)) > 4.0


def test_doubtful_seconds_prove_little() -> None:
    logits, zero, weight = torch.full((1, 24, 1), 4.0), torch.zeros(1, 24, 1), torch.ones(1, 24, 1)
    weight[0, 3:6] = 0.0
    assert float(segment_loss(logits, zero, weight)) == 0.0


def test_scenes_shorter_than_a_segment_are_one() -> None:
    logits, target = torch.zeros(1, 5, 1), torch.ones(1, 5, 1)
    assert float(segment_loss(logits, target, target)) == pytest.approx(math.log(2.0))
