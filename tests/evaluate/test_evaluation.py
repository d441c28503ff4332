"""Figures of a folder of four scenes that can be counted on one hand."""

import json
import math
from pathlib import Path

import pytest

from sed.evaluate.document import document
from sed.evaluate.evaluation import Findings, evaluate
from sed.evaluate.scenelist import read_scenes
from sed.model import OnnxModel
from tests.evaluate.scenefolders import RULES, SECONDS, write_folder


def value(findings: Findings, name: str) -> float:
    return next(m for m in findings.measures if m.name == name).figures["tone"].value


def test_what_was_heard_is_told(findings: Findings) -> None:
    assert findings.scenes == {"target": 2, "distractor": 1, "explosion": 1}
    assert findings.hours["target"] == pytest.approx(2 * SECONDS / 3600)
    assert findings.events == {"tone": 3}


@pytest.mark.parametrize(("name", "expected"), [
    ("onset_f1", 0.8),                # two of three found, none false
    ("onset_precision", 1.0),
    ("onset_recall", 2 / 3),
    ("onset_error_rate", 1 / 3),
    ("onset_f1_all_scenes", 2 / 3),   # and the dishes are one false alarm
    ("event_f1", 0.8),
    ("segment_f1", 0.8),              # seconds 1, 4 of 1, 2, 4
    ("recall_6_db", 1.0),
    ("recall_20_db", 0.5),
    ("recall_clear", 0.5),
    ("recall_quiet_beds", 1.0),
    ("recall_loud_beds", 0.0),
    ("false_alarms_per_hour_target", 0.0),
    ("false_alarms_per_hour_distractor", 3600 / SECONDS),
    ("false_alarms_per_hour_explosion", 0.0),
    ("false_alarms_per_hour_plain", 3600 / SECONDS / 2),
    ("onset_f1_quieter", 0.8),
    ("onset_f1_change", 0.0),
])  # fmt: skip
def test_figures(findings: Findings, name: str, expected: float) -> None:
    assert value(findings, name) == pytest.approx(expected)


def test_an_edge_belongs_to_the_louder_beds(toy_model: OnnxModel, tmp_path: Path) -> None:
    parts = write_folder(tmp_path) / "scenes.csv"
    parts.write_text(parts.read_text().replace("-42.00", "-40.00").replace("-30.00", "-35.00"))
    found = evaluate(toy_model, RULES, read_scenes(tmp_path))
    quiet, middle, loud = (value(found, f"recall_{name}_beds") for name in ("quiet", "middle", "loud"))
    assert math.isnan(quiet)  # there are no events
    assert (middle, loud) == (1.0, 0.0)


def test_beds_of_unknown_level_have_no_rows(toy_model: OnnxModel, tmp_path: Path) -> None:
    parts = write_folder(tmp_path) / "scenes.csv"
    parts.write_text("\n".join(",".join(line.split(",")[:7]) for line in parts.read_text().splitlines()))
    names = [measure.name for measure in evaluate(toy_model, RULES, read_scenes(tmp_path)).measures]
    assert "recall_clear" in names
    assert not [name for name in names if name.endswith("_beds")]


def test_delays_are_within_a_row_or_two(findings: Findings) -> None:
    assert 0 <= value(findings, "onset_error_ms") <= 130


def test_intervals_hold_their_figure(findings: Findings) -> None:
    for measure in findings.measures:
        for figure in measure.figures.values():
            if math.isfinite(figure.low):
                assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, measure.name


def test_the_dishes_are_named(findings: Findings) -> None:
    assert findings.confusion == {("tone", "tone"): 2, ("tone", "nothing"): 1, ("dishes", "tone"): 1}


def test_the_same_seed_gives_the_same_document(toy_model: OnnxModel, findings: Findings, tmp_path: Path) -> None:
    scenes = read_scenes(write_folder(tmp_path))
    again = evaluate(toy_model, RULES, scenes, [scenes[2], scenes[3]])
    one, two = (json.dumps(document(found, toy_model.metadata, {})) for found in (findings, again))
    assert one == two
    other = evaluate(toy_model, RULES, scenes, seed=1)
    assert other.measures[0].figures["tone"].value == value(findings, "onset_f1")


def test_plain_sound_alone_is_counted(toy_model: OnnxModel, tmp_path: Path) -> None:
    steps: list[int] = []
    found = evaluate(toy_model, RULES, [], read_scenes(write_folder(tmp_path))[2:], step=lambda: steps.append(1))
    assert [m.name for m in found.measures] == [
        f"false_alarms_per_hour_{kind}" for kind in ("plain", "distractor", "explosion")
    ]
    assert len(steps) == 2
