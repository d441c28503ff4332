"""Counting found, missed and false events; the pairing is bounded by trying every pairing."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.evaluate.matching import Counts, compare, count, macro_f1, match, total
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
