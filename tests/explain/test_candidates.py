"""Every reason for which something is no event, in words and numbers worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from sed.errors import UsageError
from sed.explain.candidates import Candidates, nearest
from sed.explain.finding import Finding, Stretch, too_low, too_short
from sed.metadata import Rule
from sed.signals import Floats, Scores
from tests.test_postprocess import random_rules, random_scores, track

RATE, HOP = 16_000, 640  # rows of 40 ms
RULE = Rule(on=0.55, off=0.3, min_duration=0.12, max_gap=0.0, cooldown=5.0)


def candidates(rule: Rule = RULE, **columns: list[float]) -> Candidates:
    values = np.array(list(columns.values()), np.float32).T
    return Candidates(tuple(columns), dict.fromkeys(columns, rule), RATE, Scores(0, HOP, values, 2_272))


def told(findings: list[Finding]) -> list[tuple[float, float, str | None, str]]:
    return [(round(f.onset, 3), round(f.offset, 3), f.rule, f.why) for f in findings]


def quiet(rows: int) -> list[float]:
    return [0.1] * rows


def test_never_reached_on() -> None:
    (found,) = candidates(siren=[*quiet(2), 0.3, 0.47, 0.2, *quiet(2)]).findings()
    assert told([found]) == [(0.08, 0.16, "on", "peak 0.47 never reached on = 0.55")]
    assert found.reached == pytest.approx(0.47)
    assert found.asked == 0.55
    assert found.missed_by == pytest.approx(1 - 0.47 / 0.55)


def test_a_score_below_half_of_on_is_nothing() -> None:
    assert candidates(siren=[*quiet(2), 0.27, *quiet(2)]).findings() == []
    assert len(candidates(siren=[*quiet(2), 0.28, *quiet(2)]).findings()) == 1


def test_shorter_than_min_duration() -> None:
    (found,) = candidates(siren=[*quiet(2), 0.9, 0.8, *quiet(2)]).findings()
    assert told([found]) == [(0.08, 0.16, "min_duration", "lasted 0.08 s of the 0.12 s that min_duration asks")]
    assert found.missed_by == pytest.approx(1 / 3)


def test_within_the_cooldown_of_the_event_before() -> None:
    findings = candidates(siren=[0.9] * 5 + quiet(80) + [0.8] * 4 + quiet(3)).findings()
    why = "began 3.20 s after the event before, within its cooldown of 5 s"
    assert told(findings) == [(0.0, 0.2, None, "event"), (3.4, 3.56, "cooldown", why)]
    assert findings[1].missed_by == pytest.approx(1 - 3.2 / 5)


def test_smoothed_away() -> None:
    rule = RULE.model_copy(update={"median": 3})
    (found,) = candidates(rule, siren=[*quiet(3), 0.9, *quiet(3)]).findings()
    why = "peak 0.90 reached on = 0.55, but only 0.10 of it is left by median = 3"
    assert told([found]) == [(0.12, 0.16, "median", why)]


def test_a_label_that_is_never_told() -> None:
    rule = RULE.model_copy(update={"alert": False})
    (found,) = candidates(rule, siren=[0.9] * 4 + quiet(3) + [0.5] + quiet(3)).findings()
    assert told([found]) == [(0.0, 0.16, "alert", "alert = false: this label is never told")]
    assert found.missed_by == 1.0


def test_the_slopes_of_an_event_are_no_near_misses() -> None:
    findings = candidates(siren=[0.1, 0.4, 0.5, 0.9, 0.9, 0.9, 0.29, 0.28, 0.1]).findings()
    assert told(findings) == [(0.12, 0.24, None, "event")]


def test_pauses_up_to_max_gap_do_not_split_a_near_miss() -> None:
    rule = RULE.model_copy(update={"max_gap": 0.08})
    findings = candidates(rule, siren=[0.1, 0.4, 0.1, 0.1, 0.5, 0.1, 0.1, 0.1, 0.3, 0.1]).findings()
    assert [(f.onset, f.offset, round(f.score, 2)) for f in findings] == [(0.04, 0.2, 0.5), (0.32, 0.36, 0.3)]


@pytest.mark.parametrize(
    ("score", "shown"), [(0.47, "0.47"), (0.546, "0.546"), (0.5499, "0.5499"), (0.54999999, "0.55")]
)
def test_what_fell_short_never_looks_as_if_it_had_not(score: float, shown: str) -> None:
    assert too_low(Stretch("x", 0.0, 1.0, score), RULE, score).why == f"peak {shown} never reached on = 0.55"


def test_a_duration_is_told_as_precisely_as_it_takes() -> None:
    rule = Rule(min_duration=0.125)
    assert too_short(Stretch("x", 1.0, 1.12, 0.9), rule).why == "lasted 0.12 s of the 0.125 s that min_duration asks"


def test_findings_come_in_order_of_time_and_by_label() -> None:
    both = candidates(siren=[*quiet(5), 0.9, 0.9, 0.9], gun_shot=[*quiet(2), 0.5, *quiet(5)])
    assert [f.label for f in both.findings()] == ["gun_shot", "siren"]
    assert [f.label for f in both.findings("siren")] == ["siren"]


def test_the_nearest_are_those_that_missed_by_least() -> None:
    curve = [0.3, *quiet(3), 0.5, *quiet(3), 0.9, 0.9, 0.9, *quiet(3), 0.4, 0.1]
    findings = candidates(siren=curve).findings()
    assert [round(f.score, 1) for f in findings] == [0.3, 0.5, 0.9, 0.4]
    assert [round(f.score, 1) for f in nearest(findings, 2)] == [0.5, 0.9, 0.4]
    assert [f.rule for f in nearest(findings, 0)] == [None]


def test_best_is_the_highest_event_then_the_nearest_then_the_highest_score() -> None:
    assert candidates(siren=[0.6] * 3 + quiet(2), gun_shot=[0.1, 0.1, 0.9, 0.9, 0.9]).best().label == "gun_shot"
    assert candidates(siren=[0.3, *quiet(4)], gun_shot=[0.1, 0.1, 0.5, 0.1, 0.1]).best().label == "gun_shot"
    lost = candidates(siren=[0.1, 0.2, 0.1], gun_shot=[0.0, 0.0, 0.0]).best()
    assert (lost.label, lost.why) == ("siren", "peak 0.20 never reached on = 0.55")


def test_a_moment_is_explained_by_what_is_nearest_to_it() -> None:
    two = candidates(siren=[0.9] * 5 + quiet(25) + [0.5] + quiet(30), gun_shot=quiet(61))
    assert two.at(0.1).rule is None
    assert two.at(0.5).rule is None
    assert two.at(1.3).why == "peak 0.50 never reached on = 0.55"
    nothing = two.at(2.0, "gun_shot")
    assert told([nothing]) == [(1.48, 2.44, "on", "peak 0.10 never reached on = 0.55")]
    assert two.at(2.44).offset == pytest.approx(2.44)  # the very end
    with pytest.raises(UsageError, match=r"--at 3: the recording has scores from 0 to 2\.44 s"):
        two.at(3.0)


def test_a_moment_of_a_label_that_is_never_told() -> None:
    off = candidates(RULE.model_copy(update={"alert": False}), siren=quiet(30))
    assert off.at(0.5).rule == "alert"


@given(scores=random_scores, rule=random_rules)
def test_events_and_rejections_are_those_of_the_daemon(scores: list[float], rule: Rule) -> None:
    values: Floats = np.array(scores, np.float32)
    events, tracker = track({"x": values}, {"x": rule}, [7])
    findings = candidates(rule, x=scores).findings()
    ends = [(e.onset / RATE, e.offset / RATE, e.score) for e in events if e.phase == "end" and e.offset is not None]
    assert [(f.onset, f.offset, f.score) for f in findings if f.rule is None] == ends
    rejected = [f.rule for f in findings]
    assert rejected.count("min_duration") == tracker.rejected["x", "short"]
    assert rejected.count("cooldown") == tracker.rejected["x", "cooldown"]
    assert all(0.0 <= f.missed_by <= 1.0 for f in findings)
    assert all(a.offset <= b.onset for a, b in pairwise(findings))
