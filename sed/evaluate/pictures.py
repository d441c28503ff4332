"""Findings as pictures: curves, recall by level, confusion."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sed.evaluate.confusion import NOTHING, Confusion, worst
from sed.evaluate.evaluation import Findings
from sed.evaluate.libraries import library

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 16
"""Classes that are no label, in the confusion matrix: the ones most often taken for one."""

_COLOURS = ("#e8590c", "#1c7ed6", "#2f9e44", "#9c36b5", "#c92a2a", "#0b7285", "#5c940d", "#862e9c")


def draw_curves(path: Path, findings: Findings) -> None:
    """Precision against recall, and true against false seconds, of each label."""
    figure = figure_of(11.0, 4.6)
    left, right = figure.subplots(1, 2)
    for n, (label, curve) in enumerate(findings.curves.items()):
        look = {"color": _COLOURS[n % len(_COLOURS)], "label": label, "linewidth": 1.4}
        left.step(curve.recall, curve.precision, where="post", **look)
        right.plot(curve.false_rate, curve.true_rate, **look)
    left.set(title="precision and recall, seconds", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    right.set(title="ROC, seconds", xlabel="false alarm rate", ylabel="recall", xlim=(0, 1), ylim=(0, 1.02))
    _legends(left, right)
    figure.savefig(path, dpi=110)


def draw_recall(path: Path, findings: Findings) -> None:
    """The share of events found, by how far they stand above the bed."""
    figure = figure_of(7.0, 4.4)
    axes = figure.subplots()
    rows = [(level_of(m.name), m.figures) for m in findings.measures if level_of(m.name) is not None]
    for n, label in enumerate(findings.labels):
        points = [(level, figures[label]) for level, figures in rows if np.isfinite(figures[label].value)]
        centre = np.array([figure.value for _, figure in points])
        ends = np.array([(figure.low, figure.high) for _, figure in points]).reshape(-1, 2)
        shift = 0.25 * (n - (len(findings.labels) - 1) / 2)
        axes.errorbar(
            np.array([level for level, _ in points], np.float64) + shift, centre,
            yerr=np.abs(ends.T - centre), capsize=3, marker="o", color=_COLOURS[n % len(_COLOURS)], label=label,
        )  # fmt: skip
    axes.set(title="recall by level", xlabel="event over bed, dB", ylabel="recall", ylim=(0, 1.02))
    _legends(axes)
    figure.savefig(path, dpi=110)


def draw_confusion(path: Path, findings: Findings) -> None:
    """What is there against what was told; the worst pairs in words."""
    rows, columns = _rows(findings.confusion, findings.labels), [*findings.labels, NOTHING]
    counts = np.array([[findings.confusion[there, told] for told in columns] for there in rows])
    figure = figure_of(3.4 + 1.3 * len(columns), 2.4 + 0.34 * len(rows))
    axes = figure.subplots()
    axes.imshow(np.sqrt(counts), cmap="Oranges", aspect="auto")
    for (y, x), count in np.ndenumerate(counts):
        if count:
            dark = np.sqrt(count / counts.max()) > 0.6
            axes.text(x, y, str(count), ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    named = "\n".join(f"{there} told as {told}: {times}" for there, told, times in worst(findings.confusion, 3))
    axes.set(xlabel="told", ylabel="there")
    axes.set_title(named or "no mistakes", fontsize=9, loc="left")
    figure.savefig(path, dpi=110)


PICTURES: dict[str, Callable[[Path, Findings], None]] = {
    "curves.png": draw_curves,
    "recall.png": draw_recall,
    "confusion.png": draw_confusion,
}


def _rows(counts: Confusion, labels: Sequence[str]) -> list[str]:
    """The labels, what is most often taken for one, and nothing."""
    times = {there: 0 for there, _ in counts if there not in {*labels, NOTHING}}
    for (there, _), count in counts.items():
        if there in times:
            times[there] += count
    others = sorted(times, key=lambda there: (-times[there], there))[:MOST_ROWS]
    return [*labels, *others, NOTHING]


def level_of(name: str) -> float | None:
    """The level in decibels that a measure of recall is of, if it is one."""
    parts = name.split("_")
    return float(parts[1]) if parts[0] == "recall" and parts[-1] == "db" else None


def figure_of(width: float, height: float) -> Any:
    """An empty figure of so many inches."""
    return library("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")


def _legends(*axes: "Axes") -> None:
    for one in axes:
        one.grid(alpha=0.3)
        if one.get_legend_handles_labels()[0]:
            one.legend()
