"""Several systems measured on the same recordings: side by side as a table, as a document and as a picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Column, Table

from sed.evaluate.bootstrap import Interval
from sed.evaluate.document import document, words
from sed.evaluate.evaluation import Findings, Measure
from sed.evaluate.eventscores import Figures
from sed.evaluate.pictures import figure_of, level_of
from sed.metadata import Metadata

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = "earwitness.comparison/1"
BY_LABEL = ("onset_f1", "recall_clear", "false_alarms_per_hour_distractor", "false_alarms_per_hour_explosion")
"""Measures of which the table shows each label, too; of the others the document has them."""

_COLOURS = ("#e8590c", "#868e96", "#495057", "#1c7ed6")


@dataclass(frozen=True, slots=True)
class System:
    """Who was measured, and what was found."""

    metadata: Metadata
    findings: Findings

    @property
    def name(self) -> str:
        """As it heads a column."""
        return self.metadata.name

    def figures(self, measure: str) -> Figures | None:
        """A measure's figures, if there are any."""
        return next((m.figures for m in self.findings.measures if m.name == measure), None)


def side_by_side(systems: Sequence[System]) -> Table:
    """One row a measure, one column a system; the interval in brackets."""
    found = systems[0].findings
    hours = ", ".join(f"{n} {kind} ({found.hours[kind]:.2f} h)" for kind, n in found.scenes.items())
    out = Table(
        Column("", no_wrap=True), *(Column(system.name, justify="right") for system in systems),
        title=hours, header_style="bold", box=None, title_justify="left",
    )  # fmt: skip
    for measure in found.measures:
        for title, label in _rows(measure, found.labels):
            figures = (system.figures(measure.name) for system in systems)
            out.add_row(title, *("-" if own is None else words(own[label], measure.digits) for own in figures))
    return out


def as_document(systems: Sequence[System], source: Mapping[str, str]) -> dict[str, object]:
    """Every figure of every system, with its rules and, of a peer, how it was read."""
    each = [
        {
            **document(one.findings, one.metadata, {}),
            "rules": {label: rule.model_dump() for label, rule in one.metadata.rules.items()},
            "read": one.metadata.training if number else {},
        }
        for number, one in enumerate(systems)
    ]
    return {"schema": SCHEMA, **source, "systems": each}


def draw_comparison(path: Path, systems: Sequence[System]) -> None:
    """Onset F1 by label, recall by level and false alarms by kind of recording, with their intervals."""
    figure = figure_of(13.0, 4.4)
    left, middle, right = figure.subplots(1, 3, width_ratios=(5, 4, 4))
    labels = ("all", *systems[0].findings.labels)
    kinds = [m.name for m in systems[0].findings.measures if m.name.startswith("false_alarms_per_hour_")]
    for n, system in enumerate(systems):
        look = {"color": _COLOURS[n % len(_COLOURS)], "label": system.name}
        place = (n - (len(systems) - 1) / 2) * 0.8 / len(systems)
        scored = system.figures("onset_f1") or {}
        _bars(left, place, 0.8 / len(systems), [scored[label] for label in labels if label in scored], look)
        levels = [
            (level, m.figures["all"].value) for m in system.findings.measures if (level := level_of(m.name)) is not None
        ]
        middle.plot([level for level, _ in levels], [value for _, value in levels], marker="o", **look)
        alarms = [figures["all"] for kind in kinds if (figures := system.figures(kind))]
        _bars(right, place, 0.8 / len(systems), alarms, look)
    left.set(title="onset F1 (500 ms)", ylim=(0, 1.02))
    left.set_xticks(range(len(labels)), ["mean", *labels[1:]])
    middle.set(title="share of events found", xlabel="event over bed, dB", ylim=(0, 1.02))
    right.set(title="false alarms an hour", ylim=(0, None))
    right.set_xticks(range(len(kinds)), [kind.split("_hour_")[1] for kind in kinds], rotation=30, ha="right")
    for axes in (left, middle, right):
        axes.grid(alpha=0.3, axis="y")
        axes.set_axisbelow(True)
    middle.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)


def _rows(measure: Measure, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The titles of a measure's rows and whose figures they hold."""
    yield measure.title, "all"
    if measure.name in BY_LABEL:
        yield from ((f"    {label}", label) for label in labels)


def _bars(axes: "Axes", place: float, width: float, figures: Sequence[Interval], look: Mapping[str, Any]) -> None:
    """Bars with the intervals drawn over them."""
    values = np.array([one.value for one in figures])
    ends = np.array([(one.low, one.high) for one in figures]).reshape(-1, 2).T
    around = np.nan_to_num(np.abs(ends - values))
    axes.bar(np.arange(len(values)) + place, values, width, yerr=around, capsize=2, ecolor="#222222", **look)
