"""The picture of the main table."""

from pathlib import Path
from struct import unpack

import pytest

from sed.evaluate.bootstrap import Interval
from sed.evaluate.comparison import System
from sed.evaluate.evaluation import Findings, Measure
from sed.evaluate.summary import DPI, HEIGHT, WIDTH, draw_summary
from tests.toy import metadata

NONE = Interval(*3 * (float("nan"),))


@pytest.fixture
def few(findings: Findings) -> Findings:
    """A label more, of which there is no event."""
    f1 = Measure("onset_f1", "", 3, {"all": Interval(0.8, 0.7, 0.9), "tone": Interval(0.8, 0.7, 0.9), "scream": NONE})
    return Findings(("tone", "scream"), findings.hours, findings.scenes, findings.events, [f1, *findings.measures[1:]])


def test_it_is_written_at_twice_the_size_it_is_read_at(findings: Findings, few: Findings, tmp_path: Path) -> None:
    for number, own in enumerate((findings, few)):
        path = tmp_path / f"{number}.png"
        draw_summary(path, [System(metadata(), own), System(metadata(), own)])
        size = unpack(">II", path.read_bytes()[16:24])
        assert size == (round(WIDTH * DPI), round(HEIGHT * DPI))


def test_plain_sound_alone_has_alarms_only(findings: Findings, tmp_path: Path) -> None:
    plain = [m for m in findings.measures if m.name == "false_alarms_per_hour_plain"]
    own = Findings(findings.labels, findings.hours, findings.scenes, {}, plain)
    draw_summary(tmp_path / "plain.svg", [System(metadata(), own)])
    text = (tmp_path / "plain.svg").read_text()
    assert "<!-- plain sound -->" in text
    assert "<!-- mean -->" not in text


def test_bars_are_named_and_a_label_without_events_has_none(few: Findings, tmp_path: Path) -> None:
    draw_summary(tmp_path / "few.svg", [System(metadata(), few)])
    text = (tmp_path / "few.svg").read_text()
    assert "<!-- tone -->" in text
    assert "<!-- 0.80 -->" in text
    assert "scream" not in text
