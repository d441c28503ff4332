"""Mistakes counted by data set, on scenes that can be counted on one hand."""

from pathlib import Path

import pytest

from sed.evaluate.bydataset import alarms_by_class, alarms_by_dataset, events_by_dataset
from sed.evaluate.mistakes import Mistakes, mistakes
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Origin, Part, Scene
from tests.evaluate.test_mistakes import DISHES, EVENT, MIXED, PLAIN, heard

OTHER = Part(Sound("siren", 12.0, 13.0), 6.0, True, Origin("t.wav", "T"))
SECOND = Scene("b.wav", Path("b.wav"), "target", (OTHER.sound,), (OTHER,), Origin("b.wav", "B"))


@pytest.fixture
def made() -> Mistakes:
    """In turn: the dishes and the bed told, one event of two; the other one and the bed twice; music twice."""
    return mistakes(("siren", "shot"), [
        (MIXED, heard((10.0, 10.2), (15.0, 15.2))),
        (MIXED, heard((4.0, 5.0), (10.0, 10.2))),
        (SECOND, heard((1.0, 1.2), (3.0, 3.2), (12.0, 13.0))),
        (PLAIN, heard((1.0, 1.2), (9.0, 9.2))),
    ])  # fmt: skip


def test_events_by_data_set_the_most_missed_first(made: Mistakes) -> None:
    rows = events_by_dataset(made.fates_of("siren"))
    assert [(row.dataset, row.count, row.outcomes["missed"], row.recall) for row in rows] == [
        ("S", 2, 1, 0.5),
        ("T", 1, 0, 1.0),
    ]
    assert events_by_dataset(made.fates_of("shot")) == []


def test_alarms_by_class_and_how_much_of_it_was_heard(made: Mistakes) -> None:
    bed, dishes, music = alarms_by_class(made, "siren")
    assert (bed.under, bed.count, bed.recordings, bed.times) == ("bed", 3, 1, 3)
    assert bed.per_hour == pytest.approx(3 / (3 * 20.0 / 3600.0))
    assert (dishes.under, dishes.count, dishes.times) == ("dishes", 2, 2)
    assert dishes.hours == pytest.approx(2.0 / 3600.0)
    assert dishes.per_hour is None
    assert (music.under, music.count) == ("music, whole", 2)
    assert music.per_hour == pytest.approx(2 / (20.0 / 3600.0))
    assert alarms_by_class(made, "shot") == []


def test_alarms_by_data_set(made: Mistakes) -> None:
    rows = alarms_by_dataset(made, "siren")
    assert [(row.under, row.dataset, row.count) for row in rows] == [
        ("bed", "B", 3),
        ("dishes", DISHES.origin.dataset, 2),
        ("music, whole", "M", 2),
    ]


def test_mistimed_alarms_are_told_of_as_many_events_as_there_are() -> None:
    (row,) = alarms_by_class(mistakes(("siren", "shot"), [(MIXED, heard((4.8, 5.0)))]), "siren")
    assert (row.under, row.count, row.times) == ("siren, mistimed", 1, 1)
    assert row.hours == pytest.approx((EVENT.sound.offset - EVENT.sound.onset) / 3600.0)
