"""The main table as a picture that is read at a glance: onset F1 by label, false alarms an hour by kind of sound."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sed.evaluate.bootstrap import CONFIDENCE, Interval
from sed.evaluate.comparison import System
from sed.evaluate.pictures import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 8.0, 4.0, 200
"""Inches; shown 800 pixels wide, a point is 1.4 pixels."""

KINDS = {"distractor": "other sounds", "explosion": "explosions", "plain": "plain sound"}
"""Kinds of recordings whose false alarms are told, and what they are called."""

_COLOURS = ("#e8590c", "#4c6a88", "#a9bccf", "#dde3e9")
_INK, _LINE, _GREY = "#212529", "#495057", "#868e96"
_ALARMS = "false_alarms_per_hour_"


def draw_summary(path: Path, systems: Sequence[System]) -> None:
    """Bars of each system with their intervals, the first one's in colour; written at twice the size it is read at."""
    figure = figure_of(WIDTH, HEIGHT)
    left, right = figure.subplots(1, 2, width_ratios=(max(2, 1 + len(systems[0].findings.labels)), 3))
    f1 = [_found(system) for system in systems]
    alarms = [_alarms(system) for system in systems]
    _grouped(left, [system.name for system in systems], f1, form=".2f")
    _grouped(right, [system.name for system in systems], alarms, form=".3g")
    left.set(ylim=(0, 1.0), yticks=np.arange(0, 1.01, 0.2))
    right.set(ylim=(0, 1.06 * right.get_ylim()[1]))
    _title(left, "Events found: onset F1, 500 ms", "higher is better")
    _title(right, "False alarms an hour", "lower is better")
    handles, names = left.get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside upper left", ncols=len(systems), frameon=False, fontsize=9.5, handlelength=1.1
    )
    figure.supxlabel(_heard(systems[0]), x=0.012, ha="left", fontsize=8, color=_GREY)
    figure.savefig(path, dpi=DPI, facecolor="white")


def _found(system: System) -> dict[str, Interval]:
    """Onset F1: the mean, and that of each label with an event."""
    figures = system.figures("onset_f1") or {}
    own = {label.replace("_", " "): figures[label] for label in system.findings.labels if label in figures}
    measured = {name: figure for name, figure in own.items() if math.isfinite(figure.value)}
    return {"mean": figures["all"], **measured} if len(measured) > 1 else measured


def _alarms(system: System) -> dict[str, Interval]:
    found = ((name, system.figures(_ALARMS + kind)) for kind, name in KINDS.items())
    return {name: figures["all"] for name, figures in found if figures}


def _grouped(axes: "Axes", names: Sequence[str], figures: Sequence[Mapping[str, Interval]], *, form: str) -> None:
    """A group of bars for each key of the first, a bar for each system; the value above the interval."""
    groups = list(figures[0])
    width = min(0.84 / len(figures), 0.5)
    for n, (name, own) in enumerate(zip(names, figures, strict=True)):
        at = np.arange(len(groups)) + (n - (len(figures) - 1) / 2) * width
        bars = [own.get(group, Interval(*3 * (float("nan"),))) for group in groups]
        values = np.array([bar.value for bar in bars])
        ends = np.nan_to_num(np.array([(bar.value - bar.low, bar.high - bar.value) for bar in bars]).reshape(-1, 2).T)
        axes.bar(
            at, values, 0.92 * width, yerr=np.maximum(ends, 0.0), label=name, color=_COLOURS[n % len(_COLOURS)],
            error_kw={"elinewidth": 0.9, "ecolor": _LINE, "capsize": 1.8, "capthick": 0.9},
        )  # fmt: skip
        for x, value, above in zip(at, values, ends[1], strict=True):
            _number(axes, x, value, value + above, form, strong=n == 0)
    axes.set_xticks(range(len(groups)), groups, fontsize=9)
    axes.tick_params(axis="both", length=0)
    axes.tick_params(axis="y", labelsize=8, labelcolor=_GREY)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e9ecef")
    axes.set_axisbelow(True)


def _number(axes: "Axes", x: float, value: float, top: float, form: str, *, strong: bool) -> None:
    if math.isfinite(value):
        axes.annotate(
            f"{value:{form}}", (x, top), xytext=(0, 2), textcoords="offset points", ha="center", color=_INK,
            fontsize=8.5 if strong else 7.4, fontweight="bold" if strong else "normal",
        )  # fmt: skip


def _title(axes: "Axes", title: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold", color=_INK, pad=11)
    axes.set_title(note, loc="right", fontsize=8, color=_GREY, pad=11)


def _heard(system: System) -> str:
    """What was listened to, in a line."""
    found = system.findings
    hours = sum(found.hours.values())
    events = sum(found.events.values())
    return f"{events} events, {hours:.1f} hours of sound; lines are {CONFIDENCE:.0%} bootstrap intervals"
