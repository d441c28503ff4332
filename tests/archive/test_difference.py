"""What splitting changed, said in one line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sed.archive.difference import Difference
from sed.archive.engine import Outcome, Part, Piece, Recording
from sed.archive.plan import WHOLE
from sed.metadata import Rule
from sed.signals import Floats
from tests.archive.scanned import NO_ORDER
from tests.toy import metadata

ORDER = replace(NO_ORDER, rules={"tone": Rule(on=0.5, off=0.4, max_gap=0.0)}, warm_up=3.0)
ROWS, HOP = 100, 640


def heard(piece: Piece, scores: Floats) -> Outcome:
    part = Part(piece.start, HOP, 0, scores[:, None], np.zeros(len(scores), np.float32))
    return Outcome(Recording("long.wav"), piece, part=part)


def told(of_pieces: Floats, of_whole: Floats) -> str:
    difference = Difference(metadata(), ORDER)
    for number, start in ((1, 50), (0, 0)):
        piece = Piece(number, 2, start * HOP, None if number else 50 * HOP)
        difference.add(heard(piece, of_pieces[start : start + 50]))
    difference.add(heard(WHOLE, of_whole))
    return str(difference)


def test_no_difference() -> None:
    scores = np.zeros(ROWS, np.float32)
    scores[40:60] = 0.9  # over the seam
    assert told(scores, scores) == (
        "split: long.wav in 2 pieces, each after 3 s of warm-up, against the whole: 1 events the same, "
        "0 only in the whole, 0 only in the pieces; scores differ by 0 at most"
    )


def test_differences_are_counted() -> None:
    scores = np.zeros(ROWS, np.float32)
    scores[40:60] = 0.9
    whole = scores.copy()
    whole[59] = 0.35  # ends a row earlier
    whole[80:90] = 0.7
    line = told(scores, whole)
    assert "0 events the same, 2 only in the whole, 1 only in the pieces; scores differ by 0.7 at most" in line


@pytest.mark.parametrize("missing", ["whole", "piece", "part"])
def test_without_both_there_is_nothing_to_say(missing: str, tmp_path: Path) -> None:
    difference = Difference(metadata(), ORDER)
    first, second = (heard(Piece(n, 2, n * 50 * HOP, None), np.zeros(50, np.float32)) for n in range(2))
    difference.add(first)
    if missing != "piece":
        difference.add(replace(second, part=None) if missing == "part" else second)
    if missing != "whole":
        difference.add(heard(WHOLE, np.zeros(ROWS, np.float32)))
    assert str(difference) == ""
