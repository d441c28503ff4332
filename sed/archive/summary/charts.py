"""The counts of a scan as pictures: by label, by hour of the day, by day, by position."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sed.archive.summary.calendar import Calendar
from sed.archive.summary.positions import COLUMNS
from sed.archive.summary.tally import SCORE_BINS, Doubles, Tally
from sed.plot import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LABELS = 30
"""Rows of a picture: the labels with the most events."""

MOST_CURVES = 6
"""Histograms that can be told apart."""

DEAF, INK, GREY = "#dee2e6", "#212529", "#495057"

_STEPS = {"day": "day", "week": "week (from Monday)", "month": "month", "year": "year"}


def by_label(tally: Tally) -> "Figure":
    """How many of each label, and how sure the model was of them."""
    labels = tally.labels[:MOST_LABELS]
    figure = _figure(11.0, 2.2 + 0.36 * max(len(labels), 5))
    left, right = figure.subplots(1, 2, width_ratios=(6, 5))
    counts = [tally.events[label] for label in labels]
    left.barh(range(len(labels)), counts, color=[colour(n) for n in range(len(labels))])
    hours = max(tally.seconds / 3600, 1e-9)
    for n, count in enumerate(counts):
        left.annotate(f" {count:,}  ({_rate(count / hours)})", (count, n), va="center", fontsize=8.5, color=GREY)
    left.set_yticks(range(len(labels)), [_short(label) for label in labels], parse_math=False)
    left.set(title="events", ylim=(len(labels) - 0.4, -0.6), xlim=(0, max(counts, default=1) * 1.45))
    thresholds = np.arange(SCORE_BINS) / SCORE_BINS
    for n, label in enumerate(labels[:MOST_CURVES]):
        left_over = tally.scores[label][::-1].cumsum()[::-1] / tally.scores[label].sum()
        right.plot(thresholds, 100 * left_over, color=colour(n), linewidth=1.4)
    lowest = min((int(np.flatnonzero(tally.scores[label])[0]) for label in labels), default=0) / SCORE_BINS
    right.set(title="what a higher threshold would leave", xlabel="score", ylabel="% of events", xlim=(lowest, 1.0))
    right.set_ylim(0.0, 102.0)
    for axes in (left, right):
        axes.grid(alpha=0.3, axis="x" if axes is left else "both")
        axes.set_axisbelow(True)
    return figure


def by_hour(tally: Tally, calendar: Calendar, zone: str) -> "Figure":
    """Label by hour of the day: how often in an hour of sound, how many in all, and how much was listened to."""
    labels = tally.labels[:MOST_LABELS]
    heard = calendar.by_hour(tally.heard) / 3600
    counts = np.array([calendar.by_hour(tally.quarters[label]) for label in labels])
    figure = _figure(11.0, 2.9 + 0.42 * len(labels))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1.3, 0.42 * len(labels) + 0.2))
    scale, unit = (1, "hours") if heard.max() >= 1.0 else (60, "minutes")
    top.bar(range(24), heard * scale, color=GREY, width=0.92)
    top.set(ylabel=f"{unit}\nof sound")
    top.set_title(f"events by hour of the day, {zone} time", loc="left", parse_math=False)
    _heat(bottom, _of_own_highest(counts, heard), labels)
    _numbers(bottom, counts, heard)
    bottom.set_xticks(range(24), [f"{hour:02d}" for hour in range(24)])
    _below(bottom, f"number: events; darkness: events an hour of sound, against the label's own highest{_dated(tally)}")
    return figure


def by_day(tally: Tally, calendar: Calendar, zone: str) -> "Figure":
    """Label by day (or week, month, year), and hour of the day by day; grey where nothing was listened to."""
    labels = tally.labels[:MOST_LABELS]
    heard = calendar.by_step(tally.heard) / 3600
    each = np.array([calendar.by_step(tally.quarters[label]) for label in labels])
    figure = _figure(11.0, 5.0 + 0.42 * len(labels))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(0.42 * len(labels) + 0.2, 3.4))
    _heat(top, _of_own_highest(each.sum(axis=1), heard.sum(axis=0)), labels)
    _numbers(top, each.sum(axis=1), heard.sum(axis=0))
    top.set_title(f"events by {_STEPS[calendar.step]}, {calendar.span}, {zone} time", loc="left", parse_math=False)
    shade = _heat(bottom, _rates(each.sum(axis=0), heard), [], aspect="auto")
    figure.colorbar(shade, ax=bottom, pad=0.01, aspect=14).set_label("events an hour\nof sound", fontsize=8.5)
    bottom.set_yticks(range(0, 24, 6), [f"{hour:02d}:00" for hour in range(0, 24, 6)])
    step = -(-len(calendar.starts) // 12)
    shown = range(0, len(calendar.starts), step)
    bottom.set_xticks(shown, [calendar.name(column) for column in shown])
    words = "above: darkness against the label's own highest; below: all labels; grey: nothing was recorded"
    _below(bottom, words + _dated(tally))
    return figure


def by_position(tally: Tally, found: Doubles, labels: list[str]) -> "Figure":
    """Label by position in the archive, (labels, COLUMNS) events, for nobody knows at what time they were."""
    figure = _figure(11.0, 1.9 + 0.42 * len(labels))
    axes = figure.subplots()
    hours = tally.seconds / 3600
    heard = np.full(COLUMNS, hours / COLUMNS)
    _heat(axes, _of_own_highest(found, heard), labels)
    axes.set_title("events by position in the archive: the time of its recordings is not known", loc="left")
    ticks = np.linspace(0, COLUMNS, 7)
    scale, unit = (1.0, "hours") if hours >= 3.0 else (60.0, "minutes")
    axes.set_xticks(ticks - 0.5, [f"{hours * scale * tick / COLUMNS:.3g}" for tick in ticks])
    _below(axes, f"{unit} of sound, in the order of the tables; darkness: events, against the label's own highest")
    return figure


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _rates(counts: Doubles, heard: Doubles) -> Doubles:
    """Events an hour of sound; not a number where none was heard."""
    with np.errstate(all="ignore"):
        return np.where(heard > 0.0, counts / heard, np.nan)


def _of_own_highest(counts: Doubles, heard: Doubles) -> Doubles:
    """The rate of each row against its highest, 0 to 1."""
    rates = _rates(counts, heard)
    highest = np.nanmax(rates, axis=1, keepdims=True, initial=0.0)
    return rates / np.where(highest > 0.0, highest, 1.0)


def _heat(axes: "Axes", values: Doubles, labels: list[str], aspect: Any = "auto") -> Any:
    from matplotlib import colormaps

    shades = colormaps["Oranges"].with_extremes(bad=DEAF)
    shade = axes.imshow(np.ma.masked_invalid(values), cmap=shades, aspect=aspect, vmin=0.0, interpolation="nearest")
    if labels:
        axes.set_yticks(range(len(labels)), [_short(label) for label in labels], parse_math=False)
    return shade


def _numbers(axes: "Axes", counts: Doubles, heard: Doubles) -> None:
    """Write how many into each cell, where there is room."""
    if counts.shape[1] > 31:
        return
    shares = _of_own_highest(counts, heard)
    for (y, x), count in np.ndenumerate(counts):
        if count:
            ink = "white" if shares[y, x] > 0.6 else INK
            axes.text(x, y, _compact(count), ha="center", va="center", fontsize=7.5, color=ink)


def _below(axes: "Axes", words: str) -> None:
    axes.set_xlabel(words, fontsize=8.5, color=GREY, loc="left")


def _dated(tally: Tally) -> str:
    missing = tally.events.total() - tally.timed
    return f"\n{missing:,} more events are in recordings whose time is not known" if missing else ""


def _compact(count: float) -> str:
    """1234 as 1.2k."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.1f}{letter}" if count < 10 * size else f"{count / size:.0f}{letter}"
    return f"{count:.0f}"


def _rate(an_hour: float) -> str:
    """As often as a person would say it."""
    return f"{an_hour:,.3g} an hour" if an_hour >= 0.1 else f"{an_hour * 24:.2g} a day of sound"


def _short(label: str) -> str:
    return label if len(label) <= 28 else label[:27] + "…"
