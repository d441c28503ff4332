"""PSDS at its ends: 1 for scores that know, 0 for scores that do not; one false alarm an hour by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from sed.evaluate.bootstrap import draws
from sed.evaluate.hearing import Heard
from sed.evaluate.psds import psds
from sed.evaluate.reference import Sound

LABELS = ("a", "b")
KNOWN = [(Sound("a", 1.0, 3.0),), (Sound("b", 2.0, 4.0),), ()] * 3


def scored(known: Sequence[tuple[Sound, ...]], right: float, wrong: float, seconds: float = 10.0) -> list[Heard]:
    """Scores that are `right` where a label is heard and `wrong` elsewhere."""
    heard = []
    for events in known:
        rows = np.full((round(seconds / 0.04), len(LABELS)), wrong, np.float32)
        for event in events:
            rows[round(event.onset / 0.04) : round(event.offset / 0.04), LABELS.index(event.label)] = right
        heard.append(Heard((), rows, 0.04, seconds))
    return heard


@pytest.mark.parametrize("scenario", ["psds1", "psds2"])
@pytest.mark.parametrize(("right", "wrong", "expected"), [(0.9, 0.1, 1.0), (0.1, 0.9, 0.0), (0.0, 0.0, 0.0)])
def test_the_ends(scenario: str, right: float, wrong: float, expected: float) -> None:
    found = psds(scenario, KNOWN, scored(KNOWN, right, wrong), LABELS, draws(9, 5))
    assert found["all"].value == pytest.approx(expected, abs=1e-6)
    assert found["a"].value == pytest.approx(expected, abs=1e-6)


def test_one_louder_false_alarm_costs_its_rate() -> None:
    """One hour holds the event and 25 false alarms scored higher: nothing is found below 25 an hour, all from there."""
    known = [(Sound("a", 100.0, 110.0),)]
    heard = scored(known, 0.5, 0.0, seconds=3600.0)
    for n in range(25):
        heard[0].scores[2500 + 500 * n + 2500 : 2500 + 500 * n + 2550, 0] = 0.9
    found = psds("psds1", known, [Heard((), heard[0].scores[:, :1], 0.04, 3600.0)], ("a",), draws(1, 0))
    assert found["all"].value == pytest.approx(0.75, abs=1e-6)


def test_a_label_without_events_has_no_score() -> None:
    known = [(Sound("a", 1.0, 3.0),)]
    assert math.isnan(psds("psds1", known, scored(known, 0.9, 0.1), LABELS, draws(1, 2))["all"].value)


def test_one_label_alone_has_none_to_be_taken_for() -> None:
    known = [(Sound("a", 1.0, 3.0),)]
    alone = [Heard((), one.scores[:, :1], 0.04, 10.0) for one in scored(known, 0.9, 0.1)]
    assert psds("psds2", known, alone, ("a",), draws(1, 0))["all"].value == pytest.approx(1.0)


def test_draws_without_a_label_are_left_out() -> None:
    known = KNOWN[:2]
    found = psds("psds1", known, scored(known, 0.9, 0.1), LABELS, draws(2, 20))
    assert [found["all"].low, found["all"].high] == pytest.approx([1.0, 1.0])
