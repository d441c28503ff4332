"""`earwitness model card` as a user runs it."""

import hashlib
import json
from pathlib import Path

import pytest

from sed.evaluate.document import SCHEMA
from tests.evaluate.test_card import EVALUATION
from tests.test_cli import earwitness
from tests.toy import write_toy

ROWS = """path,class,split,dataset,licence,licence_kind
a.wav,tone,train,Freesound,CC0,open
b.wav,dog_bark,train,Freesound,CC BY-NC 4.0,noncommercial
c.wav,dog_bark,test,ours,,
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write_toy(tmp_path / "toy.onnx")


def evaluation(path: Path, **changed: object) -> Path:
    path.write_text(json.dumps({"schema": SCHEMA, **EVALUATION, **changed}))
    return path


def test_a_card_of_everything(toy: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(toy.read_bytes()).hexdigest()
    found = evaluation(tmp_path / "found.json", sha256=digest)
    (tmp_path / "clips.csv").write_text(ROWS)
    done = earwitness(
        "model", "card", toy, "--scenes-json", found, "--data", tmp_path, "--seconds", 1, "-o", tmp_path / "card.md"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (tmp_path / "card.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "## toy", "### Rules", "### Data", "### Measured on scenes-test", "### Most frequent mistakes", "### Cost",
    ]  # fmt: skip
    assert digest in text
    assert "| Freesound | 1 + 0 | 0 + 1 |  |" in text
    assert "| test |  |  | 0 + 1 |" in text
    assert "| whole path | " in text


def test_a_card_of_the_file_alone_goes_to_stdout(toy: Path) -> None:
    done = earwitness("model", "card", toy, "--seconds", 0)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("## toy\n")
    assert "Cost" not in done.stdout


@pytest.mark.parametrize(("changed", "message"), [
    ({"sha256": "0123456789abcdef"}, "measured another file, sha256 0123456789ab; evaluate this one"),
    ({"schema": "other/1"}, "not what 'earwitness evaluate --json' writes (earwitness.evaluation/1)"),
])  # fmt: skip
def test_figures_of_another_file_are_refused(
    toy: Path, tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    done = earwitness("model", "card", toy, "--scenes-json", evaluation(tmp_path / "found.json", **changed))
    assert (done.returncode, done.stderr) == (2, f"earwitness: {tmp_path}/found.json: {message}\n")


def test_what_is_not_json_is_told(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text("<html>")
    done = earwitness("model", "card", toy, "--scenes-json", tmp_path / "found.json")
    assert (done.returncode, "found.json: not JSON" in done.stderr) == (2, True)
