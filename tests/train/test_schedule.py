"""The schedules against their definitions: where they begin, peak and end, and that they turn once."""

import math

import pytest
import torch

from sed.train.schedule import SCHEDULES, WARM_UP, cosine, one_cycle


@pytest.mark.parametrize(("name", "peak"), [("one_cycle", 10), ("cosine", 5)])
def test_a_schedule_rises_to_one_and_falls(name: str, peak: int) -> None:
    rates = [SCHEDULES[name](step / 100) for step in range(101)]
    assert max(rates) == rates[peak] == 1.0
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert SCHEDULES[name](1.5) == rates[100]  # minutes can run over by a step


@pytest.mark.parametrize(("done", "rate"), [(0.0, 0.04), (0.05, 0.52), (0.55, 0.501), (1.0, 0.002)])
def test_one_cycle_halfway_up_and_down(done: float, rate: float) -> None:
    assert one_cycle(done) == pytest.approx(rate)


def test_one_cycle_is_torchs() -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    steps = 200  # torch's last step is steps - 1, and its peak lies on share * steps - 1
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1.0, total_steps=steps + 1, pct_start=21 / 201, div_factor=25.0, final_div_factor=20.0
    )
    for step in range(steps):
        assert one_cycle(step / steps) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        theirs.step()


def test_cosine_is_torchs_after_a_line() -> None:
    assert [cosine(share * WARM_UP) for share in (0.0, 0.25, 0.5)] == [0.0, 0.25, 0.5]
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 100)
    for step in range(101):
        assert cosine(WARM_UP + (1.0 - WARM_UP) * step / 100) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        theirs.step()
    assert math.isclose(cosine(1.0), 0.0, abs_tol=1e-15)
