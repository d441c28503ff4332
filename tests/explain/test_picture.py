"""The picture of a finding, looked at as pixels and as words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sed.explain.evidence import Evidence, Patch
from sed.explain.excerpt import Excerpt, Place
from sed.explain.finding import Finding
from sed.explain.picture import Picture
from sed.metadata import Rule
from sed.plot import save
from sed.signals import Floats
from tests.toy import metadata

pytest.importorskip("matplotlib")


def picture(falls: Floats, *, rule: Rule | None = None, finding: Finding | None = None) -> Picture:
    """Two seconds: 50 rows, 200 frames; the finding is from 1.0 to 1.4 s; cells of 6 frames x 4 bands."""
    frames = np.random.default_rng(2).normal(-80.0, 4.0, (208, 64)).astype(np.float32)
    excerpt = Excerpt(Place(range(50), range(25, 35)), frames[:0], frames)
    evidence = Evidence(falls, (6, 4), 0.91, Patch(slice(102, 114), slice(16, 24)), 0.32)
    scores = np.linspace(0.0, 1.0, 50, dtype=np.float32)
    found = finding or Finding("tone", 1.0, 1.4, 0.91)
    return Picture("a$b.wav", found, rule or Rule(on=0.55), metadata(), excerpt, evidence, scores, scores)


def drawn(tmp_path: Path, shown: Picture) -> Floats:
    from matplotlib.image import imread

    save(shown.draw(), tmp_path / "deep" / "why.png")
    return np.asarray(imread(tmp_path / "deep" / "why.png"), np.float32)[..., :3]


def redness(pixels: Floats) -> Floats:
    return pixels[..., 0] - pixels[..., 2]


def test_evidence_is_orange_where_it_lies_and_blue_where_it_speaks_against(tmp_path: Path) -> None:
    falls = np.zeros((34, 16), np.float32)
    falls[17:19, 4:6] = 2.0  # about 1.1 s, low
    falls[4:6, 12:14] = -2.0  # about 0.3 s, high
    pixels = drawn(tmp_path, picture(falls))[:, :1000]  # without the colour bar
    assert pixels.std() > 0.1
    orange, blue = np.argwhere(redness(pixels) > 0.4), np.argwhere(redness(pixels) < -0.4)
    assert min(len(orange), len(blue)) > 300
    assert np.median(orange[:, 1]) > np.median(blue[:, 1]) + 200  # later
    assert np.median(orange[:, 0]) > np.median(blue[:, 0]) + 100  # lower


def test_what_hardly_matters_stays_pale(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, picture(np.full((34, 16), 0.01, np.float32)))[:, :1000]
    assert np.abs(redness(pixels)).max() < 0.2


def words(shown: Picture) -> str:
    from matplotlib.text import Text

    return "\n".join(t.get_text() for t in shown.draw().findobj(Text) if isinstance(t, Text))


def test_it_says_which_patch_was_used_and_what_it_did() -> None:
    text = words(picture(np.zeros((34, 16), np.float32)))
    assert "a patch of 0.12 s x 8 of 64 mel bands" in text
    assert "is 0.32 instead of 0.91" in text
    assert "tone, 1.00 to 1.40 s: event, score 0.91" in text
    assert "on 0.55" in text
    assert "off 0.3" in text


def test_it_says_when_no_patch_matters() -> None:
    shown = picture(np.zeros((34, 16), np.float32))
    shown = replace(shown, evidence=replace(shown.evidence, without=0.907))
    assert "No single patch lowers the mean score of the shaded time, 0.91." in words(shown)
    assert "(box)" not in words(shown)


def test_it_says_why_there_was_no_event() -> None:
    missed = Finding("tone", 1.0, 1.4, 0.47, "peak 0.47 never reached on = 0.55", "on", 0.47, 0.55)
    assert "no event: peak 0.47 never reached on = 0.55" in words(
        picture(np.zeros((34, 16), np.float32), finding=missed)
    )


def test_with_a_median_both_curves_are_drawn() -> None:
    for median, curves in ((1, 1), (3, 2)):
        figure = picture(np.zeros((34, 16), np.float32), rule=Rule(median=median)).draw()
        lines = figure.axes[1].get_lines()
        assert len([line for line in lines if len(np.asarray(line.get_xdata())) == 50]) == curves
