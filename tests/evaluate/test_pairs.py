"""Which telling belongs to which event, and how late it was."""

import math

import pytest

from sed.evaluate.pairs import paired
from sed.evaluate.reference import Sound


def test_the_nearest_of_its_label_within_the_collar() -> None:
    known = [Sound("a", 1.0, 2.0), Sound("a", 3.0, 4.0), Sound("b", 1.0, 2.0)]
    told = [Sound("a", 1.3, 2.0), Sound("a", 3.6, 4.0), Sound("a", 0.9, 2.0)]
    found = paired(known, told)
    assert [pair.told for pair in found] == [told[2], None, None]
    assert found[0].delay == pytest.approx(-0.1)
    assert math.isnan(found[1].delay)


def test_one_telling_belongs_to_one_event() -> None:
    known = [Sound("a", 1.0, 1.1), Sound("a", 1.4, 1.5)]
    assert [pair.told is not None for pair in paired(known, [Sound("a", 1.3, 1.4)])] == [False, True]
