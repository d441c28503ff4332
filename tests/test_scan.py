"""Recordings scanned for real: files written, resampled, detected, and looked at by observers."""

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.metadata import Rule
from sed.model import OnnxModel
from sed.scan import Scan, Scanner
from sed.scorefile import ScoreFile
from sed.signals import Floats
from tests.toy import RATE, bursts, metadata, write_toy

RULE = Rule(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)
SOUND = bursts((0.5, 1.0), (1.8, 2.0), seconds=2.5)


@pytest.fixture
def scanner(tmp_path: Path) -> Scanner:
    return Scanner(OnnxModel(write_toy(tmp_path / "toy.onnx")), {"tone": RULE})


def wav(path: Path, samples: Floats, rate: int = RATE) -> str:
    soundfile.write(path, samples, rate, subtype="FLOAT", format="WAV")
    return str(path)


def onsets(scan: Scan) -> list[float]:
    return [round(d.onset, 2) for d in scan.detections]


def test_finds_the_events_and_tells_the_seconds(tmp_path: Path, scanner: Scanner) -> None:
    heard: list[float] = []
    scan = scanner.scan(wav(tmp_path / "a.wav", SOUND), heard=heard.append)
    assert scan.error is None
    assert onsets(scan) == pytest.approx([0.5, 1.8], abs=0.13)
    assert sum(heard) == pytest.approx(2.5)
    assert scan.seconds == pytest.approx(2.5)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_at_any_rate(tmp_path: Path, scanner: Scanner, rate: int) -> None:
    sound = bursts((0.5, 1.0), (1.8, 2.0), seconds=2.5, rate=rate)
    assert onsets(scanner.scan(wav(tmp_path / "a.wav", sound, rate))) == pytest.approx([0.5, 1.8], abs=0.13)


def test_one_recording_leaves_nothing_for_the_next(tmp_path: Path, scanner: Scanner) -> None:
    name = wav(tmp_path / "a.wav", SOUND)
    assert scanner.scan(name) == scanner.scan(name)


def test_a_recording_that_breaks_off_keeps_what_was_found(tmp_path: Path, scanner: Scanner) -> None:
    samples = bursts((0.5, 1.0), (2.9, 3.5), seconds=4.0)
    samples[50_000] = np.nan  # the third second ends well; the fourth, with an event that has begun, does not
    scan = scanner.scan(wav(tmp_path / "a.wav", samples))
    assert str(scan.error) == f"{tmp_path / 'a.wav'}: sample 50000 (3.125 s) is not a number"
    assert onsets(scan) == pytest.approx([0.5, 2.9], abs=0.13)


def test_score_file_reads_as_sed_scores_eval_writes_it(tmp_path: Path, scanner: Scanner) -> None:
    path = tmp_path / "scores" / "a.tsv"
    scanner.scan(wav(tmp_path / "a.wav", SOUND), lambda: [ScoreFile(path, metadata().labels, RATE)])
    header, *lines = path.read_text().splitlines()
    rows = np.array([[float(cell) for cell in line.split("\t")] for line in lines])
    assert header == "onset\toffset\ttone"
    assert len(rows) == 62  # 2.5 s in rows of 40 ms: the frames end a window before the sound does
    np.testing.assert_allclose(rows[1:, 0], rows[:-1, 1], atol=1e-6)
    assert rows[15:24, 2].min() > 0.5
    assert rows[27:40, 2].max() < 0.5


def test_sed_scores_eval_reads_the_score_files(tmp_path: Path, scanner: Scanner) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources
        reader = pytest.importorskip("sed_scores_eval.base_modules.io")
    for name in ("a", "b"):
        kept = ScoreFile(tmp_path / "scores" / f"{name}.tsv", ("tone",), RATE)
        scanner.scan(wav(tmp_path / f"{name}.wav", SOUND), partial(list, [kept]))
    scores = reader.read_sed_scores(tmp_path / "scores")
    assert sorted(scores) == ["a", "b"]
    assert list(scores["a"].columns) == ["onset", "offset", "tone"]
    assert len(scores["a"]) == 62
