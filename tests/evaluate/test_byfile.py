"""Verdicts on whole clips by the toy model and the stand-in for YAMNet."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sed.evaluate.byfile import Side, by_model, by_yamnet
from sed.evaluate.yamnet import ROWS, Yamnet
from sed.model import OnnxModel
from tests.evaluate.peers import write_peer
from tests.evaluate.scenefolders import RULES
from tests.toy import bursts

TRUTH = np.array([[True], [False]])


def side(*spans: tuple[float, float]) -> Side:
    """A clip with a burst in it for each span, and one without."""
    reads = [partial(bursts, span, seconds=3.0) for span in spans]
    return Side([*reads, partial(bursts, seconds=3.0)], TRUTH)


def count(steps: list[int]) -> None:
    steps.append(1)


def test_our_own_by_score_and_by_rules(toy_model: OnnxModel) -> None:
    steps: list[int] = []
    valid, test = side((1.0, 2.0)), side((0.5, 0.9))
    by_score, by_rules = by_model(toy_model, RULES, ("tone",), valid, test, step=partial(count, steps))
    assert by_score.told.tolist() == by_rules.told.tolist() == TRUTH.tolist()
    assert by_score.name == "toy, by file"
    assert (by_rules.thresholds, len(steps)) == ({}, 4)


def test_yamnet_by_the_classes_that_serve_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, "tone", (("Siren",), ("Glass",)))
    peer = Yamnet(write_peer(tmp_path, monkeypatch))
    found = by_yamnet(peer, ("tone",), side((1.0, 2.0)), side((0.5, 0.9)), step=lambda: None)
    assert found.told.tolist() == TRUTH.tolist()
    assert found.note == "tone: Siren"  # of equal ones the first
    assert 0.0 < found.thresholds["tone"] < 0.5
