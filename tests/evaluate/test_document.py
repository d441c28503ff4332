"""Findings in JSON and as a table."""

import io
import json
import math
import re

import pytest
from rich.console import Console

from sed.evaluate.bootstrap import Interval
from sed.evaluate.document import document, numbers, table, words
from sed.evaluate.evaluation import Findings
from sed.model import OnnxModel


def test_the_document_is_json_without_nan(toy_model: OnnxModel, findings: Findings) -> None:
    text = json.dumps(document(findings, toy_model.metadata, {"sha256": "0"}), allow_nan=False)
    found = json.loads(text)
    assert found["schema"] == "earwitness.evaluation/1"
    assert found["measures"]["onset_f1"]["tone"]["value"] == 0.8
    assert found["measures"]["recall_quiet_beds"]["tone"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["measures"]["recall_middle_beds"]["all"] == {"value": None, "low": None, "high": None}
    assert found["worst_pairs"] == ["dishes -> tone: 1", "tone -> nothing: 1"]


def test_the_table_has_a_row_a_measure(toy_model: OnnxModel, findings: Findings) -> None:
    out = io.StringIO()
    Console(width=160, file=out).print(table(findings, toy_model.metadata))
    lines = out.getvalue().splitlines()
    assert any(re.search(r"onset F1 \(500 ms\) +0\.800 \[.*\] +0\.800 \[", line) for line in lines)
    quiet = next(
        n for n, line in enumerate(lines) if re.search(r"recall, bed below -40 dBFS +1\.000 \[.*\] +1\.", line)
    )
    assert [line.split()[:5] for line in lines[quiet + 1 : quiet + 3]] == [
        ["bed", "-40", "to", "-35", "dBFS"],
        ["bed", "-35", "dBFS", "and", "above"],
    ]
    assert len(lines) >= len(findings.measures) + 2


@pytest.mark.parametrize(("figure", "expected"), [
    (Interval(0.823, 0.781, 0.864), "0.82 [0.78..0.86]"),
    (Interval(0.5, math.nan, math.nan), "0.50"),
    (Interval(math.nan, math.nan, math.nan), "-"),
])  # fmt: skip
def test_words(figure: Interval, expected: str) -> None:
    assert words(figure, 2) == expected


def test_who_rounds_the_document_gets_what_the_table_says() -> None:
    figure = Interval(0.775502, 0.6, 0.8)  # in five digits it is half way between two of three
    value = numbers(figure)["value"]
    assert f"{value:.3f} [0.600..0.800]" == words(figure, 3) == "0.776 [0.600..0.800]"
