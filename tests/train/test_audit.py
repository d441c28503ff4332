"""What the audit counts, by hand on a few clips, and its pictures."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from sed.errors import UsageError
from sed.train.audit import Audit, measured
from sed.train.gallery import check_drawing, draw
from sed.train.layouts import layout_of, rows_of
from sed.train.manifest import Row
from tests.train import layouts
from tests.train.layouts import sound, tone


def audited(folder: Path, rows: list[Row]) -> Audit:
    audit = Audit(str(folder), "made")
    audit.take(measured(folder, rows))
    return audit


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Three tones of 500, 1000 and 3000 Hz, a silent clip, one that is missing and one that is broken."""
    rows = [
        Row(f"{hz}.wav", ("tone",), split, group, licence="CC0") for hz, split, group in
        ((500, "train", "a"), (1000, "train", "b"), (3000, "test", "a"))
    ]  # fmt: skip
    for row in rows:
        sound(tmp_path / row.path, tone(float(Path(row.path).stem), 1.0))
    sound(tmp_path / "silent.wav", np.zeros((11_025, 2), np.float32), 11_025)
    (tmp_path / "broken.wav").write_text("<html>")
    rows += [
        Row("silent.wav", ("quiet",), suspect="siren"),
        Row("missing.wav", ("quiet",)),
        Row("broken.wav", ("quiet",)),
    ]
    return audited(tmp_path, rows)


def test_a_class(audit: Audit) -> None:
    found = audit.classes()[0]
    assert (found.label, found.clips, found.groups) == ("tone", 3, 2)
    assert found.by_split == {"train": 2, "test": 1}
    assert found.minutes == pytest.approx(3 / 60)
    centroid = found.centroid
    assert (centroid.low, centroid.median, centroid.high) == pytest.approx((750.0, 1000.0, 2000.0), rel=0.01)
    assert found.flatness.high < 0.001


def test_a_silent_class_has_no_spectrum(audit: Audit) -> None:
    found = audit.classes()[1]
    assert (found.label, found.silence) == ("quiet", 1.0)
    assert math.isnan(found.centroid.median)


def test_the_whole(audit: Audit) -> None:
    assert audit.durations() == pytest.approx({"min": 1.0, "median": 1.0, "max": 1.0, "total": 4.0})
    assert audit.silence() == pytest.approx(0.25)
    assert audit.count(lambda clip: clip.sound.rate) == {"16000": 3, "11025": 1}
    assert audit.count(lambda clip: clip.sound.channels) == {"1": 3, "2": 1}
    assert audit.flaws() == {"near-empty": ["silent.wav"], "clipped": [], "offset": []}
    assert audit.suspects() == {"siren": ["silent.wav"]}
    assert audit.crossing() == {"a": ["test", "train"]}


def test_one_bad_file_never_stops_the_others(audit: Audit) -> None:
    assert list(audit.unreadable) == ["missing.wav", "broken.wav"]
    assert "no such file" in audit.unreadable["missing.wav"]
    assert "not a recording that can be read" in audit.unreadable["broken.wav"]


def test_the_document_is_strict_json(audit: Audit) -> None:
    document = json.loads(json.dumps(audit.document(), allow_nan=False))
    assert document["classes"][1]["centroid"] == {"low": None, "median": None, "high": None}
    assert document["licence_kinds"] == {"open": 3, "unknown": 1}
    assert document["crossing_groups"] == {"a": ["test", "train"]}


def test_progress_is_told_for_every_file(tmp_path: Path) -> None:
    steps: list[int] = []
    list(measured(tmp_path, [Row("a.wav", ("x",)), Row("b.wav", ("x",))], lambda: steps.append(1)))
    assert len(steps) == 2


def test_pictures(tmp_path: Path, audit: Audit) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    paths = draw(audit, tmp_path / "out")
    assert [path.name for path in paths] == ["classes.png", "spectra.png", "examples-1.png"]
    for path in paths:
        picture = imread(path)[..., :3]
        assert picture.std() > 0.05  # not blank
        assert (picture[:, -3:] > 0.9).mean() > 0.5  # nothing runs over the edge


def test_many_classes_get_one_example_each(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = [f"class_{n:02}" for n in range(30)]
    rows = [Row(f"{name}.wav", (name,)) for name in names]
    for n, row in enumerate(rows):
        sound(tmp_path / row.path, tone(200.0 + 100 * n, 0.02 if n == 3 else 0.3))  # shorter than a window
    paths = draw(audited(tmp_path, rows), tmp_path / "out")
    assert [path.name for path in paths][2:] == ["examples-1.png", "examples-2.png"]


def test_sections_are_audited_as_clips(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = layouts.desed(tmp_path / "desed")
    audit = audited(folder, rows_of(folder, layout_of(folder)))
    seconds = {clip.row.label: clip.sound.seconds for clip in audit.checked}
    assert seconds == pytest.approx({"Cat": 0.5, "Dog": 0.5, "Speech": 1.0, "Siren": 1.5})
    assert len(draw(audit, tmp_path / "out")) == 3


def test_a_file_is_no_folder_for_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="need a folder, this is a file"):
        check_drawing(tmp_path / "file")
