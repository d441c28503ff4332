"""Dilated convolutions: what the formula says, as far back as they claim, in any chunking, and able to learn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sed.signals import Floats
from sed.train import fit
from sed.train.network import Crnn
from sed.train.settings import TrainSettings
from sed.train.tcn import Tcn

ROWS = 150  # more than are remembered


def network(units: int = 16, blocks: int = 4) -> Tcn:
    """Random weights; the statistics are not those that every network begins with."""
    torch.manual_seed(5)
    made = Tcn(64, 2, units, blocks=blocks)
    for norm in made.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            for around_zero, around_one in ((norm.running_mean, norm.running_var), (norm.bias, norm.weight)):
                nn.init.uniform_(around_zero, -0.5, 0.5)
                nn.init.uniform_(around_one, 0.5, 1.5)
    return made.eval()


def rows(units: int = 16, count: int = ROWS) -> Tensor:
    """As the convolutions below would have made them."""
    return torch.rand(1, count, units, generator=torch.Generator().manual_seed(6))


def memory(made: Tcn) -> list[Tensor]:
    """The first state of the blocks."""
    return made.initial(1)[len(made.layers) :]


def test_the_scores_are_what_the_formula_says() -> None:
    made = network(blocks=4)
    with torch.no_grad():
        found = made.recall(rows(count=40), *memory(made))[0]
    weights = {name: part.double().numpy() for name, part in made.state_dict().items()}
    x = rows(count=40)[0].double().numpy()
    for block in range(4):
        x = x + by_hand(x, {n.removeprefix(f"blocks.{block}."): w for n, w in weights.items()}, 3**block)
    expected = x @ weights["scores.weight"].T + weights["scores.bias"]
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-5)


def by_hand(x: Floats, weights: dict[str, Floats], dilation: int) -> Floats:
    """One block's share of its output, row by row."""
    made = []
    for t in range(len(x)):
        three = [x[t - back] if t >= back else 0.0 * x[0] for back in (2 * dilation, dilation, 0)]
        heard = sum(weights["depthwise.weight"][:, 0, 0, k] * row for k, row in enumerate(three))
        active = np.maximum(normed(heard, weights, 0), 0.0)
        made.append(normed(weights["pointwise.weight"][:, :, 0, 0] @ active, weights, 1))
    return np.stack(made)


def normed(x: Floats, weights: dict[str, Floats], number: int) -> Floats:
    mean, variance, factor, offset = (
        weights[f"norms.{number}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return np.asarray((x - mean) / np.sqrt(variance + 1e-5) * factor + offset)


@settings(deadline=None, max_examples=15)
@given(sizes=st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_calls_longer_and_shorter_than_the_memory_give_the_same(sizes: list[int]) -> None:
    made = network()
    with torch.no_grad():
        whole = made.recall(rows(), *memory(made))
        state, parts = memory(made), []
        for piece in torch.tensor_split(rows(), edges(sizes), dim=1):
            logits, *state = made.recall(piece, *state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole[0], atol=1e-5, rtol=0)
    for ours, theirs in zip(state, whole[1:], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def edges(sizes: list[int]) -> list[int]:
    """Where to cut the rows, the last piece being what is left over."""
    return [edge for edge in np.cumsum(sizes).tolist() if edge < ROWS]


@pytest.mark.parametrize(("blocks", "reach"), [(1, 3), (3, 27), (4, 81)])
def test_a_score_hears_as_many_rows_as_the_network_says(blocks: int, reach: int) -> None:
    made = network(units=64, blocks=blocks)
    heard = rows(units=64).requires_grad_()
    made.recall(heard, *memory(made))[0][0, -1].sum().backward()  # type: ignore[no-untyped-call]
    assert heard.grad is not None
    felt = heard.grad[0].abs().sum(1) > 0.0
    assert made.reach == reach
    assert felt.tolist() == [False] * (ROWS - reach) + [True] * reach


def test_it_hears_more_than_three_seconds() -> None:
    assert 0.04 * Tcn(64, 3).reach >= 3.0


def test_it_remembers_twice_its_dilation_in_each_block() -> None:
    shapes = [tuple(part.shape) for part in Tcn(64, 3).initial(2)]
    assert shapes[:4] == [(2, 1, 2, 64), (2, 16, 2, 32), (2, 32, 2, 16), (2, 48, 2, 8)]
    assert shapes[4:] == [(2, 128, 1, 2 * dilation) for dilation in (1, 3, 9, 27)]


@pytest.mark.parametrize("units", [64, 128, 192])
def test_it_is_somewhat_smaller_than_the_crnn_of_its_width(units: int) -> None:
    """As large would cost half as much again: each block is several small steps to ONNX Runtime."""
    own, other = (sum(part.numel() for part in kind(64, 3, units).parameters()) for kind in (Tcn, Crnn))
    assert 0.75 * other < own < 0.95 * other


@pytest.mark.parametrize("blocks", [0, -1])
def test_no_blocks_are_refused(blocks: int) -> None:
    with pytest.raises(ValueError, match=f"blocks: need at least 1, got {blocks}"):
        Tcn(64, 3, blocks=blocks)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_thirty_steps_lower_the_loss(data: Path, cache: Path, tmp_path: Path, bfloat16: bool) -> None:
    given = TrainSettings(
        data=data, out=tmp_path / "tiny.onnx", cache=cache, network="tcn", units=16, bfloat16=bfloat16, steps=30,
        batch=8, scenes=8, seconds=3.0, workers=0, valid_scenes=6, seed=1,
    )  # fmt: skip
    run = fit.fit(given, fit.gather(given))
    assert isinstance(run.network, Tcn)
    assert sum(run.losses[-5:]) < 0.8 * sum(run.losses[:5])  # of the same eight scenes
