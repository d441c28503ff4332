"""The picture of a recording: looked at as pixels, and bounded for long ones."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.errors import UsageError
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.plot import COLUMNS, Plot, _Pool, check_drawable
from sed.scan import Scanner
from tests.toy import RATE, bursts, write_toy

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_draws(tmp_path: Path, suffix: str) -> None:
    model = OnnxModel(write_toy(tmp_path / "toy.onnx"))
    rules = {"tone": Rule(on=0.5, off=0.4)}
    soundfile.write(tmp_path / "a.wav", bursts((0.5, 1.0), seconds=2.0), RATE)
    path = tmp_path / f"deep/a{suffix}"
    scan = Scanner(model, rules).scan(str(tmp_path / "a.wav"), lambda: [Plot(path, model.metadata, rules, "a.wav")])
    assert scan.error is None
    assert path.stat().st_size > 5_000
    if suffix == ".png":
        from matplotlib.image import imread

        picture = imread(path)
        assert picture[..., :3].std() > 0.05  # not blank


def test_an_ending_that_is_no_picture(tmp_path: Path) -> None:
    model = OnnxModel(write_toy(tmp_path / "toy.onnx"))
    with pytest.raises(UsageError, match=r"need a name that ends in \.png, \.svg or \.pdf"):
        Plot(tmp_path / "a.txt", model.metadata, model.metadata.rules, "a")


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    with pytest.raises(UsageError, match=r"needs matplotlib; pip install 'earwitness\[plot\]'"):
        check_drawable(tmp_path / "a.png")


def test_a_name_is_no_formula(tmp_path: Path) -> None:
    model = OnnxModel(write_toy(tmp_path / "toy.onnx"))
    plot = Plot(tmp_path / "a.png", model.metadata, model.metadata.rules, "$a_{$.wav")
    plot.close([])
    assert (tmp_path / "a.png").is_file()


def test_long_recordings_are_pooled_to_their_maxima() -> None:
    pool = _Pool()
    rows = np.random.default_rng(5).random((25_001, 3)).astype(np.float32)
    for first in range(0, len(rows), 777):
        pool.push(rows[first : first + 777])
    values = pool.values(3)
    assert pool.count == 25_001
    assert len(values) <= 2 * COLUMNS
    expected = np.array([rows[n : n + pool.factor].max(axis=0) for n in range(0, len(rows), pool.factor)])
    np.testing.assert_array_equal(values, expected)
