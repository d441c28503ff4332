"""The picture of a finding: its spectrogram with the evidence laid over it, and the score with its thresholds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sed.explain.evidence import Evidence
from sed.explain.excerpt import Excerpt
from sed.explain.finding import Finding
from sed.metadata import Metadata, Rule
from sed.plot import label_bands
from sed.signals import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

FOR, AGAINST, INK, GREY = "#e8590c", "#1c7ed6", "#212529", "#495057"

OPAQUE = 0.8
"""How much the strongest evidence covers of the spectrogram."""

READABLE = 0.005
"""The least fall of a score that two digits show."""

PALE, LEAST_DB, DARKEST = 25.0, 20.0, 1.3
"""The percentile of the spectrogram that is white; the fewest dB from there to dark; what would be black, in those."""

FAINT = 0.2
"""Log-odds; if no patch matters more than this the colours stay pale."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn."""

    title: str
    finding: Finding
    rule: Rule
    metadata: Metadata
    excerpt: Excerpt
    evidence: Evidence
    scores: Floats  # (rows,) of the excerpt, as the model gives them
    smoothed: Floats  # (rows,), as the rule sees them

    def draw(self) -> "Figure":
        """The figure, for `sed.plot.save`."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 6.6), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(9, 4))
        figure.suptitle(self._headline(), x=0.01, ha="left", fontsize=11, fontweight="bold")
        top.set_title(self.title, loc="left", fontsize=9, color=GREY, parse_math=False)
        self._draw_spectrogram(top)
        self._draw_evidence(top)
        self._draw_scores(bottom)
        figure.supxlabel(self._legend(), x=0.01, ha="left", fontsize=8.5, color=GREY)
        return figure

    def _headline(self) -> str:
        f = self.finding
        outcome = f"event, score {f.score:.2f}" if f.rule is None else f"no event: {f.why}"
        return f"{f.label}, {f.onset:.2f} to {f.offset:.2f} s: {outcome}"

    def _legend(self) -> str:
        e, mels = self.evidence, self.metadata.frontend.mels
        seconds = 2 * e.cell[0] * self._frame_seconds()
        done = (
            f"Without the strongest patch (box) the mean score of the shaded time is {e.without:.2f} instead of"
            f" {e.score:.2f}."
            if self._tells
            else f"No single patch lowers the mean score of the shaded time, {e.score:.2f}."
        )
        return (
            f"Evidence: how far the score falls when a patch of {seconds:.2g} s x {2 * e.cell[1]} of {mels} mel bands"
            f" is made as quiet as each band's quietest tenth.\n{done}"
        )

    @property
    def _tells(self) -> bool:
        """Whether the strongest patch makes a difference that can be read."""
        return self.evidence.score - self.evidence.without >= READABLE

    def _draw_spectrogram(self, axes: "Axes") -> None:
        mel = self.excerpt.frames[: len(self.scores) * self.metadata.stride]
        quiet, loud = np.percentile(mel, (PALE, 99.8))
        axes.imshow(
            mel.T, origin="lower", aspect="auto", cmap="gray_r", extent=(*self._span(), 0, mel.shape[1]),
            vmin=quiet, vmax=quiet + DARKEST * max(loud - quiet, LEAST_DB), interpolation="nearest",
        )  # fmt: skip
        for edge in (self.finding.onset, self.finding.offset):
            axes.axvline(edge, color="black", linewidth=0.8, linestyle=(0, (4, 4)))
        label_bands(axes, self.metadata.frontend)

    def _draw_evidence(self, axes: "Axes") -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.patches import Rectangle

        e = self.evidence
        most = max(float(np.abs(e.falls).max()), FAINT)
        start, frame = self._span()[0], self._frame_seconds()
        extent = (start, start + e.falls.shape[0] * e.cell[0] * frame, 0, e.falls.shape[1] * e.cell[1])
        colours = _colours()
        axes.imshow(
            _glaze(e.falls.T / most, colours), origin="lower", aspect="auto", extent=extent, interpolation="bilinear"
        )
        axes.set(xlim=self._span(), ylim=(0, self.metadata.frontend.mels))
        if self._tells:
            frames, bands = e.strongest.frames, e.strongest.bands
            corner, width = (start + frames.start * frame, bands.start), (frames.stop - frames.start) * frame
            axes.add_patch(Rectangle(corner, width, bands.stop - bands.start, fill=False, linewidth=1.0))
        bar = axes.figure.colorbar(ScalarMappable(Normalize(-most, most), colours), ax=axes, pad=0.01, aspect=30)
        bar.set_label("speaks against  ←  fall in log-odds  →  speaks for", fontsize=8.5)
        bar.ax.tick_params(labelsize=8)

    def _draw_scores(self, axes: "Axes") -> None:
        times = (self.excerpt.place.rows.start + np.arange(len(self.scores)) + 0.5) * self.metadata.period
        if self.rule.median > 1:
            axes.plot(times, self.scores, color=GREY, linewidth=0.8)
        axes.plot(times, self.smoothed, color=INK, linewidth=1.4)
        focus = self.excerpt.place.focus
        axes.axvspan(focus.start * self.metadata.period, focus.stop * self.metadata.period, color=INK, alpha=0.1, lw=0)
        for name, value in (("on", self.rule.on), ("off", self.rule.off)):
            axes.axhline(value, color="black", linewidth=0.8, linestyle=":")
            text = axes.text(1.006, value, f"{name} {value:g}", transform=axes.get_yaxis_transform(), fontsize=8.5)
            text.set(va="center", in_layout=False)  # beside the axes, below the colour bar
        axes.set(ylim=(0, 1.03), ylabel=f"score of {self.finding.label}", xlabel="seconds")

    def _span(self) -> tuple[float, float]:
        rows = self.excerpt.place.rows
        return rows.start * self.metadata.period, rows.stop * self.metadata.period

    def _frame_seconds(self) -> float:
        return self.metadata.frontend.hop / self.metadata.frontend.sample_rate


def _colours() -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("evidence", [AGAINST, "#ffffff", FOR])


def _glaze(shares: Floats, colours: "Colormap") -> Floats:
    """The colours of shares from -1 to 1, the more opaque the further from 0: (rows, columns, RGBA)."""
    ends = np.where(shares[..., None] < 0, colours(0.0), colours(1.0))
    ends[..., 3] = OPAQUE * np.abs(shares)
    return np.asarray(ends, np.float32)
