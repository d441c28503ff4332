"""Windows made into events: the shift, the classes and the rule that a search by hand would choose."""

import numpy as np
import pytest

from sed.evaluate.matching import Counts
from sed.evaluate.reference import Sound
from sed.evaluate.tune import Budget, Tuned
from sed.evaluate.windowed import PERIOD, RATE, Curve, Fitted, Reading, fit, heard
from sed.metadata import Rule
from sed.signals import Floats

HOP, WINDOW = 7_680, 15_600
CLEAR, DULL = Reading(("clear",), HOP), Reading(("dull",), HOP)


def windows(
    *spans: tuple[float, float], seconds: float = 120.0, loud: float = 0.9, hop: int = HOP, least: float = 0.3
) -> Floats:
    """Every window that has at least that much of a span in it hears it."""
    starts = np.arange(0.0, seconds, hop / RATE)
    shared = [np.minimum(starts + WINDOW / RATE, b) - np.maximum(starts, a) for a, b in spans]
    return np.where(
        np.any([s >= least - 1e-9 for s in shared], axis=0) if spans else False, loud, 0.05 + 0 * starts
    ).astype(np.float32)


def sounds(*onsets: float) -> tuple[Sound, ...]:
    return tuple(Sound("siren", onset, onset + 2.0) for onset in onsets)


ONSETS = tuple(np.arange(5.0, 100.0, 7.13).tolist())
SPANS = tuple((onset, onset + 2.0) for onset in ONSETS)
QUIET = Curve(windows((20.0, 22.0), loud=0.4), (), 120.0)


def test_the_shift_brings_onsets_into_the_collar() -> None:
    """The first window that hears an event begins 0.2 to 0.68 s before its onset."""
    found = fit("siren", {CLEAR: [Curve(windows(*SPANS), sounds(*ONSETS), 120.0), QUIET]}, Budget(0.0))
    assert (found.tuned.counts, found.tuned.alarms_per_hour) == (Counts(len(ONSETS)), 0.0)
    assert 0.2 <= found.reading.shift / RATE <= 0.68
    assert found.tuned.rule.on > 0.4  # what is heard in the quiet recording stays below


def test_the_reading_that_hears_more_is_taken() -> None:
    read = {
        DULL: [Curve(windows(*SPANS[::2]), sounds(*ONSETS), 120.0), QUIET],
        CLEAR: [Curve(windows(*SPANS), sounds(*ONSETS), 120.0), QUIET],
    }
    assert fit("siren", read, Budget(0.0)).reading.classes == ("clear",)


def test_a_reading_over_the_budget_is_not_taken() -> None:
    loud = Curve(windows((20.0, 22.0), (60.0, 62.0)), (), 120.0)  # 60 an hour
    read = {
        DULL: [Curve(windows(*SPANS[::2]), sounds(*ONSETS), 120.0), QUIET],
        CLEAR: [Curve(windows(*SPANS), sounds(*ONSETS), 120.0), loud],
    }
    assert fit("siren", read, Budget(1.0)).reading.classes == ("dull",)
    assert fit("siren", read, Budget(float("inf"))).reading.classes == ("clear",)


def test_a_kind_with_its_own_budget_is_counted_apart() -> None:
    """What YAMNet hears in explosions costs it no siren, as it costs our own models none."""
    bang = Curve(windows((20.0, 22.0), (60.0, 62.0)), (), 120.0, "explosion")  # 60 an hour, as loud as the sirens
    read = {CLEAR: [Curve(windows(*SPANS), sounds(*ONSETS), 120.0), QUIET, bang]}
    strict, apart = (fit("siren", read, budget).tuned for budget in (Budget(1.0), Budget(1.0, {"explosion": 60.0})))
    assert strict.counts.found == 0
    assert apart.counts == Counts(len(ONSETS))
    assert apart.alarms_per_hour == 0.0
    assert apart.apart["explosion"] == pytest.approx(60.0)


def test_a_reading_over_the_budget_of_a_kind_is_not_taken() -> None:
    """The clear one hears bangs that no rule can keep out."""
    bang, siren = ((windows(*spans) > 0.5).astype(np.float32) for spans in (((20.0, 22.0), (60.0, 62.0)), SPANS))
    read = {
        DULL: [Curve(windows(*SPANS[::2]), sounds(*ONSETS), 120.0), QUIET],
        CLEAR: [Curve(siren, sounds(*ONSETS), 120.0), Curve(bang, (), 120.0, "explosion")],
    }
    assert fit("siren", read, Budget(1.0, {"explosion": 59.0})).reading.classes == ("dull",)
    assert fit("siren", read, Budget(1.0, {"explosion": 60.0})).reading.classes == ("clear",)


def test_half_the_hop_is_taken_where_a_window_has_to_hold_the_whole_event() -> None:
    onsets = tuple(np.arange(5.0, 100.0, 7.13).tolist())
    whole = {hop: windows(*((o, o + 0.7) for o in onsets), hop=hop, least=0.7) for hop in (HOP, HOP // 2)}
    events = tuple(Sound("glass_break", onset, onset + 0.7) for onset in onsets)
    read = {Reading(("glass",), hop): [Curve(w, events, 120.0)] for hop, w in whole.items()}
    found = fit("glass_break", read, Budget(1.0))
    assert (found.reading.hop, found.tuned.counts.f1) == (HOP // 2, 1.0)


@pytest.fixture
def fitted() -> Fitted:
    tuned = Tuned(Rule(on=0.5, off=0.3, max_gap=0.5), Counts(), 0.0)
    return Fitted(Reading(("clear",), HOP, PERIOD * 10), tuned)  # 0.4 s


def test_events_and_curves_are_shifted_alike(fitted: Fitted) -> None:
    values = np.zeros(20, np.float32)
    values[5:8] = 0.8
    found = heard({"siren": fitted}, {"siren": values}, 10.0)
    (told,) = found.told
    assert (told.onset, told.offset) == pytest.approx((5 * 0.48 + 0.4, 8 * 0.48 + 0.4))
    rows = np.flatnonzero(found.scores[:, 0] > 0.5)
    assert found.scores.shape == (250, 1)
    assert (rows[0] * found.period, (rows[-1] + 1) * found.period) == pytest.approx((told.onset, told.offset))


def test_nothing_is_heard_before_the_first_window(fitted: Fitted) -> None:
    found = heard({"siren": fitted}, {"siren": np.full(3, 0.8, np.float32)}, 3.0)
    assert found.scores[:10].max() == 0.0
    assert found.scores[10:].min() == pytest.approx(0.8)


def test_nearby_events_are_one(fitted: Fitted) -> None:
    values = np.zeros(20, np.float32)
    values[[3, 7]] = 0.8  # 1.44 s apart, less than a siren's 2 s
    assert len(heard({"siren": fitted}, {"siren": values}, 10.0).told) == 1
    assert len(heard({"gun_shot": fitted}, {"gun_shot": values}, 10.0).told) == 2
