"""What a person sees, drawn on a console that remembers."""

from dataclasses import dataclass, field

import pytest
from rich.console import Console

from sed.broadcast.bulletin import Bulletin
from sed.listen.scene import Scene
from sed.listen.view import drawn
from tests.listen.told import HELLO, STATE, scores, told
from tests.messages import message


@dataclass
class Link:
    """What the view asks a subscriber for."""

    lost: dict[tuple[str, str], int] = field(default_factory=dict)
    strange: int = 0
    trouble: str = ""


def lines(*bulletins: Bulletin, link: Link | None = None) -> list[str]:
    scene = Scene()
    for bulletin in bulletins:
        scene.take(bulletin)
    console = Console(record=True, width=120, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with console.file:
        console.print(drawn(scene, link or Link()))
    return [line.rstrip() for line in console.export_text().splitlines()]


LIVE = (
    told("hello", HELLO),
    told("state", STATE),
    told("level", {"level_dbfs": -45.0}),
    scores([1.0, 0.5, 0.25]),
)


def test_level_scores_and_thresholds() -> None:
    found = lines(*LIVE)
    assert found[0] == f"gate/yard  {'█' * 20}{' ' * 20}   -45.0 dBFS  hearing"
    assert found[1] == f"  siren             {'█' * 24}│{'█' * 15}  1.00 of 0.60"
    assert found[2] == f"  gun_shot          {'█' * 20}{' ' * 10}│{' ' * 9}  0.50 of 0.75"
    assert found[3] == f"  music             {'█' * 10}{' ' * 10}│{' ' * 19}  0.25 of 0.50, not told"
    assert len(found) == 4


def test_those_that_alert_come_before_the_highest_of_the_others_in_the_models_order() -> None:
    labels = ["a", "b", "c", "d", "e", "f", "g"]
    hello = HELLO | {"labels": labels, "on": [0.5] * 7, "alert": [False] * 5 + [True] * 2}
    found = lines(told("hello", hello), scores([0.1, 0.9, 0.3, 0.8, 0.2, 0.0, 0.0]))
    assert [line.split()[0] for line in found[1:]] == ["b", "c", "d", "f", "g"]


def test_scores_without_labels_wait_for_them() -> None:
    assert len(lines(scores([0.5, 0.5]))) == 1


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -3.0, 7.0])
def test_scores_that_cannot_be_are_shown_all_the_same(score: float) -> None:
    (line,) = (line for line in lines(told("hello", HELLO), scores([score, 0.0, 0.0])) if "siren" in line)
    assert line.endswith(f"{score:.2f} of 0.60")


def test_events_losses_and_states() -> None:
    link = Link(lost={("gate", "scores/yard"): 3, ("gate", "level/yard"): 1, ("gate", "level/street"): 9}, strange=2)
    lost = told("state", STATE | {"state": "lost", "dropped_samples": 160})
    found = lines(*LIVE, lost, told("event", message()), link=link)
    assert found[0].endswith("-120.0 dBFS  lost  4 messages lost, 160 samples lost")
    assert found[4] == "last events"
    assert found[5].endswith("gate/yard  siren        begins          score 0.90   -23.1 dBFS")
    assert found[6] == "2 messages that make no sense: is the publisher of another version?"


def test_when_nothing_comes_it_says_why() -> None:
    assert lines() == ["connecting"]
    assert lines(link=Link(trouble="no publisher")) == ["no publisher"]


def test_nothing_that_comes_steers_the_terminal() -> None:
    evil = "\x1b[2J[red]"
    found = lines(
        told("hello", HELLO | {"labels": [evil] * 3}, source=evil),
        told("state", STATE | {"state": evil}, source=evil),
        scores([1.0, 0.5, 0.25], source=evil),
        told("event", message(label=evil)),
    )
    text = "\n".join(found)
    assert "\x1b" not in text
    assert text.count("\N{REPLACEMENT CHARACTER}[2J[red]") == 6
