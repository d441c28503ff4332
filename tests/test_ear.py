"""One source among others: its states, its end, and its faults, which are its own."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from sed.config import SourceConfig
from sed.ear import Ear
from sed.journal import Journal
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.signals import Frames, Scores
from tests.broker import eventually
from tests.toy import RATE, bursts, write_toy

RULES = {"tone": Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


@pytest.fixture
def model(tmp_path: Path) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path / "toy.onnx"))


def opened(name: str, folder: Path, model: OnnxModel, journal: Journal, seconds: float = 0.6) -> Ear:
    soundfile.write(folder / f"{name}.wav", bursts((0.2, seconds), seconds=seconds), RATE)
    config = SourceConfig(name=name, url=f"file:{folder / name}.wav")
    return Ear(config, "gate", model, RULES, journal)


def states(journal: Journal) -> dict[str, str]:
    return {state.source: state.state for state in journal.states()}


class Brittle(OnnxModel):
    """Breaks at the first frames, in a way that nobody foresaw."""

    def step(self, frames: Frames) -> Scores:
        raise ZeroDivisionError("unforeseen")


def test_a_fault_in_one_ear_is_its_own(
    journal: Journal, model: OnnxModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda crash: crashes.append(str(crash.exc_value)))
    broken = opened("broken", tmp_path, Brittle(tmp_path / "toy.onnx"), journal, seconds=30.0)
    whole = opened("whole", tmp_path, model, journal)
    for each in (broken, whole):
        each.start()
    eventually(lambda: not broken.alive and not whole.alive)
    for each in (broken, whole):
        each.look()
    assert (broken.broken, broken.failure) == (True, "the detector broke off")
    assert (whole.broken, whole.failure) == (False, "")
    assert states(journal) == {"broken": "stopped", "whole": "stopped"}
    assert [row.message["phase"] for row in journal.rows()] == ["start", "end"]
    assert crashes == ["unforeseen"]


def test_stopped_is_said_after_the_last_event_was_written(journal: Journal, model: OnnxModel, tmp_path: Path) -> None:
    yard = opened("yard", tmp_path, model, journal)
    yard.start()
    while states(journal).get("yard") != "stopped":
        yard.look()
        assert yard.alive or len(journal.rows()) == 2
    assert yard.heard == round(0.6 * RATE)


def test_a_source_that_is_being_opened_is_not_lost_yet(
    journal: Journal,
    model: OnnxModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    yard = opened("yard", tmp_path, model, journal)
    monkeypatch.setattr(yard._source, "start", lambda: None)  # it never comes to it
    yard.start()
    yard.look()
    assert states(journal) == {}
    monkeypatch.setattr(yard, "_settled", 0.0)
    yard.look()
    yard.look()
    assert states(journal) == {"yard": "lost"}
    monkeypatch.setattr(yard._source, "join", lambda timeout: None)
    yard.stop()
    yard.close(patience=0.0, until=time.monotonic() + 5.0)
    assert states(journal) == {"yard": "stopped"}
    lines = [record.message for record in caplog.records]
    assert lines == ["source yard: lost: not opened yet", "source yard: stopped"]


def test_a_new_reason_for_being_lost_is_logged_once(
    journal: Journal,
    model: OnnxModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    yard = opened("yard", tmp_path, model, journal)
    monkeypatch.setattr(yard._source, "start", lambda: None)
    yard.start()
    monkeypatch.setattr(yard, "_settled", 0.0)
    for reason in ("no answer", "no answer", "password refused", "password refused"):
        monkeypatch.setattr(yard._source, "_failure", reason)
        yard.look()
    lines = [record.message for record in caplog.records]
    assert lines == ["source yard: lost: no answer", "source yard: lost: password refused"]
    monkeypatch.setattr(yard._source, "join", lambda timeout: None)
    yard.stop()
    yard.close(patience=0.0, until=time.monotonic() + 5.0)
