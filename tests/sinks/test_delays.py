"""Delays are of starts only, never below 0, by sink and label; a label that is expected begins at 0."""

import time
from datetime import UTC, datetime

import pytest

from sed.message import Message, rfc3339
from sed.sinks.delays import Delays
from tests.scrape import Scrape

ONSET, DETECTED = "earwitness_onset_to_publish_seconds", "earwitness_detected_to_publish_seconds"


def message(ago: float, certain: float, phase: str = "start") -> Message:
    stamps = [rfc3339(datetime.fromtimestamp(time.time() - each, UTC)) for each in (ago, certain)]
    return {"label": "siren", "phase": phase, "onset": stamps[0], "detected_at": stamps[1]}


def test_from_onset_and_from_certainty() -> None:
    delays = Delays()
    delays.of("mqtt")(message(1.25, 0.5))
    delays.of("mqtt")(message(0.35, 0.1))
    found = Scrape(delays.collect())
    assert found.value(f"{ONSET}_count", sink="mqtt", label="siren") == 2.0
    assert found.value(f"{ONSET}_sum", sink="mqtt") == pytest.approx(1.6, abs=0.1)
    assert found.value(f"{ONSET}_bucket", sink="mqtt", le="0.5") == 1.0
    assert found.value(f"{DETECTED}_sum", sink="mqtt") == pytest.approx(0.6, abs=0.1)


def test_an_end_says_nothing_of_the_delay() -> None:
    delays = Delays()
    delays.of("mqtt")(message(60.0, 60.0, "end"))
    assert not Scrape(delays.collect()).samples


def test_a_label_that_is_expected_begins_at_0() -> None:
    delays = Delays()
    delays.expect("jsonlines", ("siren", "gun_shot"))
    delays.of("jsonlines")(message(1.0, 0.5))
    delays.expect("jsonlines", ("siren", "gun_shot"))  # as a reload does
    found = Scrape(delays.collect())
    counts = [found.value(f"{ONSET}_count", sink="jsonlines", label=label) for label in ("siren", "gun_shot")]
    assert counts == [1.0, 0.0]


def test_a_clock_that_was_set_back_gives_no_delay_below_0() -> None:
    delays = Delays()
    delays.of("mqtt")(message(-30.0, -31.0))
    assert Scrape(delays.collect()).value(f"{ONSET}_sum", sink="mqtt") == 0.0
