"""Figures of a handful of events, worked out by hand; sed_eval's counts bounded by our own slow pairing."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.evaluate.bootstrap import draws
from sed.evaluate.eventscores import Tally, by_event, by_onset, by_segment
from sed.evaluate.hearing import Heard
from sed.evaluate.matching import match
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound

LABELS = ("a", "b")
ONCE = draws(1, 0)
SPARSE = st.lists(st.integers(0, 40).map(lambda n: n / 4), max_size=6)


def heard(*told: Sound, seconds: float = 10.0) -> Heard:
    return Heard(tuple(told), np.zeros((0, 2), np.float32), 0.04, seconds)


def counts(tally: Tally) -> list[list[float]]:
    return [tally.found.sum(axis=0).tolist(), tally.missed.sum(axis=0).tolist(), tally.false.sum(axis=0).tolist()]


def test_onsets_within_the_collar() -> None:
    known = [(Sound("a", 1.0, 2.0), Sound("a", 5.0, 6.0), Sound("b", 8.0, 9.0))]
    told = [heard(Sound("a", 1.4, 9.0), Sound("a", 5.6, 6.0))]  # one found, one too late, one missed
    tally = by_onset(known, told, LABELS)
    assert counts(tally) == [[1, 0], [1, 1], [1, 0]]
    f1 = tally.f1(ONCE)
    assert [f1[name].value for name in ("all", "a", "b")] == pytest.approx([0.25, 0.5, 0.0])
    assert tally.precision(ONCE)["a"].value == 0.5
    assert tally.recall(ONCE)["all"].value == 0.25
    rate = tally.error_rate(ONCE)
    assert [rate[name].value for name in ("all", "a", "b")] == pytest.approx([1.0, 1.0, 1.0])  # 2 + 1 errors of 3


def test_a_wrong_label_is_one_error_over_all_and_two_label_by_label() -> None:
    tally = by_onset([(Sound("a", 1.0, 2.0),)], [heard(Sound("b", 1.0, 2.0))], LABELS)
    assert tally.error_rate(ONCE)["all"].value == 1.0
    assert tally.error_rate(ONCE)["a"].value == 1.0
    assert (tally.missed.sum(), tally.false.sum()) == (1.0, 1.0)


@pytest.mark.parametrize(("onset", "offset", "found"), [
    (1.19, 3.0, 1),   # the onset's collar is 200 ms
    (1.21, 3.0, 0),
    (1.0, 3.39, 1),   # the offset's a fifth of two seconds
    (1.0, 3.41, 0),
])  # fmt: skip
def test_whole_events_need_their_offset(onset: float, offset: float, found: int) -> None:
    tally = by_event([(Sound("a", 1.0, 3.0),)], [heard(Sound("a", onset, offset))], LABELS)
    assert counts(tally) == [[found, 0], [1 - found, 0], [1 - found, 0]]


def test_segments_are_seconds() -> None:
    tally = by_segment([(Sound("a", 1.0, 3.0),)], [heard(Sound("a", 2.5, 4.5))], LABELS)
    assert counts(tally) == [[1, 0], [1, 0], [2, 0]]  # second 2 is found, 1 missed, 3 and 4 false
    assert tally.f1(ONCE)["a"].value == pytest.approx(2 / 5)
    assert tally.error_rate(ONCE)["all"].value == pytest.approx(3 / 2)


def test_silence_told_of_silence_has_no_f1() -> None:
    tally = by_onset([()], [heard()], LABELS)
    assert np.isnan(tally.f1(ONCE)["all"].value)


def test_a_label_without_an_event_has_false_alarms_and_no_f1() -> None:
    tally = by_onset([(Sound("a", 1.0, 2.0),)], [heard(Sound("a", 1.0, 2.0), Sound("b", 5.0, 6.0))], LABELS)
    f1 = tally.f1(ONCE)
    assert (f1["all"].value, f1["a"].value) == (1.0, 1.0)
    assert np.isnan(f1["b"].value)
    assert tally.false_per_hour(ONCE, np.array([10.0]), np.ones(1))["b"].value == 360.0


def test_perfection() -> None:
    known = [(Sound("a", 1.0, 2.0),), (Sound("b", 3.0, 4.0),)]
    told = [heard(*events) for events in known]
    for count in (by_onset, by_event, by_segment):
        tally = count(known, told, LABELS)
        assert tally.f1(draws(2, 20))["all"].value == 1.0
        assert tally.error_rate(draws(2, 20))["all"].value == 0.0


def test_false_alarms_are_told_by_kind_of_scene() -> None:
    tally = by_onset([(), (), ()], [heard(Sound("a", 1.0, 2.0)), heard(Sound("b", 1.0, 2.0)), heard()], LABELS)
    rate = tally.false_per_hour(draws(3, 0), np.array([10.0, 10.0, 10.0]), np.array([1.0, 0.0, 1.0]))
    assert [rate[name].value for name in ("all", "a", "b")] == pytest.approx([180.0, 180.0, 0.0])


def test_a_change_is_that_of_the_same_scenes() -> None:
    """Every scene lost its event: each draw says so, and the interval is a point."""
    known = [(Sound("a", 1.0, 2.0),)] * 5
    before, after = (by_onset(known, [one] * 5, ("a",)) for one in (heard(*known[0]), heard()))
    change = before.change(after, draws(5))["a"]
    assert (change.value, change.low, change.high) == (-1.0, -1.0, -1.0)


@given(known=SPARSE, told=SPARSE)
def test_sed_eval_pairs_as_we_do(known: Sequence[float], told: Sequence[float]) -> None:
    mine, theirs = (joined(Sound("a", onset, onset + 0.1) for onset in onsets) for onsets in (known, told))
    tally = by_onset([mine], [heard(*theirs)], ("a",))
    slow = match([s.onset for s in theirs], [s.onset for s in mine], 0.5)
    assert counts(tally) == [[slow.found], [slow.missed], [slow.false]]
