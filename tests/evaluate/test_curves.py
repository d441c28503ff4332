"""Average precision and curves over seconds; bounded by adding up precision one recall step at a time."""

import math

import numpy as np
import pytest

from sed.evaluate.bootstrap import draws
from sed.evaluate.curves import segments
from sed.evaluate.hearing import Heard
from sed.evaluate.reference import Sound

LABELS = ("a", "b")


def heard(values: list[float], seconds: float | None = None) -> Heard:
    """One score a second for `a`, as 25 rows of which one has it; none for `b`."""
    scores = np.zeros((25 * len(values), 2), np.float32)
    scores[7::25, 0] = values
    return Heard((), scores, 0.04, seconds or float(len(values)))


def slow_average_precision(truth: list[bool], scores: list[float]) -> float:
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    right, total = 0, 0.0
    for rank, n in enumerate(order, start=1):
        if truth[n]:
            right += 1
            total += right / rank
    return total / sum(truth)


def test_seconds_hold_the_highest_score_and_whether_a_label_is_heard() -> None:
    cut = segments([(Sound("a", 0.9, 1.1), Sound("b", 3.0, 4.0))], [heard([0.1, 0.2, 0.3, 0.4])], LABELS)
    np.testing.assert_allclose(cut.scores[:, 0], [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_array_equal(cut.truth, [[1, 0], [1, 0], [0, 0], [0, 1]])


def test_a_last_short_second_counts() -> None:
    cut = segments([()], [heard([0.1, 0.2, 0.3], seconds=2.5)], LABELS)
    assert len(cut.truth) == 3


@pytest.mark.parametrize(("scores", "expected"), [([0.9, 0.1, 0.8, 0.2], 1.0), ([0.1, 0.9, 0.2, 0.8], 5 / 12)])
def test_average_precision(scores: list[float], expected: float) -> None:
    cut = segments([(Sound("a", 0.0, 1.0), Sound("a", 2.0, 3.0))], [heard(scores)], LABELS)
    figures = cut.average_precision(draws(1, 0))
    assert figures["a"].value == pytest.approx(expected)
    assert figures["a"].value == pytest.approx(slow_average_precision([True, False, True, False], scores))
    assert math.isnan(figures["b"].value)
    assert figures["all"].value == figures["a"].value


def test_the_interval_draws_whole_scenes() -> None:
    scenes = [heard([0.9, 0.1]), heard([0.1, 0.9])]
    cut = segments([(Sound("a", 0.0, 1.0),)] * 2, scenes, LABELS)
    figure = cut.average_precision(draws(2, 100))["a"]
    assert [figure.low, figure.high] == pytest.approx([0.5, 1.0])


def test_curves_of_perfect_scores_touch_the_corner() -> None:
    curves = segments([(Sound("a", 0.0, 1.0),)], [heard([0.9, 0.1, 0.2])], LABELS).curves()
    assert set(curves) == {"a"}
    assert max(p for r, p in zip(curves["a"].recall, curves["a"].precision, strict=True) if r == 1.0) == 1.0
    assert (0.0, 1.0) in set(zip(curves["a"].false_rate.tolist(), curves["a"].true_rate.tolist(), strict=True))
