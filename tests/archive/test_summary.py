"""The summary as its readers see it: a page that needs nothing from outside, and pictures that show something."""

import re
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread

from sed.archive.engine import Job, Order, Outcome, Recording
from sed.archive.summary import summarise
from sed.archive.summary.excerpt import BEFORE, LONGEST, hear
from sed.archive.summary.standouts import Standout
from sed.archive.worker import prepare, work
from sed.errors import AudioError, DamagedError, SinkError, UsageError
from sed.formats import Detection
from sed.frontend import log_mel
from sed.scan import Scanner
from sed.signals import Floats, Frames, Scores
from tests.archive.scanned import detection, outcome, toy_order, write_scan
from tests.toy import RATE, bursts

BEGIN = datetime(2026, 3, 28, 20, 7, 11, tzinfo=UTC)


class _Page(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def _recordings(folder: Path, *names: str) -> tuple[Recording, ...]:
    found = []
    for n, name in enumerate(names):
        path = folder / name
        soundfile.write(path, bursts((2.0, 3.0), (5.0, 5.5), seconds=8.0, seed=n) * 0.5**n, RATE)
        found.append(Recording(str(path), path.stat().st_size))
    return tuple(found)


def _scanned(folder: Path, order: Order, *recordings: Recording) -> list[Outcome]:
    return list(work(Job(0, recordings), order).outcomes)


def test_a_scan_with_known_times(tmp_path: Path) -> None:
    order = toy_order(tmp_path, timezone="Europe/Berlin")
    found = _scanned(tmp_path, order, *_recordings(tmp_path, "a_20260328_200711.wav", "b_20260329_030000.wav"))
    written = summarise(write_scan(tmp_path / "out", found), order)
    names = ["index.html", "by-label.png", "by-hour.png", "by-day.png", "loudest.png", "doubtful.png"]
    assert [path.relative_to(tmp_path / "out/summary").as_posix() for path in written] == names
    page = _Page(written[0])
    assert page.links == names[1:]
    assert "2 done" in page.text
    assert "shown as Europe/Berlin" in page.text
    for picture in written[1:]:
        assert imread(picture)[..., :3].std() > 0.05  # not blank
    assert sorted(path.name for path in (tmp_path / "out/summary").iterdir()) == sorted(names)


def test_without_times_by_position(tmp_path: Path) -> None:
    order = toy_order(tmp_path)
    found = _scanned(tmp_path, order, *_recordings(tmp_path, "a.wav"))
    names = [path.name for path in summarise(write_scan(tmp_path / "out", found), order)]
    assert names == ["index.html", "by-label.png", "by-position.png", "loudest.png", "doubtful.png"]
    assert "--time-format" in _Page(tmp_path / "out/summary/index.html").text


def test_nothing_was_heard(tmp_path: Path) -> None:
    order = toy_order(tmp_path)
    written = summarise(write_scan(tmp_path / "out", [outcome("a.wav")]), order)
    assert [path.name for path in written] == ["index.html"]
    assert "Nothing was heard" in _Page(written[0]).text


def test_names_are_text_and_recordings_may_have_gone(tmp_path: Path) -> None:
    evil = '<script src="https://example.org/x.js">alert(1)</script> $a_{$ 声.wav'
    label = "<b>$x_{"
    order = toy_order(tmp_path, (label,))
    gone = outcome(evil, detection(evil, 1.0, label), begins=BEGIN)
    bad = outcome(f"bad {evil}", status="failed", error='holds <img src="http://example.org/y.png">')
    page = _Page(summarise(write_scan(tmp_path / "out", [gone, bad]), order)[0])
    assert evil in page.text
    assert label in page.text
    assert 'holds <img src="http://example.org/y.png">' in page.text
    assert "script" not in page.tags
    assert not [link for link in page.links if ":" in link or link.startswith("/")]
    assert "link" not in page.tags
    assert not re.search(r"url\(|@import", (tmp_path / "out/summary/index.html").read_text())


def test_a_recording_behind_a_url(tmp_path: Path) -> None:
    import fsspec

    path = Path(_recordings(tmp_path, "a.wav")[0].name)
    order, name = toy_order(tmp_path), "memory://archive/a.wav"
    fsspec.filesystem("memory").pipe("/archive/a.wav", path.read_bytes())
    try:
        here, there = (hear(_standout(one, 2.0, 3.0), prepare(order), order) for one in (str(path), name))
    finally:
        fsspec.filesystem("memory").rm("/archive", recursive=True)
    np.testing.assert_array_equal(here.frames, there.frames)
    np.testing.assert_array_equal(here.scores, there.scores)


class _Kept:
    def __init__(self) -> None:
        self.rows: list[Floats] = []

    def frames(self, frames: Frames) -> None: ...
    def scores(self, scores: Scores) -> None:
        self.rows.append(scores.values)

    def close(self, detections: list[Detection]) -> None: ...


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3"])
@pytest.mark.parametrize(("onset", "offset"), [(0.2, 0.9), (22.0, 22.5), (25.0, 50.0), (58.0, 59.9)])
def test_an_excerpt_is_what_was_scanned(tmp_path: Path, name: str, onset: float, offset: float) -> None:
    order, path = toy_order(tmp_path), tmp_path / name
    soundfile.write(path, bursts((0.2, 0.9), (22.0, 22.5), (25.0, 50.0), (58.0, 59.9), seconds=60.0), RATE)
    samples, kept, model = soundfile.read(path, dtype="float32")[0], _Kept(), prepare(order)
    Scanner(model, order.rules).scan(str(path), lambda: [kept])
    scores, mel = np.concatenate(kept.rows)[:, 0], log_mel(samples, model.metadata.frontend)
    excerpt = hear(_standout(str(path), onset, offset), model, order)
    row = round(excerpt.begin / model.metadata.period)
    assert excerpt.begin == pytest.approx(max(0.0, onset - BEFORE), abs=model.metadata.period)
    length = min(offset - onset + 2 * BEFORE, LONGEST, 60.0 - excerpt.begin)
    assert len(excerpt.scores) * model.metadata.period == pytest.approx(length, abs=0.1)
    np.testing.assert_allclose(excerpt.scores, scores[row : row + len(excerpt.scores)], atol=1e-3)
    first = row * model.metadata.stride
    shown = min(len(excerpt.frames), len(mel) - first)
    assert shown >= len(excerpt.frames) - model.metadata.stride
    np.testing.assert_allclose(excerpt.frames[:shown], mel[first : first + shown], atol=1e-2)


def test_a_recording_that_is_shorter_now(tmp_path: Path) -> None:
    order = toy_order(tmp_path)
    name = _recordings(tmp_path, "a.wav")[0].name
    with pytest.raises(AudioError, match=r"ends before 100\.00 s; it is not what was scanned"):
        hear(_standout(name, 100.0, 101.0), prepare(order), order)


def _standout(name: str, onset: float, offset: float) -> Standout:
    return Standout(name, "tone", onset, offset, 0.9, -20.0, None)


def test_a_folder_without_a_scan(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing was scanned into this folder yet"):
        summarise(tmp_path, toy_order(tmp_path))


def test_a_damaged_part(tmp_path: Path) -> None:
    write_scan(tmp_path / "out", [outcome("a.wav")])
    (tmp_path / "out/events/part-000000.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DamagedError, match="its tables cannot be read"):
        summarise(tmp_path / "out", toy_order(tmp_path))


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    write_scan(tmp_path / "out", [outcome("a.wav")])
    (tmp_path / "out/summary").write_text("a file in its place")
    with pytest.raises(SinkError, match="the summary cannot be written"):
        summarise(tmp_path / "out", toy_order(tmp_path))


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    with pytest.raises(UsageError, match=r"needs matplotlib; pip install 'earwitness\[scan\]'"):
        summarise(tmp_path, toy_order(tmp_path))
