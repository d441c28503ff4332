"""Mistakes in the document that evaluate writes."""

import json

from sed.evaluate.document import document
from sed.evaluate.evaluation import Findings
from sed.model import OnnxModel


def test_the_document_names_each_mistake(toy_model: OnnxModel, findings: Findings) -> None:
    made = json.loads(json.dumps(document(findings, toy_model.metadata, {}), allow_nan=False))["mistakes"]["tone"]
    assert made["by_dataset"] == [
        {"dataset": "D", "events": 1, "found": 0, "late": 0, "early": 0, "missed": 1, "recall": 0.0},
        {"dataset": "A", "events": 2, "found": 2, "late": 0, "early": 0, "missed": 0, "recall": 1.0},
    ]
    (missed,) = made["not_found"]
    assert (missed["scene"], missed["onset"], missed["outcome"], missed["delay"]) == (
        "target-001.wav", 2.0, "missed", None,
    )  # fmt: skip
    assert (missed["ebr_db"], missed["clip"], missed["dataset"]) == (20.0, "d", "D")
    assert missed["score"] < 0.5
    assert {alarm["class"] for alarm in made["alarms"]} == {"dishes"}
    assert {alarm["dataset"] for alarm in made["alarms"]} == {"C"}
    assert made["alarms_by_class"] == [
        {"class": "dishes", "dataset": None, "alarms": 2, "recordings": 1, "times_heard": 2, "hours": 0.0006,
         "per_hour": None},
    ]  # fmt: skip
