"""Sheets of events: the spectrogram of each, its score, and where it was."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from sed.archive.summary.excerpt import Excerpt
from sed.archive.summary.standouts import Standout
from sed.metadata import Metadata, Rule
from sed.plot import label_bands

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

COLUMNS = 4

RANGE_DB = 60.0
"""From black to the loudest."""

EVENT, GREY, PALE = "#e8590c", "#495057", "#ced4da"

_LONGEST_NAME = 44

Shown = Excerpt | tuple[Standout, str]
"""An event, or one that cannot be heard any more and why."""


def sheet(title: str, shown: Sequence[Shown], metadata: Metadata, rules: Mapping[str, Rule], zone: tzinfo) -> "Figure":
    """The events, COLUMNS of them side by side."""
    from matplotlib.figure import Figure

    lines = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(14.0, 0.5 + 3.0 * lines), layout="constrained")
    figure.suptitle(title, x=0.005, ha="left", fontsize=13, fontweight="bold")
    cells = figure.subfigures(lines, COLUMNS, squeeze=False).flat
    for cell, one in zip(cells, shown, strict=False):
        event = one.event if isinstance(one, Excerpt) else one[0]
        cell.suptitle(_caption(event, zone), x=0.02, ha="left", fontsize=8.5, linespacing=1.4, parse_math=False)
        if isinstance(one, Excerpt):
            _draw(cell, one, metadata, rules[event.label])
        else:
            _excuse(cell, one[1])
    return figure


def _caption(event: Standout, zone: tzinfo) -> str:
    when = "" if event.onset_time is None else f", {event.onset_time.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    level = f"{event.level_dbfs:.0f} dBFS"
    return f"{event.label}, score {event.score:.2f}, {level}\n{_short(event.file)}\nat {clock(event.onset)}{when}"


def _draw(cell: "SubFigure", excerpt: Excerpt, metadata: Metadata, rule: Rule) -> None:
    top, bottom = cell.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    settings, event = metadata.frontend, excerpt.event
    seconds = len(excerpt.frames) * settings.hop / settings.sample_rate
    loud = float(excerpt.frames.max())
    top.imshow(
        excerpt.frames.T, origin="lower", aspect="auto", cmap="magma", extent=(0, seconds, 0, settings.mels),
        vmin=loud - RANGE_DB, vmax=loud, interpolation="nearest",
    )  # fmt: skip
    label_bands(top, settings)
    top.set_yticks(top.get_yticks()[1:], top.get_yticklabels()[1:])  # the lowest two have no room here
    onset, offset = event.onset - excerpt.begin, event.offset - excerpt.begin
    for edge in (onset, offset):
        top.axvline(edge, color="white", linewidth=0.9, linestyle=(0, (4, 3)))
    bottom.axvspan(onset, offset, color=EVENT, alpha=0.15, lw=0)
    times = (np.arange(len(excerpt.scores)) + 0.5) * metadata.period
    bottom.plot(times, excerpt.scores, color=EVENT, linewidth=1.2)
    bottom.axhline(rule.on, color=GREY, linewidth=0.8, linestyle=":")
    bottom.set(xlim=(0, seconds), ylim=(0, 1.03), yticks=(0, 1), ylabel="score")
    for axes in (top, bottom):
        axes.tick_params(labelsize=7)
        axes.yaxis.label.set_size(7.5)


def _excuse(cell: "SubFigure", why: str) -> None:
    axes = cell.subplots()
    axes.set(xticks=(), yticks=())
    axes.spines[:].set_color(PALE)
    words = "\n".join(wrap(f"cannot be heard any more: {why}", 40))
    axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=8.5, color=GREY, parse_math=False)


def clock(seconds: float) -> str:
    """Seconds as 1:02:03.45, or 2:03.45."""
    minutes, rest = divmod(round(seconds, 2), 60.0)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"


def _short(name: str) -> str:
    """The end of a name that is too long."""
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]
