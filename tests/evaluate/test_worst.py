"""Which mistakes are shown, and how they are captioned."""

from sed.evaluate.mistakes import Mistakes, mistakes
from sed.evaluate.worst import galleries, worst
from sed.metadata import Rule
from tests.evaluate.test_bydataset import SECOND
from tests.evaluate.test_mistakes import MIXED, PLAIN, heard
from tests.toy import metadata

RULE = Rule(on=0.5, off=0.4, min_duration=0.2)


def made() -> Mistakes:
    return mistakes(("siren", "shot"), [
        (MIXED, heard((5.0, 5.2), peak=0.8)),  # late
        (MIXED, heard()),
        (SECOND, heard()),
        (PLAIN, heard((1.0, 1.2), (5.0, 5.2), peak=0.9)),
    ])  # fmt: skip


def test_one_mistake_a_recording_the_worst_first() -> None:
    alarms = made().alarms_of("siren")
    heaps = worst(alarms, lambda alarm: -alarm.score, 8)
    assert [(alarm.origin.clip, round(alarm.score, 2), times) for alarm, times in heaps] == [
        ("m.wav", 0.9, 2),
        ("s.wav", 0.8, 1),
    ]
    assert len(worst(alarms, lambda alarm: -alarm.score, 1)) == 1


def test_three_kinds_of_mistakes_with_their_captions() -> None:
    missed, late, false = galleries(made(), "siren", RULE, metadata(), 8)
    assert [name for name, _ in missed.pictures] == ["siren-missed-1.png", "siren-missed-2.png"]
    assert missed.pictures[0][1].headline == "siren missed, highest score 0.00 (on at 0.5 for 0.2 s)"
    assert missed.pictures[0][1].subtitle == "a.wav at 4.00 s, 6 dB over the bed\nS: s.wav"
    (told,) = (picture for _, picture in late.pictures)
    assert told.headline == "siren told 1.00 s too late, score at its onset 0.00 (on at 0.5 for 0.2 s)"
    alarm = false.pictures[0][1]
    assert alarm.headline == "siren told, score 0.90 (on at 0.5 for 0.2 s), under it: music, whole"
    assert alarm.subtitle == "m.wav at 5.00 s\nM: m.wav (2 like this from it)"


def test_a_label_without_mistakes_has_no_pictures() -> None:
    assert [gallery.pictures for gallery in galleries(made(), "shot", RULE, metadata(), 8)] == [(), (), ()]
