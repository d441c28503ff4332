"""What a worker answers: the same events as `earwitness detect`, and the reasons where there are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.archive.engine import Job, Order, Outcome, Recording
from sed.archive.worker import prepare, work
from sed.errors import ModelError
from sed.model import OnnxModel
from sed.scan import Scanner
from sed.signals import Floats
from tests.archive.scanned import toy_order
from tests.toy import RATE, bursts

SOUND = bursts((0.5, 1.0), (1.8, 2.0), seconds=2.5)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return toy_order(tmp_path)


def wav(path: Path, sound: Floats = SOUND, rate: int = RATE) -> str:
    soundfile.write(path, sound, rate, subtype="FLOAT", format="WAV")
    return str(path)


def answers(order: Order, *names: str) -> list[Outcome]:
    done = work(Job(0, tuple(map(Recording, names))), order)
    assert [one.recording.name for one in done.outcomes] == list(names)
    return list(done.outcomes)


def test_the_same_as_a_scanner(tmp_path: Path, order: Order) -> None:
    a, b = wav(tmp_path / "a.wav"), wav(tmp_path / "20261120_025901.wav", np.tile(SOUND, 3), 16_000)
    scanner = Scanner(OnnxModel(tmp_path / "toy.onnx"), order.rules)
    first, second = answers(order, a, b)
    assert list(first.detections) == scanner.scan(a).detections
    assert list(second.detections) == scanner.scan(b).detections
    assert len(second.detections) == 6
    assert (first.status, first.duration, first.sample_rate, first.channels) == ("done", 2.5, RATE, 1)
    assert (first.begins, second.time_source) == (None, "name")


def test_one_bad_recording_never_stops_the_others(tmp_path: Path, order: Order) -> None:
    (tmp_path / "page.wav").write_text("<html>")
    broken = SOUND.copy()
    broken[int(1.5 * RATE)] = np.nan
    page, nan, gone, good = answers(
        order, str(tmp_path / "page.wav"), wav(tmp_path / "nan.wav", broken), "gone.wav", wav(tmp_path / "good.wav")
    )
    assert (page.status, page.error) == (
        "failed", "not a recording that can be read (unknown format, or the header is cut short)",
    )  # fmt: skip
    assert (nan.status, nan.error) == ("failed", "sample 24000 (1.500 s) is not a number")
    assert (len(nan.detections), nan.duration, nan.sample_rate) == (1, 1.0, RATE)
    assert (gone.status, gone.error) == ("failed", "no such file or folder")
    assert (good.status, len(good.detections)) == ("done", 2)


def test_a_channel_that_is_not_there(tmp_path: Path, order: Order) -> None:
    (one,) = answers(replace(order, channel=3), wav(tmp_path / "a.wav"))
    assert (one.status, one.error) == ("failed", "no channel 3: the file has 0 only; choose one, or 'mix'")


def test_the_model_is_loaded_once(order: Order) -> None:
    assert prepare(order) is prepare(replace(order, channel="mix"))


def test_a_model_that_is_none() -> None:
    with pytest.raises(ModelError):
        prepare(Order(b"no model", "none", "none", {}))
