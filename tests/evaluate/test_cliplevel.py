"""Clip-level figures that can be counted by hand."""

import json

import numpy as np
import pytest
from rich.console import Console

from sed.evaluate.cliplevel import OTHER, Verdict, best_threshold, clip_document, clip_table, decide, judge

LABELS = ("siren", "gun_shot")
TRUTH = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0], [0, 0]], np.bool_)
TOLD = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [1, 0], [0, 0], [0, 0]], np.bool_)


@pytest.mark.parametrize(("scores", "known", "threshold", "f1"), [
    ([0.1, 0.2, 0.6, 0.8], [0, 0, 1, 1], 0.4, 1.0),
    ([0.1, 0.7, 0.6, 0.8], [0, 0, 1, 1], 0.35, 0.8),  # one false alarm costs less than one miss
    ([0.1, 0.2, 0.3, 0.8], [1, 1, 1, 1], 0.1, 1.0),  # the lowest score has none below it
    ([0.1, 0.2], [0, 0], 0.1, 0.0),
])  # fmt: skip
def test_the_threshold_lies_between_the_scores(
    scores: list[float], known: list[int], threshold: float, f1: float
) -> None:
    found = best_threshold(np.array(scores, np.float32), np.array(known, np.bool_))
    assert found == pytest.approx((threshold, f1))


def test_figures_of_each_class() -> None:
    judged = judge(Verdict("toy", TOLD, {}), TRUTH, LABELS)
    precision, recall = ({k: v.value for k, v in f.items()} for f in (judged.precision, judged.recall))
    assert precision == pytest.approx({"all": (2 / 3 + 1 / 2) / 2, "siren": 2 / 3, "gun_shot": 1 / 2, OTHER: 2 / 3})
    assert recall == pytest.approx({"all": (2 / 3 + 1 / 2) / 2, "siren": 2 / 3, "gun_shot": 1 / 2, OTHER: 2 / 3})
    assert judged.f1["siren"].value == pytest.approx(2 / 3)
    assert judged.f1["siren"].low < 2 / 3 < judged.f1["siren"].high


def test_thresholds_come_from_valid() -> None:
    valid = np.array([[0.9, 0.1], [0.1, 0.4], [0.1, 0.1]], np.float32)
    known = np.array([[1, 0], [0, 1], [0, 0]], np.bool_)
    verdict = decide("toy", valid, known, np.array([[0.6, 0.3], [0.4, 0.2]], np.float32), LABELS)
    assert verdict.thresholds == pytest.approx({"siren": 0.5, "gun_shot": 0.25})
    assert verdict.told.tolist() == [[True, True], [False, False]]


def test_a_label_nobody_told_has_no_precision() -> None:
    judged = judge(Verdict("deaf", np.zeros_like(TOLD), {}), TRUTH, LABELS)
    assert np.isnan(judged.precision["siren"].value)
    assert judged.recall["siren"].value == 0.0
    systems = clip_document([judged], LABELS, {"seed": 0})["systems"]
    assert json.loads(json.dumps(systems))[0]["measures"]["precision"]["siren"]["value"] is None
    console = Console(width=160, record=True)
    console.print(clip_table([judged], LABELS, TRUTH))
    row = next(line for line in console.export_text().splitlines() if "deaf" in line)
    assert row.split()[-9:] == ["-", "0.00", "0.00", "-", "0.00", "0.00", "0.38", "1.00", "0.55"]
