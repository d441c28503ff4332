"""The watchdog's question, answered for ears that hear, end, hang and break."""

from dataclasses import dataclass

import pytest

from sed.flow import Flow
from sed.signals import State


@dataclass
class Ear:
    state: State = "hearing"
    heard: int = 0
    broken: bool = False


def answers(ears: list[Ear], seconds: float, *moving: Ear, flow: Flow | None = None, at: float = 0.0) -> list[bool]:
    """What is said at every tenth of a second while sound moves through some ears."""
    flow = flow or Flow(ears, at)
    found = []
    for tick in range(round(seconds * 10)):
        for ear in moving:
            ear.heard += 1600
        found.append(flow.goes_on(at + 0.1 * tick))
    return found


def test_sound_that_flows() -> None:
    ears = [Ear(), Ear()]
    assert all(answers(ears, 20.0, *ears))


def test_no_sound_at_all() -> None:
    assert not any(answers([Ear(), Ear("lost")], 20.0))


@pytest.mark.parametrize("state", ["lost", "stopped"])
def test_one_that_is_lost_and_says_so_is_not_waited_for(state: State) -> None:
    ears = [Ear(), Ear(state)]
    assert all(answers(ears, 20.0, ears[0]))


@pytest.mark.parametrize("state", ["hearing", "silent"])
def test_one_that_hangs_although_its_source_hears_is_seen_after_five_seconds(state: State) -> None:
    ears = [Ear(), Ear(state)]
    found = answers(ears, 20.0, ears[0])
    assert 3.9 <= 0.1 * found.index(False) <= 5.1
    assert not any(found[found.index(False) :])


def test_one_that_is_broken() -> None:
    ears = [Ear(), Ear("stopped", broken=True)]
    assert not any(answers(ears, 5.0, ears[0]))


def test_one_that_comes_back_has_its_time() -> None:
    ears = [Ear(), Ear("lost")]
    flow = Flow(ears, 0.0)
    assert all(answers(ears, 60.0, ears[0], flow=flow))
    ears[1].state = "hearing"
    assert all(answers(ears, 3.0, ears[0], flow=flow, at=60.0))
    assert all(answers(ears, 30.0, *ears, flow=flow, at=63.0))
