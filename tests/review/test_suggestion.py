"""Suggested thresholds, held against trying out every one; and the words and lines they are told in."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.review.suggestion import Suggestion, suggested, thresholds

SCORES = st.lists(st.integers(0, 10_000).map(lambda n: n / 10_000), max_size=30)


@given(
    true=SCORES, false=SCORES, now=st.sampled_from([0.0, 0.3, 0.65, 0.99, 1.0]), worth=st.sampled_from([0.0, 1, 3, 50])
)
def test_no_other_threshold_is_better(true: list[float], false: list[float], now: float, worth: float) -> None:
    found = suggested("siren", now, true, false, worth)
    alarms, events = [s for s in false if s >= now], [s for s in true if s >= now]
    if not alarms:
        assert found is None
        return
    assert found is not None
    best, best_on = 0.0, None
    for step in range(1, 1_000):  # every thousandth, most of which are no threshold to suggest
        on = step / 1_000
        gain = sum(s < on for s in alarms) - worth * sum(s < on for s in events)
        if on > now and (step % 10 == 0 or on > 0.99) and gain > best:
            best, best_on = gain, on
    assert found.on == best_on
    assert (found.false, found.true) == (len(alarms), len(events))
    on = 0.0 if best_on is None else best_on
    assert found.removed == sum(s < on for s in alarms)
    assert found.lost == sum(s < on for s in events)


def test_the_words_and_the_lines() -> None:
    """The example of the issue: 12 false alarms, 11 of them lower than all but one of the true events."""
    true = [0.78, *[0.9] * 8]
    false = [0.7, 0.72, 0.74, *[0.8] * 8, 0.95]
    found = suggested("glass_break", 0.65, true, false)
    assert found == Suggestion("glass_break", 0.81, 11, 12, 1, 9)
    assert found.sentence(7.0) == (
        "12 false glass_break alarms in 7 days; on = 0.81 would have removed 11 and lost 1 of 9 true ones"
    )
    assert tomllib.loads(found.toml()) == {"rules": {"glass_break": {"on": 0.81}}}


def test_what_no_threshold_helps_against() -> None:
    found = suggested("siren", 0.5, true=[0.6, 0.7], false=[0.95])
    assert found == Suggestion("siren", None, 0, 1, 0, 2)
    assert (
        found.sentence(1.0)
        == "1 false siren alarms in 1 days, 2 true ones; no higher threshold is worth what it would lose"
    )


def test_a_missed_event_weighs_as_it_is_told() -> None:
    true, false = [0.6], [0.7, 0.7]
    assert suggested("siren", 0.5, true, false, worth=3.0).on is None  # type: ignore[union-attr]
    assert suggested("siren", 0.5, true, false, worth=1.0).on == 0.71  # type: ignore[union-attr]


@pytest.mark.parametrize(("now", "first", "last"), [(0.0, 0.01, 0.999), (0.65, 0.66, 0.999), (0.992, 0.993, 0.999)])
def test_thresholds_rise(now: float, first: float, last: float) -> None:
    found = list(thresholds(now))
    assert (found[0], found[-1]) == (first, last)
    assert found == sorted(set(found))
    assert list(thresholds(0.999)) == []
