"""A picture of a recording: its spectrogram, its scores and its events."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sed.errors import SinkError, UsageError
from sed.formats import Detection
from sed.metadata import FrontendSettings, Metadata, Rule, alerting
from sed.signals import Floats, Frames, Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3_000
"""More columns than a picture has pixels; longer recordings are pooled, so that memory stays flat."""

_COLOURS = ("#e8590c", "#1c7ed6", "#2f9e44", "#9c36b5", "#c92a2a", "#0b7285", "#5c940d", "#862e9c")


class Plot:
    """Draws one recording into a PNG, SVG or PDF when it is closed."""

    def __init__(self, path: Path, metadata: Metadata, rules: Mapping[str, Rule], title: str) -> None:
        """Raises UsageError if matplotlib is not installed or the ending is not a picture's."""
        check_drawable(path)
        self._path, self._metadata, self._rules, self._title = path, metadata, rules, title
        self._labels = alerting(rules) or metadata.labels  # what raises no alert would only hide the rest
        self._mel, self._scores = _Pool(), _Pool()

    def frames(self, frames: Frames) -> None:
        """Keep the frames, pooled."""
        self._mel.push(frames.values)

    def scores(self, scores: Scores) -> None:
        """Keep the scores, pooled."""
        self._scores.push(scores.values)

    def close(self, detections: list[Detection]) -> None:
        """Draw. Raises SinkError if the picture cannot be written."""
        from matplotlib.figure import Figure

        labels = self._labels
        figure = Figure(figsize=(11, 5.2 + 0.22 * len(labels)), layout="constrained")
        top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(9, 6, 1 + 0.7 * len(labels)))
        top.set_title(self._title, loc="left", parse_math=False)
        seconds = self._draw_spectrogram(top)
        self._draw_scores(middle)
        self._draw_events(bottom, detections)
        bottom.set(xlim=(0, max(seconds, 0.1)), xlabel="seconds")
        save(figure, self._path)

    def _draw_spectrogram(self, axes: "Axes") -> float:
        settings = self._metadata.frontend
        mel = self._mel.values(settings.mels)
        seconds = self._mel.count * settings.hop / settings.sample_rate
        top = float(mel.max(initial=-60.0))
        axes.imshow(
            mel.T, origin="lower", aspect="auto", cmap="magma", extent=(0, seconds or 0.1, 0, settings.mels),
            vmin=top - 80.0, vmax=top, interpolation="nearest",
        )  # fmt: skip
        label_bands(axes, settings)
        return seconds

    def _draw_scores(self, axes: "Axes") -> None:
        scores = self._scores.values(len(self._metadata.labels))
        times = (np.arange(len(scores)) + 0.5) * self._scores.factor * self._metadata.period
        for n, label in enumerate(self._labels):
            axes.plot(times, scores[:, self._metadata.labels.index(label)], color=colour(n), linewidth=1.2)
            axes.axhline(self._rules[label].on, color=colour(n), linewidth=0.7, linestyle=":")
        axes.set(ylim=(0, 1.03), ylabel="score")

    def _draw_events(self, axes: "Axes", detections: list[Detection]) -> None:
        labels = self._labels
        for d in detections:
            n = labels.index(d.label)
            axes.barh(n, d.offset - d.onset, left=d.onset, height=0.7, color=colour(n))
            axes.annotate(
                f" {d.score:.2f}", (d.offset, n), va="center", fontsize=8, color=colour(n), annotation_clip=True
            )
        axes.set_yticks(range(len(labels)), labels)
        for n, text in enumerate(axes.get_yticklabels()):
            text.set_color(colour(n))
        axes.set(ylim=(len(labels) - 0.5, -0.5))


def check_drawable(path: Path) -> None:
    """Raises UsageError if matplotlib is not installed or the ending is not a picture's."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError(f"--plot {path}: needs matplotlib; pip install 'earwitness[plot]'") from error
    if path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise UsageError(f"--plot {path}: need a name that ends in .png, .svg or .pdf")


def save(figure: "Figure", path: Path) -> None:
    """Write a picture. Raises SinkError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise SinkError(f"--plot {path}: cannot be written ({error.strerror})") from error


def label_bands(axes: "Axes", settings: FrontendSettings) -> None:
    """Mark the mel bands of a y axis in Hz."""
    hertz = [hz for hz in (125, 250, 500, 1000, 2000, 4000, 8000) if settings.low_hz <= hz <= settings.high_hz]
    axes.set_yticks([_mel_band(hz, settings.low_hz, settings.high_hz, settings.mels) for hz in hertz])
    axes.set_yticklabels([f"{hz:g}" if hz < 1000 else f"{hz / 1000:g}k" for hz in hertz])
    axes.set_ylabel("Hz")


def colour(label: int) -> str:
    """The colour of a label by its number."""
    return _COLOURS[label % len(_COLOURS)]


class _Pool:
    """Rows kept as maxima over `factor` rows; the factor doubles when there are more than twice COLUMNS."""

    def __init__(self) -> None:
        self.factor = 1
        self.count = 0
        self._done: list[Floats] = []  # pooled rows
        self._rest: list[Floats] = []  # rows short of a whole factor

    def push(self, rows: Floats) -> None:
        for row in rows:
            self._rest.append(row)
            if len(self._rest) == self.factor:
                self._done.append(np.max(self._rest, axis=0) if self.factor > 1 else row.copy())
                self._rest = []
            if len(self._done) == 2 * COLUMNS:
                self._done = [np.maximum(a, b) for a, b in zip(self._done[0::2], self._done[1::2], strict=True)]
                self.factor *= 2
        self.count += len(rows)

    def values(self, width: int) -> Floats:
        rest = [np.max(self._rest, axis=0)] if self._rest else []
        return np.array(self._done + rest, np.float32).reshape(-1, width)


def _mel_band(hz: float, low_hz: float, high_hz: float, mels: int) -> float:
    low, high, here = (np.log10(1.0 + f / 700.0) for f in (low_hz, high_hz, hz))
    return float(mels * (here - low) / (high - low))
