"""The wiring: first remembered, then told; and the state of the source."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sed.journal import Journal
from sed.message import Clock
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.ring import RingBuffer
from sed.service import Listener
from tests.toy import RATE, bursts, write_toy

RULES = {"tone": Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


def heard(journal: Journal, tmp_path: Path, ring: RingBuffer) -> list[dict[str, object]]:
    model = OnnxModel(write_toy(tmp_path / "toy.onnx"))
    with journal:
        listener = Listener("gate", "yard", model, RULES, ring, journal)
        listener.listen(Clock(datetime(2026, 1, 1, tzinfo=UTC), RATE))
        assert listener.report("stopped")
        assert not listener.report("stopped")
        return [row.message for row in journal.rows()]


def test_events_are_written_with_their_times(journal: Journal, tmp_path: Path) -> None:
    ring = RingBuffer(5 * RATE)
    ring.write(bursts((1.0, 1.5), seconds=3.0))
    ring.close()
    start, end = heard(journal, tmp_path, ring)
    assert (start["node"], start["source"], start["phase"], end["phase"]) == ("gate", "yard", "start", "end")
    assert str(start["onset"]).startswith("2026-01-01T00:00:0")
    (state,) = journal.states()
    assert (state.source, state.state, state.dropped_samples, state.model) == ("yard", "stopped", 0, "toy")


def test_lost_samples_are_told_in_the_state_and_in_the_next_event(journal: Journal, tmp_path: Path) -> None:
    ring = RingBuffer(2 * RATE)
    ring.write(bursts((2.0, 2.5), seconds=3.0))  # one second more than it holds
    ring.close()
    messages = heard(journal, tmp_path, ring)
    assert [message["lost_samples"] for message in messages] == [RATE, 0]
    assert journal.states()[0].dropped_samples == RATE


def test_rules_change_while_it_listens(journal: Journal, tmp_path: Path) -> None:
    """Not one sample is lost, and the burst after the change is held to the new rule."""
    ring, model = RingBuffer(5 * RATE), OnnxModel(write_toy(tmp_path / "toy.onnx"))
    ring.write(bursts((1.0, 1.5), seconds=2.0))
    strict = {"tone": RULES["tone"].model_copy(update={"min_duration": 1.0})}
    with journal:
        listener = Listener("gate", "yard", model, RULES, ring, journal)

        def later() -> None:
            if listener.heard == 2 * RATE:
                listener.change(strict)
                ring.write(bursts((0.5, 1.0), seconds=2.0))
                ring.close()

        listener.listen(Clock(datetime(2026, 1, 1, tzinfo=UTC), RATE), passing=later)
        assert [row.message["phase"] for row in journal.rows()] == ["start", "end"]
    assert listener.heard == 4 * RATE
    assert listener.rejected == {("tone", "short"): 1}
