"""The learning-rate finder on losses whose answer is known, and on a small regression that is really learnt."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sed.errors import EarwitnessError, SinkError, UsageError
from sed.train.finder import DIVERGED, REACH, Found, check_picture, find_rate, smooth, write


def logistic(rate: float) -> float:
    """Falls from 1 to 0.2, fastest at a rate of 1e-3, and soars from 0.1 on."""
    return 1.0 - 0.8 / (1.0 + math.pow(1e-3 / rate, 1.5)) + (rate / 0.1) ** 4


def test_the_steepest_fall_is_found() -> None:
    found = find_rate(logistic)
    assert found.steepest == pytest.approx(1e-3, rel=0.2)
    assert found.suggestion == found.steepest
    assert found.diverged
    assert 0.05 < found.rates[-1] < 0.3
    assert found.verdict.startswith("learning_rate = ")
    assert found.verdict.endswith("where the loss falls fastest")


def test_at_most_a_tenth_of_where_it_diverges() -> None:
    found = find_rate(lambda rate: 1.0 - 0.5 / (1.0 + (rate / 0.03) ** -2) if rate < 0.1 else 10.0)
    assert found.suggestion == found.rates[-1] / 10.0 == pytest.approx(0.01, rel=0.5)
    assert "a tenth of" in found.verdict


def test_a_loss_that_only_rises_gives_a_tenth() -> None:
    found = find_rate(lambda rate: 1.0 + rate * 100.0)
    assert found.steepest is None
    assert found.suggestion == found.rates[-1] / 10.0


def test_a_loss_that_does_nothing_gives_none() -> None:
    found = find_rate(lambda rate: 1.0, trials=20)
    assert found.suggestion is None
    assert not found.diverged
    assert found.verdict.startswith("no suggestion: from 1.0e-06 to 1.0e+00")


def test_what_is_no_number_ends_the_run() -> None:
    found = find_rate(lambda rate: logistic(rate) if rate < 1e-2 else math.nan)
    assert found.diverged
    assert found.rates[-1] < 1e-2
    assert len(found.rates) == len(found.losses)
    with pytest.raises(EarwitnessError, match="not a number even before a step"):
        find_rate(lambda rate: math.inf)


def test_rates_grow_by_one_factor() -> None:
    rates = np.array(find_rate(lambda rate: 1.0, 31, 1e-4, 1e-1).rates)
    assert (rates[0], rates[-1]) == pytest.approx((1e-4, 1e-1))
    np.testing.assert_allclose(rates[1:] / rates[:-1], 10.0**0.1)


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=40))
def test_smoothing_is_a_weighted_mean_of_the_neighbours(losses: list[float]) -> None:
    weights = [0.5 + 0.5 * math.cos(math.pi * n / (REACH + 1)) for n in range(REACH + 1)]
    for here, found in enumerate(smooth(losses)):
        near = [(weights[abs(n - here)], loss) for n, loss in enumerate(losses) if abs(n - here) <= REACH]
        assert found == pytest.approx(sum(w * loss for w, loss in near) / sum(w for w, _ in near))


def test_a_learner_does_well_at_the_suggestion() -> None:
    """At the suggestion ten steps of descent do much; at ten times where it diverged they blow up."""
    found = find_rate(Step(), low=1e-4, high=1e2)
    assert found.diverged
    assert found.suggestion is not None
    assert after(10, found.suggestion) < 0.8 * after(10, found.rates[0])
    assert after(10, 10.0 * found.rates[-1]) > DIVERGED


class Step:
    """Linear regression by gradient descent on fresh batches."""

    def __init__(self) -> None:
        self.chance = torch.Generator().manual_seed(0)
        self.weights = torch.zeros(4, requires_grad=True)

    def __call__(self, rate: float) -> float:
        x = torch.randn(32, 4, generator=self.chance)
        loss = ((x @ self.weights - x.sum(1)) ** 2).mean()
        (slope,) = torch.autograd.grad(loss, self.weights)
        with torch.no_grad():
            self.weights -= rate * slope
        return float(loss.detach())


def after(steps: int, rate: float) -> float:
    step = Step()
    return [step(rate) for _ in range(steps)][-1]


def test_a_picture_and_its_numbers_are_written(tmp_path: Path) -> None:
    found = find_rate(logistic)
    write(found, tmp_path / "new" / "rate.png")
    assert (tmp_path / "new" / "rate.png").read_bytes().startswith(b"\x89PNG")
    header, *rows = (tmp_path / "new" / "rate.tsv").read_text().splitlines()
    assert header == "rate\tloss\tsmoothed"
    assert len(rows) == len(found.rates)
    assert [float(cell) for cell in rows[0].split("\t")] == pytest.approx([1e-6, logistic(1e-6), 1.0], rel=1e-3)
    write(Found((1e-6,), (1.0,), diverged=False), tmp_path / "none.svg")
    assert "no suggestion" in (tmp_path / "none.svg").read_text()


def test_where_no_picture_can_go_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--find-rate rate\.txt: need a name that ends in \.png"):
        check_picture(Path("rate.txt"))
    check_picture(Path("rate.PDF"))
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be written"):
        write(find_rate(logistic), tmp_path / "file" / "rate.png")
