"""What is told of a source: samples that were heard and lost, runs of the model, drift, counters that begin at 0."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sed.clock import SampleClock
from sed.ear import Ear
from sed.frontend import log_mel
from sed.health.sources import SourceMetrics
from sed.health.tally import Tally
from sed.journal import Journal, SourceState
from sed.message import Clock
from sed.metadata import FrontendSettings, Heard, Metadata, Rule
from sed.model import OnnxModel
from sed.observer import Origin
from sed.ring import RingBuffer
from sed.service import Listener
from sed.source.capture import Losses
from tests.scrape import Scrape
from tests.toy import RATE, bursts, metadata, write_toy

RULES = {"tone": Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)}
HEARD = Heard(mean=(-50.0,) * 64, spread=(20.0,) * 64)


@contextmanager
def listened(tmp_path: Path, ring: RingBuffer, document: Metadata) -> Iterator[tuple[Listener, Tally, Journal]]:
    """Everything in the ring, through the real detector."""
    model = OnnxModel(write_toy(tmp_path / "toy.onnx", document))
    tallies: list[Tally] = []

    def observe(origin: Origin) -> Tally:
        tallies.append(Tally(origin))
        return tallies[0]

    ring.close()
    with Journal(tmp_path / "journal.db") as journal:
        listener = Listener("gate", "yard", model, RULES, ring, journal, [observe])
        listener.listen(Clock(datetime.now(UTC), RATE))
        yield listener, tallies[0], journal


def told(listener: Listener, tally: Tally, journal: Journal, source: object = None) -> Scrape:
    ear = SimpleNamespace(
        name="yard", rejected=listener.rejected, discarded=listener.discarded, source=source, model=listener.model
    )
    return Scrape(SourceMetrics(lambda: [cast(Ear, ear)], {"yard": tally}, journal).collect())


def test_samples_are_heard_overwritten_or_never_captured(tmp_path: Path) -> None:
    ring = RingBuffer(2 * RATE)
    ring.write(bursts((2.0, 2.5), seconds=3.0))  # one second more than it holds
    ring.skip(5_000)
    ring.write(bursts(seconds=0.5))
    with listened(tmp_path, ring, metadata()) as (listener, tally, journal):
        found = told(listener, tally, journal)
    dropped = [found.value("earwitness_dropped_samples_total", cause=cause) for cause in ("overwritten", "gap")]
    assert dropped == [1.5 * RATE, 5_000]
    assert found.value("earwitness_audio_seconds_total", source="yard") == 2.0
    assert found.value("earwitness_events_total", label="tone") == 1.0
    assert found.value("earwitness_detector_behind_seconds") == 0.0
    assert found.value("earwitness_unwritten_messages_total") == 0.0


def test_runs_of_the_model_are_counted_and_timed(tmp_path: Path) -> None:
    """One for each 40 ms at most, and one for what was still owed at each of the two ends."""
    ring = RingBuffer(4 * RATE)
    ring.write(bursts(seconds=1.0))
    ring.skip(5_000)
    ring.write(bursts(seconds=1.0))
    with listened(tmp_path, ring, metadata()) as (listener, tally, journal):
        found = told(listener, tally, journal)
    count = found.value("earwitness_inference_seconds_count", source="yard")
    assert 4 <= count <= 2 * 25 + 2
    assert 0.0 < found.value("earwitness_inference_seconds_sum", source="yard") < count


def test_a_model_that_does_not_say_what_it_heard_has_no_drift(tmp_path: Path) -> None:
    ring = RingBuffer(12 * RATE)
    ring.write(bursts(seconds=11.0))
    with listened(tmp_path, ring, metadata()) as (listener, tally, journal):
        assert not told(listener, tally, journal).has("earwitness_input_level_drift")


@pytest.mark.parametrize(("seconds", "known"), [(9.0, False), (11.0, True)])
def test_drift_is_known_after_ten_seconds(tmp_path: Path, seconds: float, known: bool) -> None:
    ring = RingBuffer(12 * RATE)
    ring.write(bursts(seconds=seconds))
    with listened(tmp_path, ring, metadata().model_copy(update={"heard": HEARD})) as (listener, tally, journal):
        found = told(listener, tally, journal)
    assert found.has("earwitness_input_spectrum_drift") == known
    if known:
        away = (log_mel(bursts(seconds=seconds), FrontendSettings())[::10].mean(axis=0) + 50.0) / 20.0
        assert found.value("earwitness_input_level_drift") == pytest.approx(away.mean(), abs=1e-4)


def test_the_state_of_a_device_and_of_a_clock(tmp_path: Path) -> None:
    ring = RingBuffer(RATE)
    with listened(tmp_path, ring, metadata()) as (listener, _, journal):
        tally = Tally(Origin("gate", "yard", metadata(), SampleClock(RATE), ring))
        assert not told(listener, tally, journal).has("earwitness_source_state")  # nobody has said anything yet
        journal.report(SourceState("yard", "silent", -120.0, 0, "toy"))
        found = told(listener, tally, journal, SimpleNamespace(opened=3, losses=Losses(overflows=2, gaps=1)))
    states = Counter({s.labels["state"]: s.value for s in found.samples if s.name == "earwitness_source_state"})
    assert +states == {"silent": 1.0}
    assert set(states) == {"hearing", "silent", "lost", "stopped"}
    assert found.value("earwitness_level_dbfs") == -120.0
    assert found.value("earwitness_source_opens_total") == 3.0
    faults = [found.value("earwitness_capture_faults_total", kind=kind) for kind in ("overflow", "gap")]
    assert faults == [2.0, 1.0]
    assert found.value("earwitness_clock_drift_ppm") == 0.0
    assert found.value("earwitness_clock_step_seconds") == 0.0
    for reason in ("short", "cooldown"):
        assert found.value("earwitness_rejected_candidates_total", label="tone", reason=reason) == 0.0
