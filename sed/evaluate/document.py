"""Findings as a JSON document, and as a table for people."""

import math
from collections.abc import Mapping

from rich.table import Column, Table

from sed.evaluate.bootstrap import CONFIDENCE, Interval
from sed.evaluate.confusion import worst
from sed.evaluate.evaluation import Findings
from sed.evaluate.mistakelist import listed
from sed.evaluate.mistakes import mistakes
from sed.metadata import Metadata

SCHEMA = "earwitness.evaluation/1"


def document(findings: Findings, metadata: Metadata, source: Mapping[str, str]) -> dict[str, object]:
    """What was measured of which model, on what; a figure that does not exist is null."""
    made = mistakes(findings.labels, findings.heard)
    return {
        "schema": SCHEMA,
        "model": {"name": metadata.name, "version": metadata.version},
        **source,
        "labels": list(findings.labels),
        "scenes": findings.scenes,
        "hours": {kind: round(hours, 4) for kind, hours in findings.hours.items()},
        "events": findings.events,
        "confidence": CONFIDENCE,
        "measures": {
            measure.name: {label: numbers(figure) for label, figure in measure.figures.items()}
            for measure in findings.measures
        },
        "confusion": [
            {"there": there, "told": told, "times": times}
            for (there, told), times in sorted(findings.confusion.items())
        ],
        "worst_pairs": [f"{there} -> {told}: {times}" for there, told, times in worst(findings.confusion)],
        "mistakes": {label: listed(made, label) for label in made.labels},
    }


def table(findings: Findings, metadata: Metadata) -> Table:
    """One row a measure, one column a label; the interval in brackets."""
    hours = ", ".join(f"{n} {kind} ({findings.hours[kind]:.2f} h)" for kind, n in findings.scenes.items())
    out = Table(
        Column("", no_wrap=True),
        *(Column(label, justify="right") for label in ("all", *findings.labels)),
        title=f"{metadata.name} {metadata.version}: {hours}",
        header_style="bold",
        box=None,
        title_justify="left",
    )
    for measure in findings.measures:
        figures = (measure.figures[label] for label in ("all", *findings.labels))
        out.add_row(measure.title, *(words(figure, measure.digits) for figure in figures))
    return out


def words(figure: Interval, digits: int) -> str:
    """A figure and its interval, as `0.82 [0.78..0.86]`; a dash where there is none."""
    if not math.isfinite(figure.value):
        return "-"
    if not math.isfinite(figure.low):
        return f"{figure.value:.{digits}f}"
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}..{figure.high:.{digits}f}]"


def numbers(figure: Interval) -> dict[str, float | None]:
    """A figure and its interval for JSON, null where there is none; fine enough to be rounded as `words` does."""
    values = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {name: round(value, 9) if math.isfinite(value) else None for name, value in values.items()}
