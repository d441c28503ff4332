"""What becomes of events and what alarms are told of, by hand and against the counts of sed_eval."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.evaluate.eventscores import by_onset
from sed.evaluate.hearing import Heard
from sed.evaluate.mistakes import BED, Alarm, Fate, mistakes
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Origin, Part, Scene

PERIOD = 0.04
EVENT = Part(Sound("siren", 4.0, 6.0), 6.0, True, Origin("s.wav", "S"))
DISHES = Part(Sound("dishes", 10.0, 11.0), 9.0, False, Origin("d.wav", "D"))
MIXED = Scene("a.wav", Path("a.wav"), "target", (EVENT.sound,), (EVENT, DISHES), Origin("b.wav", "B"))
PLAIN = Scene("m.wav", Path("m.wav"), "music", bed=Origin("m.wav", "M"))
SPARSE = st.lists(st.integers(0, 60).map(lambda n: n / 4), max_size=6)


def heard(*spans: tuple[float, float], label: str = "siren", peak: float = 0.0) -> Heard:
    """Spans told of a label, and a score of `peak` at 5 s."""
    scores = np.zeros((500, 2), np.float32)
    scores[round(5.0 / PERIOD), 0] = peak
    return Heard(tuple(Sound(label, *span) for span in spans), scores, PERIOD, 20.0)


def found(scene: Scene, one: Heard) -> tuple[Sequence[Fate], Sequence[Alarm]]:
    made = mistakes(("siren", "shot"), [(scene, one)])
    return made.fates, made.alarms


@pytest.mark.parametrize(("span", "outcome", "delay"), [
    ((4.4, 6.0), "found", 0.4),
    ((3.6, 3.9), "found", -0.4),   # its end does not matter
    ((4.6, 6.0), "late", 0.6),
    ((6.4, 7.0), "late", 2.4),     # within the collar of its end
    ((6.6, 7.0), "missed", None),
    ((2.0, 5.0), "early", -2.0),
    ((2.0, 3.9), "missed", None),
])  # fmt: skip
def test_what_becomes_of_an_event(span: tuple[float, float], outcome: str, delay: float | None) -> None:
    (fate,), alarms = found(MIXED, heard(span, peak=0.7))
    assert (fate.outcome, fate.ratio_db, fate.origin) == (outcome, 6.0, Origin("s.wav", "S"))
    assert fate.delay == (delay if delay is None else pytest.approx(delay))
    assert fate.score == pytest.approx(0.7)
    assert len(alarms) == (outcome != "found")


@pytest.mark.parametrize(("scene", "label", "onset", "under", "clip"), [
    (MIXED, "siren", 4.8, "siren, mistimed", "s.wav"),
    (MIXED, "shot", 4.8, "siren", "s.wav"),
    (MIXED, "siren", 9.6, "dishes", "d.wav"),
    (MIXED, "siren", 11.4, "dishes", "d.wav"),
    (MIXED, "siren", 15.0, BED, "b.wav"),
    (PLAIN, "siren", 15.0, "music, whole", "m.wav"),
])  # fmt: skip
def test_what_lies_under_an_alarm(scene: Scene, label: str, onset: float, under: str, clip: str) -> None:
    _, (alarm,) = found(scene, heard((onset, onset + 0.2), label=label))
    assert (alarm.under, alarm.origin.clip) == (under, clip)


def test_the_score_is_the_highest_near_it() -> None:
    far = heard()
    far.scores[round(7.0 / PERIOD), 0] = 0.9  # a second after its end
    assert found(MIXED, far)[0][0].score == 0.0
    far.scores[round(4.7 / PERIOD), 0], far.scores[round(4.4 / PERIOD), 0] = 0.6, 0.3  # the first too late to be found
    fate = found(MIXED, far)[0][0]
    assert fate.score == pytest.approx(0.6)
    assert fate.at_onset == pytest.approx(0.3)
    assert found(PLAIN, heard((4.9, 5.1), peak=0.8))[1][0].score == pytest.approx(0.8)


def test_a_recording_too_short_for_a_score() -> None:
    nothing = Heard((), np.zeros((0, 2), np.float32), PERIOD, 0.01)
    assert found(MIXED, nothing)[0][0].score == 0.0


@given(known=SPARSE, told=SPARSE)
def test_mistakes_are_those_that_sed_eval_counts(known: Sequence[float], told: Sequence[float]) -> None:
    events, said = (joined(Sound("siren", onset, onset + 0.1) for onset in onsets) for onsets in (known, told))
    scene, one = Scene("a", Path("a"), "target", events), heard(*((s.onset, s.offset) for s in said))
    fates, alarms = found(scene, one)
    tally = by_onset([events], [one], ("siren",))
    assert sum(fate.outcome == "found" for fate in fates) == tally.found.sum()
    assert (len(fates), len(alarms)) == (len(events), tally.false.sum())
