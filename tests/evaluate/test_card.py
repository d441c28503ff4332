"""A model's card says what its inputs say."""

from typing import Any

from sed.evaluate.card import SHOWN, Clips, Cost, Subject, card
from tests.toy import metadata

EVALUATION: dict[str, Any] = {
    "scenes_from": "made/scenes-test",
    "labels": ["tone"],
    "scenes": {"target": 2, "distractor": 1},
    "hours": {"target": 0.5, "distractor": 0.25},
    "events": {"tone": 3},
    "confidence": 0.95,
    "measures": {
        "onset_f1": {
            "all": {"value": 0.8, "low": 0.7, "high": 0.9},
            "tone": {"value": 0.8123, "low": None, "high": None},
        },
        "onset_error_ms": {
            "all": {"value": 41.6, "low": 40.0, "high": 44.4},
            "tone": {"value": None, "low": None, "high": None},
        },
        "false_alarms_per_hour_distractor": {"all": {"value": 3.0, "low": 0.0, "high": 9.0}},
        "recall_12_db": {"all": {"value": 0.5, "low": 0.25, "high": 0.75}},
        "recall_quiet_beds": {"all": {"value": 0.75, "low": None, "high": None}},
        "something_new": {"all": {"value": 1.0, "low": None, "high": None}},
    },
    "worst_pairs": ["dishes -> tone: 1"],
}


def test_a_model_alone_tells_of_itself_and_claims_nothing() -> None:
    text = card(Subject(metadata(on=0.5, off=0.4), 12_345, "ab" * 32))
    assert text.startswith("## toy\n\n|  |  |\n| --- | --- |\n| labels | `tone` |\n")
    assert "| size | 12,345 bytes |" in text
    assert f"| sha256 | `{'ab' * 32}` |" in text
    assert "| scores | a row each 40 ms, known 102 ms after its end |" in text
    assert "| tone | 0.5 | 0.4 | 0 | 0.2 | 0 | 0 | 1 | yes |" in text
    assert [line for line in text.splitlines() if line.startswith("#")] == ["## toy", "### Rules"]
    assert "F1" not in text  # what the file says of its scores is not measured here


def test_training_is_the_files() -> None:
    training: dict[str, Any] = {
        "command": "earwitness train d",
        "minutes": 3.5,
        "means": [0.0] * 64,
        "rules": {"of": [1, 2]},
    }
    training["members"] = [{"recipe": "rich"}, {"recipe": "broad"}]
    text = card(Subject(metadata().model_copy(update={"training": training}), 1, ""))
    assert "### Training\n\n```\nearwitness train d\n```\n\n|  |  |\n| --- | --- |\n| minutes | 3.5 |\n" in text
    assert "| rules, of | 1, 2 |" in text
    assert "| members, 1, recipe | rich |\n| members, 2, recipe | broad |" in text
    assert "means" not in text


def test_figures_come_with_their_intervals() -> None:
    text = card(Subject(metadata(), 1, "", [EVALUATION]))
    assert "### Measured on scenes-test" in text
    assert "2 target (0.50 h), 1 distractor (0.25 h); events: 3 tone. In brackets: 95% bootstrap" in text
    assert "|  | all | tone |" in text
    assert "| onset F1 (500 ms) | 0.800 [0.700..0.900] | 0.812 |" in text
    assert "| onset error, median ms | 42 [40..44] | - |" in text
    assert "| false alarms/h, distractor | 3.00 [0.00..9.00] | - |" in text
    assert "| recall at 12 dB | 0.500 [0.250..0.750] | - |" in text
    assert "| recall, bed below -40 dBFS | 0.750 | - |" in text
    assert "| something new | 1.000 | - |" in text
    assert "* dishes -> tone: 1 (scenes-test)" in text


def test_licences_are_counted_by_data_set() -> None:
    many = {(f"set{number:03}", "open"): 1 for number in range(SHOWN)}
    train = Clips("train", ("open", "unknown"), {("a|b", "open"): 2}, {("a|b", "unknown"): 3, **many, ("", "open"): 4})
    test = Clips("test", ("open", "unknown"), {("a|b", "open"): 1}, {})
    text = card(Subject(metadata(), 1, "", clips=[train, test]))
    assert f"| train | 2 + {SHOWN + 4} | 0 + 3 |\n| test | 1 + 0 |  |" in text
    assert "| a\\|b | 2 + 0 | 0 + 3 |\n| not named | 0 + 4 |  |\n| set000 | 0 + 1 |  |" in text
    assert "| 2 other data sets | 0 + 2 |  |" in text


def test_cost_is_told_by_stage() -> None:
    costs = [Cost(10, {"model": 1.5, "whole path": 2.25}), Cost(100, {"model": 0.5, "whole path": 1.0})]
    text = card(Subject(metadata(), 1, "", costs=costs, machine="x86_64"))
    assert "one thread; x86_64." in text
    assert "| stage | 10 ms blocks | 100 ms blocks |" in text
    assert "| whole path | 2.250 | 1.000 |" in text
