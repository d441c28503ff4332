"""Early stop on losses written by hand: when it is over, whose weights it gives, and that a kill loses neither."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sed.train.stopping import Stopping

LOSSES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


def network(value: float) -> nn.Module:
    """One weight, and batch norm's counters as any network has them."""
    made = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(made.get_parameter("0.weight"), value)
    return made


def weight(of: nn.Module) -> float:
    return float(of.state_dict()["0.weight"])


def checked(patience: int | None, losses: list[float]) -> Stopping:
    """After checks at steps 10, 20, ..., of networks whose weight is the step."""
    stopping = Stopping(patience)
    for step, loss in enumerate(losses, 1):
        stopping.check(loss, 10 * step, network(10.0 * step))
    return stopping


@pytest.mark.parametrize(
    ("losses", "over", "best"),
    [
        ([0.5], False, 10),
        ([0.5, 0.6], False, 10),
        ([0.5, 0.6, 0.5], True, 10),  # as good is no better
        ([0.5, 0.6, 0.4], False, 30),  # one better check starts the count again
        ([0.5, 0.6, 0.4, 0.45, 0.41], True, 30),
        ([0.5, math.nan, math.inf], True, 10),
    ],
)
def test_two_checks_in_vain_are_enough(losses: list[float], over: bool, best: int) -> None:
    stopping = checked(2, losses)
    given = network(0.0)
    stopping.give(given)
    assert (stopping.over, stopping.step, weight(given)) == (over, best, best)


def test_without_patience_it_never_ends_and_keeps_nothing() -> None:
    stopping = checked(None, [0.1, 0.9, 0.9, 0.9])
    last = network(7.0)
    stopping.give(last)
    assert not stopping.over
    assert weight(last) == 7.0
    assert stopping.state()["weights"] == {}


def test_the_best_weights_do_not_change_with_the_network() -> None:
    stopping, learning = Stopping(3), network(1.0)
    stopping.check(0.5, 10, learning)
    nn.init.constant_(learning.get_parameter("0.weight"), 9.0)
    stopping.give(learning)
    assert weight(learning) == 1.0


@given(LOSSES, LOSSES, st.integers(1, 4))
def test_a_kill_changes_nothing(before: list[float], after: list[float], patience: int) -> None:
    through, killed = checked(patience, before), checked(patience, before)
    again = Stopping(patience)
    again.load(killed.state())
    for step, loss in enumerate(after, 100):
        through.check(loss, step, network(step))
        again.check(loss, step, network(step))
    one, two = network(0.0), network(0.0)
    through.give(one)
    again.give(two)
    assert (through.over, through.loss, through.step, weight(one)) == (again.over, again.loss, again.step, weight(two))
    assert through.loss == min(before + after)


def test_it_travels_in_a_checkpoint(tmp_path: Path) -> None:
    torch.save({"stopping": checked(2, [0.5, 0.6]).state()}, tmp_path / "run.pt")
    again = Stopping(2)
    again.load(torch.load(tmp_path / "run.pt", weights_only=True)["stopping"])
    found = network(0.0)
    again.give(found)
    assert (again.loss, again.step, weight(found)) == (0.5, 10, 10.0)
    again.load({})  # from before there was early stop
    assert again.step == 10
