"""Whole clips told apart: for each class, how often it is told rightly and how much of it is missed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.table import Column, Table

from sed.evaluate.bootstrap import Interval, Values, draws, interval, ratio
from sed.evaluate.document import numbers, words
from sed.evaluate.eventscores import Figures
from sed.evaluate.libraries import hushed, library
from sed.signals import Floats

SCHEMA = "earwitness.clips/1"
OTHER = "other"
"""The class of a clip that holds none of the labels, told where none is told."""

Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one system tells of the test clips."""

    name: str
    told: Truth  # (clips, labels)
    thresholds: dict[str, float]  # chosen on the valid clips; none where rules decide
    note: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """How right a verdict is: precision, recall and F1 of each label, of `other`, and `all`: the mean of the labels."""

    verdict: Verdict
    precision: Figures
    recall: Figures
    f1: Figures


def decide(name: str, valid: Floats, known: Truth, test: Floats, labels: Sequence[str], note: str = "") -> Verdict:
    """A verdict on `test` by the thresholds with the best F1 on `valid`, both (clips, labels) of scores."""
    thresholds = [best_threshold(valid[:, n], known[:, n])[0] for n in range(len(labels))]
    chosen = {label: round(value, 6) for label, value in zip(labels, thresholds, strict=True)}
    return Verdict(name, test >= np.array(thresholds), chosen, note)


def best_threshold(scores: Floats, known: Truth) -> tuple[float, float]:
    """The threshold with the best F1, half-way down to the next lower score, and that F1."""
    curve = library("sklearn.metrics").precision_recall_curve
    with hushed():  # it warns of a class that no clip is of
        precision, recall, thresholds = curve(known, scores)
    f1 = 2.0 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    below = thresholds[best - 1] if best else thresholds[best]
    return float(below + thresholds[best]) / 2.0, float(f1[best])


def judge(verdict: Verdict, truth: Truth, labels: Sequence[str], seed: int = 0) -> Judged:
    """The figures of a verdict with their intervals over clips."""
    told, known = (np.hstack((one, ~one.any(axis=1, keepdims=True))) for one in (verdict.told, truth))
    weights = draws(len(known), seed=seed)
    right, said, there = (weights @ one.astype(np.float64) for one in (told & known, told, known))
    each = (ratio(right, said), ratio(right, there), ratio(2 * right, said + there))
    precision, recall, f1 = (_figures(values, labels) for values in each)
    return Judged(verdict, precision, recall, f1)


def clip_table(judged: Sequence[Judged], labels: Sequence[str], truth: Truth) -> Table:
    """One row a system: mean F1 with its interval, then precision, recall and F1 of each class."""
    counts = {**dict(zip(labels, truth.sum(axis=0).tolist(), strict=True)), OTHER: int((~truth.any(axis=1)).sum())}
    heads = [f"{label} ({counts[label]})\nP    R    F1" for label in (*labels, OTHER)]
    out = Table(
        Column("", no_wrap=True), Column("mean F1\nof the labels", justify="right"),
        *(Column(head, justify="right", no_wrap=True) for head in heads),
        title="clips of the test split; thresholds from valid", header_style="bold", box=None, title_justify="left",
    )  # fmt: skip
    for one in judged:
        cells = [
            " ".join(_short(figures[label]) for figures in (one.precision, one.recall, one.f1))
            for label in (*labels, OTHER)
        ]
        out.add_row(one.verdict.name, words(one.f1["all"], 2), *cells)
    return out


def clip_document(judged: Sequence[Judged], labels: Sequence[str], source: Mapping[str, object]) -> dict[str, object]:
    """Every figure of every system."""
    systems = [
        {
            "name": one.verdict.name,
            "note": one.verdict.note,
            "thresholds": one.verdict.thresholds,
            "measures": {
                name: {label: numbers(figure) for label, figure in figures.items()}
                for name, figures in (("precision", one.precision), ("recall", one.recall), ("f1", one.f1))
            },
        }
        for one in judged
    ]
    return {"schema": SCHEMA, **source, "labels": list(labels), "systems": systems}


def _figures(values: Values, labels: Sequence[str]) -> Figures:
    each = {label: interval(values[:, n]) for n, label in enumerate((*labels, OTHER))}
    own = values[:, : len(labels)]
    has = np.isfinite(own)
    mean = ratio(np.where(has, own, 0.0).sum(axis=1), has.sum(axis=1).astype(np.float64))
    return {"all": interval(mean), **each}


def _short(figure: Interval) -> str:
    return f"{figure.value:.2f}" if math.isfinite(figure.value) else "   -"
