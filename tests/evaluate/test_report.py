"""The page and its pictures stand alone in their folder."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from sed.errors import SinkError
from sed.evaluate.evaluation import Findings
from sed.evaluate.report import write_report
from sed.model import OnnxModel


class Page(HTMLParser):
    """The tags of a page, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_report_stands_alone(toy_model: OnnxModel, findings: Findings, tmp_path: Path) -> None:
    write_report(tmp_path / "report", findings, toy_model.metadata)
    page = Page()
    text = (tmp_path / "report" / "index.html").read_text()
    page.feed(text)
    assert page.sources == ["curves.png", "recall.png", "confusion.png"]
    for name in page.sources:
        assert (tmp_path / "report" / name).read_bytes().startswith(b"\x89PNG")
    assert "script" not in page.tags
    assert "http" not in text
    assert "dishes told as tone" in text


def test_a_report_that_cannot_be_written_is_told(toy_model: OnnxModel, findings: Findings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        write_report(tmp_path / "file", findings, toy_model.metadata)
