"""Two systems side by side: the rows, the document and the picture."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from sed.evaluate.comparison import SCHEMA, System, as_document, draw_comparison, side_by_side
from sed.evaluate.evaluation import Findings
from tests.toy import metadata


@pytest.fixture
def systems(findings: Findings) -> list[System]:
    peer = metadata().model_copy(update={"name": "peer", "training": {"tone": {"hop": 0.48}}})
    less = Findings(findings.labels, findings.hours, findings.scenes, findings.events, findings.measures[:1])
    return [System(metadata(), findings), System(peer, less)]


def test_one_row_a_measure_and_one_column_a_system(systems: list[System]) -> None:
    out = StringIO()
    Console(width=160, file=out).print(side_by_side(systems))
    lines = out.getvalue().splitlines()
    assert lines[1].split() == ["toy", "peer"]
    f1 = next(line for line in lines if "onset F1 (500 ms)" in line)
    assert f1.split().count("0.800") == 2
    assert lines[lines.index(f1) + 1].split()[0] == "tone"
    psds = next(line for line in lines if "PSDS1" in line)
    assert psds.split()[-1] == "-"  # the peer's was not measured


def test_the_document_holds_every_figure_and_how_the_peer_was_read(systems: list[System]) -> None:
    found = json.loads(json.dumps(as_document(systems, {"scenes_from": "s"})))
    assert (found["schema"], found["scenes_from"]) == (SCHEMA, "s")
    ours, peer = found["systems"]
    assert ours["measures"]["onset_f1"]["all"]["value"] == 0.8
    assert ours["rules"]["tone"]["on"] == 0.5
    assert (ours["read"], peer["read"]) == ({}, {"tone": {"hop": 0.48}})


def test_the_picture(systems: list[System], tmp_path: Path) -> None:
    draw_comparison(tmp_path / "compare.png", systems)
    assert (tmp_path / "compare.png").read_bytes().startswith(b"\x89PNG")
