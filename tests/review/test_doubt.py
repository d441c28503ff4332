"""Which events are doubted, and why: each reason by itself, worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sed.history.event import WholeEvent
from sed.history.verdicts import Verdict
from sed.metadata import Rule
from sed.review.doubt import WEIGHTS, Doubt, doubted

BEGIN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
RULE = Rule(on=0.6, off=0.3)


def event(
    name: str, minutes: float = 0.0, score: float = 0.8, duration: float | None = 2.0, said: str = ""
) -> WholeEvent:
    onset = BEGIN + timedelta(minutes=minutes)
    verdict = Verdict(said, "car_horn" if said == "other" else None, BEGIN) if said else None
    return WholeEvent(
        name, "gate", "yard", "siren", onset, None, duration, score, -23.0, 0, "earwitness-1", None, onset, False,
        verdict,
    )  # fmt: skip


def doubts(*events: WholeEvent, rule: Rule | None = RULE) -> dict[str, Doubt]:
    return {one.event.id: one for one in doubted(events, lambda _: rule)}


def test_weights_are_shares() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(("score", "close"), [(0.6, 1.0), (0.8, 0.5), (1.0, 0.0), (0.5, 1.0)])
def test_a_score_close_to_the_threshold(score: float, close: float) -> None:
    assert doubts(event("A", score=score))["A"].close == pytest.approx(close)


def test_a_label_that_is_not_known_and_a_threshold_of_one() -> None:
    assert doubts(event("A"), rule=None)["A"].close == 0.5
    assert doubts(event("A"), rule=Rule(on=1.0))["A"].close == 1.0


def test_what_was_said_of_its_like() -> None:
    assert doubts(event("A"))["A"].past == 0.5
    found = doubts(event("A"), event("B", said="wrong"), event("C", said="other"), event("D", said="right"))
    assert found["A"].past == pytest.approx(3 / 5)
    elsewhere = replace(event("B", said="wrong"), source="street")
    assert doubts(event("A"), elsewhere)["A"].past == 0.5


def test_a_crowd() -> None:
    found = doubts(event("A", 0), event("B", 5), event("C", 10.1), replace(event("D", 5), label="gun_shot"))
    assert {name: one.together for name, one in found.items()} == {"A": 2, "B": 2, "C": 1, "D": 1}
    assert (found["A"].crowd, found["C"].crowd) == (0.5, 0.0)


def test_shorter_than_usual() -> None:
    found = doubts(
        event("A", duration=0.5), event("B", duration=2.0), event("C", duration=8.0), event("D", duration=None)
    )
    assert {name: one.short for name, one in found.items()} == {"A": 0.75, "B": 0.0, "C": 0.0, "D": 0.0}
    assert doubts(event("A", duration=0.0))["A"].short == 0.0


def test_the_likeliest_false_alarms_come_first_and_the_judged_last() -> None:
    events = [
        event("sure", 0, 0.99),
        event("close", 20, 0.61),
        event("judged", 40, 0.6, said="right"),
        event("mid", 60, 0.8),
    ]
    assert [one.event.id for one in doubted(events, lambda _: RULE)] == ["close", "mid", "sure", "judged"]


def test_the_reason_is_told() -> None:
    assert doubts(event("A", score=0.61))["A"].reason == "its score is just above the threshold"
    assert doubts(event("A", score=0.99))["A"].reason == "nothing speaks against it"
    many = doubts(*(event(f"{n}", n / 60, 0.9, 2.0, "wrong" if n < 9 else "") for n in range(12)))
    assert many["11"].reason == "most alike were false alarms"
    assert doubted([], lambda _: RULE) == []
