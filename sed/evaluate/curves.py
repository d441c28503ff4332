"""Precision-recall and ROC curves over one-second segments, and average precision, by scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sed.evaluate.bootstrap import Values, interval, ratio
from sed.evaluate.eventscores import SEGMENT, Figures
from sed.evaluate.hearing import Heard
from sed.evaluate.libraries import hushed, library
from sed.evaluate.reference import Sound
from sed.signals import Floats

DRAWS = 200
"""Draws of the interval of an average precision."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A label's two curves."""

    recall: Values
    precision: Values
    false_rate: Values
    true_rate: Values


@dataclass(frozen=True, slots=True)
class Segments:
    """Seconds of all scenes: the highest score of each label in them, and whether it is heard."""

    labels: tuple[str, ...]
    scene: npt.NDArray[np.intp]  # (n,): which scene
    scores: Floats  # (n, labels)
    truth: npt.NDArray[np.bool_]  # (n, labels)

    def average_precision(self, weights: Values) -> Figures:
        """The area under each label's precision-recall curve; `all` is their mean (mAP)."""
        average = library("sklearn.metrics").average_precision_score
        each = np.full((min(len(weights), 1 + DRAWS), len(self.labels)), np.nan)
        for draw, row in enumerate(weights[: len(each)]):
            own = row[self.scene]
            for n in range(len(self.labels)):
                if (own * self.truth[:, n]).any():
                    with hushed():
                        each[draw, n] = average(self.truth[:, n], self.scores[:, n], sample_weight=own)
        has = np.isfinite(each)
        mean = ratio(np.where(has, each, 0.0).sum(axis=1), has.sum(axis=1).astype(np.float64))
        return {"all": interval(mean), **{label: interval(each[:, n]) for n, label in enumerate(self.labels)}}

    def curves(self) -> dict[str, Curve]:
        """By label; those that are never or always heard have none."""
        metrics = library("sklearn.metrics")
        found: dict[str, Curve] = {}
        for n, label in enumerate(self.labels):
            truth, scores = self.truth[:, n], self.scores[:, n]
            if truth.any() and not truth.all():
                precision, recall, _ = metrics.precision_recall_curve(truth, scores)
                false_rate, true_rate, _ = metrics.roc_curve(truth, scores)
                found[label] = Curve(recall, precision, false_rate, true_rate)
        return found


def segments(known: Sequence[Sequence[Sound]], heard: Sequence[Heard], labels: Sequence[str]) -> Segments:
    """Cut every scene into seconds; the last one may be shorter."""
    scene: list[int] = []
    scores: list[Floats] = []
    truth: list[npt.NDArray[np.bool_]] = []
    for number, (true, one) in enumerate(zip(known, heard, strict=True)):
        count = max(1, int(np.ceil(round(one.seconds / SEGMENT, 6))))
        scene.extend([number] * count)
        scores.append(_highest(one, count, len(labels)))
        truth.append(_heard_in(true, count, labels))
    width = len(labels)
    return Segments(
        tuple(labels),
        np.array(scene, np.intp),
        np.concatenate(scores) if scores else np.zeros((0, width), np.float32),
        np.concatenate(truth) if truth else np.zeros((0, width), np.bool_),
    )


def _highest(scene: Heard, count: int, width: int) -> Floats:
    out = np.zeros((count, width), np.float32)
    middle = (np.arange(len(scene.scores)) + 0.5) * scene.period
    np.maximum.at(out, np.minimum((middle / SEGMENT).astype(np.intp), count - 1), scene.scores)
    return out


def _heard_in(true: Sequence[Sound], count: int, labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    out = np.zeros((count, len(labels)), np.bool_)
    for sound in true:
        if sound.label in labels:
            first, last = int(sound.onset / SEGMENT), int(np.ceil(round(sound.offset / SEGMENT, 6)))
            out[first : max(last, first + 1), labels.index(sound.label)] = True
    return out
