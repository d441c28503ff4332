"""Counting found, missed and false events; the pairing is bounded by trying every pairing."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.evaluate.eventscores import by_event
from sed.evaluate.hearing import Heard
from sed.evaluate.matching import Counts, compare, count, macro_f1, match, match_whole, total
from sed.evaluate.reference import Sound

ONSETS = st.lists(st.integers(0, 12).map(lambda n: n / 4), max_size=6)


def most_pairs(told: Sequence[float], true: Sequence[float], collar: float) -> int:
    """The most pairs there can be, found by trying them all."""
    few, many = sorted((told, true), key=len)
    return max(
        sum(abs(a - b) <= collar + 1e-9 for a, b in zip(few, order, strict=True))
        for order in itertools.permutations(many, len(few))
    )


@pytest.mark.parametrize(("told", "true", "expected"), [
    ([], [], Counts(0, 0, 0)),
    ([1.0], [1.5], Counts(1, 0, 0)),             # the collar's edge is inside
    ([1.0], [1.51], Counts(0, 1, 1)),
    ([1.0, 1.1], [1.0], Counts(1, 0, 1)),        # told twice: once false
    ([1.0], [0.9, 1.1], Counts(1, 1, 0)),        # two events are not found by one telling
    ([0.9, 1.4], [1.0, 0.5], Counts(2, 0, 0)),
])  # fmt: skip
def test_match(told: list[float], true: list[float], expected: Counts) -> None:
    assert match(told, true, 0.5) == expected


@given(told=ONSETS, true=ONSETS)
def test_it_finds_as_many_pairs_as_there_can_be(told: list[float], true: list[float]) -> None:
    counts = match(told, true, 0.5)
    assert counts.found == most_pairs(told, true, 0.5)
    assert counts.found + counts.missed == len(true)
    assert counts.found + counts.false == len(told)


@pytest.mark.parametrize(("told", "found"), [
    ((1.2, 2.2), 1),    # both edges are inside
    ((1.21, 2.0), 0),
    ((1.0, 2.21), 0),
    ((0.9, 1.8), 1),
    ((1.0, 1.7), 0),    # ends too soon
])  # fmt: skip
def test_whole_events_need_their_end_too(told: tuple[float, float], found: int) -> None:
    assert match_whole([Sound("a", *told)], [Sound("a", 1.0, 2.0)]) == Counts(found, 1 - found, 1 - found)


def test_long_events_may_end_a_fifth_of_their_length_off() -> None:
    siren = Sound("a", 0.0, 10.0)
    assert [match_whole([Sound("a", 0.1, end)], [siren]).found for end in (8.0, 7.9, 12.0, 12.1)] == [1, 0, 1, 0]
    twice = [Sound("a", 0.0, 10.0), Sound("a", 0.1, 10.0)]
    assert match_whole(twice, [siren]) == Counts(1, 0, 1)


@given(told=ONSETS, true=ONSETS)
def test_whole_events_are_counted_as_sed_eval_does(told: list[float], true: list[float]) -> None:
    """Events a second apart or more, as `nearby.joined` leaves them."""
    ours, theirs = ([Sound("a", 4 * at, 4 * at + 0.6 + at / 9) for at in sorted(set(side))] for side in (told, true))
    shifted = [Sound("a", s.onset + 0.15, s.offset + 0.3 * (n % 3)) for n, s in enumerate(ours)]
    found = match_whole(shifted, theirs)
    tally = by_event([theirs], [Heard(tuple(shifted), np.zeros((1, 1), np.float32), 1.0, 60.0)], ["a"])
    assert (found.found, found.missed, found.false) == (tally.found[0, 0], tally.missed[0, 0], tally.false[0, 0])


def test_figures() -> None:
    counts = Counts(found=6, missed=2, false=4)
    assert (counts.precision, counts.recall) == (0.6, 0.75)
    assert counts.f1 == pytest.approx(2 / 3)
    assert Counts().f1 == Counts().precision == Counts().recall == 0.0
    assert macro_f1({"a": counts, "b": Counts()}) == pytest.approx(1 / 3)


def test_labels_are_counted_apart() -> None:
    told = [Sound("siren", 1.0, 2.0), Sound("gun_shot", 4.0, 4.1)]
    true = [Sound("gun_shot", 1.0, 1.1), Sound("gun_shot", 4.2, 4.3)]
    labels = ("siren", "gun_shot")
    one = count(told, true, labels)
    assert one == {"siren": Counts(0, 0, 1), "gun_shot": Counts(1, 1, 0)}
    assert total([one, one], labels) == {"siren": Counts(0, 0, 2), "gun_shot": Counts(2, 2, 0)}


def test_lists_are_compared_file_by_file() -> None:
    true = {"a.wav": [Sound("siren", 1.0, 2.0)], "b.wav": [Sound("siren", 1.0, 2.0)], "quiet.wav": []}
    told = {"a.wav": [Sound("siren", 1.2, 2.0)], "quiet.wav": [Sound("siren", 1.0, 2.0)]}
    assert compare(told, true, ("siren",)) == {"siren": Counts(found=1, missed=1, false=1)}


def test_it_agrees_with_sed_eval() -> None:
    """Golden counts of sed_eval 0.2.1: EventBasedMetrics, t_collar 0.5, onset only, optimal matching."""
    told = [0.0, 0.7, 1.9, 2.0, 5.0, 9.0]
    true = [0.4, 1.2, 1.6, 2.4, 4.4, 9.5, 9.6]
    assert match(told, true, 0.5) == Counts(found=5, missed=2, false=1)
