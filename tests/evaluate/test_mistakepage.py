"""The folder of the worst mistakes stands alone."""

from pathlib import Path

import numpy as np
import pytest

from sed.errors import SinkError
from sed.evaluate.evaluation import Findings
from sed.evaluate.hearing import Heard
from sed.evaluate.mistakepage import write_mistakes
from sed.evaluate.mistakes import mistakes
from sed.evaluate.scenelist import Scene
from sed.metadata import Rule
from sed.model import OnnxModel
from tests.evaluate.scenefolders import RULES
from tests.evaluate.test_report import Page


def test_a_page_with_the_pictures_it_shows(toy_model: OnnxModel, findings: Findings, tmp_path: Path) -> None:
    made = mistakes(findings.labels, findings.heard)
    write_mistakes(tmp_path / "worst", made, RULES, toy_model.metadata, most=8)
    text = (tmp_path / "worst" / "index.html").read_text()
    page = Page()
    page.feed(text)
    assert page.sources == ["tone-missed-1.png", "tone-false-1.png"]
    assert {path.name for path in (tmp_path / "worst").iterdir()} == {"index.html", *page.sources}
    for name in page.sources:
        assert (tmp_path / "worst" / name).read_bytes().startswith(b"\x89PNG")
    assert "script" not in page.tags
    assert "http" not in text
    assert "<tr><th>D</th><td>1</td><td>0</td><td>0</td><td>0</td><td>1</td><td>0</td><td>0.00</td></tr>" in text
    assert "<tr><th>dishes</th><td>-</td><td>2</td><td>1</td><td>2</td><td>0.001</td><td></td></tr>" in text


def test_a_label_of_which_nothing_was_there_and_nothing_told(toy_model: OnnxModel, tmp_path: Path) -> None:
    heard = Heard((), np.zeros((10, 1), np.float32), 0.04, 0.4)
    made = mistakes(("scream",), [(Scene("a.wav", Path("a.wav"), "music"), heard)])
    write_mistakes(tmp_path / "worst", made, {"scream": Rule()}, toy_model.metadata, most=8)
    assert "No event to find, and no false alarm." in (tmp_path / "worst" / "index.html").read_text()
    assert len(list((tmp_path / "worst").iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_told(toy_model: OnnxModel, findings: Findings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = mistakes(findings.labels, findings.heard)
    with pytest.raises(SinkError, match=r"--worst .*: cannot be written"):
        write_mistakes(tmp_path / "file", made, RULES, toy_model.metadata, most=1)
