"""Pictures of a data set: how many clips of each class, what they look like, where their spectra lie."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr

from sed.errors import SinkError, UsageError
from sed.frontend import log_mel
from sed.metadata import FrontendSettings
from sed.signals import Floats
from sed.source.file import AudioFile
from sed.train.audit import SHAPES, UNDECIDED, Audit, Checked, ClassFigures
from sed.train.sound import cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXCERPT = 4.0  # seconds shown of an example
PAGE_COLUMNS, PAGE_ROWS = 6, 4
FEW_CLASSES = 8
"""Up to so many classes, each is shown with as many examples as a row holds; beyond, with one."""

_SETTINGS = FrontendSettings()
_SHOWN_DB = 70.0
_DOTS = 60  # clips of a class that are drawn as dots
_SIDES = {"train": "#4c6ef5", "valid": "#f59f00", "test": "#e8590c", UNDECIDED: "#868e96"}
_TITLES = {"centroid": "centroid, Hz", "flatness": "flatness, 0 a tone, 0.56 white noise", "change": "change, 0 to 2"}


def check_drawing(folder: Path) -> None:
    """Raise UsageError, before any work is done, if pictures cannot be drawn into `folder`."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError(f"--out {folder}: needs matplotlib; pip install 'earwitness[plot]'") from error
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: need a folder, this is a file")


def draw(audit: Audit, folder: Path) -> list[Path]:
    """Write classes.png, spectra.png and examples-1.png and on into `folder`; raises SinkError."""
    classes = audit.classes()
    figures = {"classes.png": _counts(classes), "spectra.png": _spectra(audit, classes)}
    figures |= {f"examples-{page}.png": figure for page, figure in enumerate(_examples(audit, classes), 1)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            figure.savefig(folder / name, dpi=110)
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({error.strerror})") from error
    return [folder / name for name in figures]


def _counts(classes: Sequence[ClassFigures]) -> "Figure":
    """Clips of each class by side of the split, beside its minutes."""
    figure = _figure(11.0, 1.4 + 0.19 * len(classes))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = np.arange(len(classes))
    start = np.zeros(len(classes))
    for side, colour in _SIDES.items():
        count = np.array([one.by_split.get(side, 0) for one in classes])
        if count.any():
            left.barh(places, count, left=start, color=colour, label=side)
        start += count
    for place, one in enumerate(classes):
        left.annotate(f" {one.clips} in {one.groups}", (one.clips, place), va="center", fontsize=7, color="#495057")
    left.margins(x=0.2)
    left.legend(loc="lower right")
    left.set_title("clips, and in how many groups", loc="left", fontsize=10)
    right.barh(places, [one.minutes for one in classes], color="#adb5bd")
    right.set_title("minutes", loc="left", fontsize=10)
    _name_rows(left, classes)
    return figure


def _spectra(audit: Audit, classes: Sequence[ClassFigures]) -> "Figure":
    """Centroid, flatness and change: a bar from quartile to quartile, the median, and clips as dots."""
    ordered = sorted(classes, key=lambda one: (math.isnan(one.centroid.median), one.centroid.median))
    figure = _figure(14.0, 1.4 + 0.19 * len(classes))
    for axes, shape in zip(figure.subplots(1, 3, sharey=True), SHAPES, strict=True):
        for place, one in enumerate(ordered):
            spread = getattr(one, shape)
            values = [getattr(clip.sound, shape) for clip in audit.checked if clip.row.label == one.label]
            dots = values[:: max(1, len(values) // _DOTS)]
            axes.plot(dots, [place] * len(dots), ".", color="#ced4da", markersize=3, zorder=1)
            axes.barh(place, spread.high - spread.low, left=spread.low, height=0.55, color="#4c6ef5", zorder=2)
            axes.plot([spread.median], [place], "|", color="#e8590c", markersize=9, markeredgewidth=2, zorder=3)
        axes.set_title(_TITLES[shape], loc="left", fontsize=10)
        axes.grid(axis="x", color="#e9ecef")
        axes.set_axisbelow(True)
        _name_rows(axes, ordered)
    return figure


def _examples(audit: Audit, classes: Sequence[ClassFigures]) -> Iterator["Figure"]:
    """Waveforms over log-mels, page by page."""
    each = PAGE_COLUMNS if len(classes) <= FEW_CLASSES else 1
    cells: list[Checked | None] = []
    for one in sorted(classes, key=lambda one: one.label):
        chosen = _typical(audit, one, each)
        cells += [*chosen, *[None] * (each - len(chosen))]
    page = PAGE_COLUMNS * PAGE_ROWS
    for first in range(0, len(cells), page):
        shown = cells[first : first + page]
        rows = -(-len(shown) // PAGE_COLUMNS)
        figure = _figure(2.5 * PAGE_COLUMNS, 2.3 * rows + 0.4)
        grid = figure.subplots(2 * rows, PAGE_COLUMNS, squeeze=False, height_ratios=(2, 3) * rows)
        for number in range(rows * PAGE_COLUMNS):
            row, column = divmod(number, PAGE_COLUMNS)
            pair = (grid[2 * row][column], grid[2 * row + 1][column])
            clip = shown[number] if number < len(shown) else None
            _draw_example(pair, clip, _excerpt(Path(audit.folder), clip) if clip else np.zeros(0, np.float32))
        yield figure


def _typical(audit: Audit, one: ClassFigures, count: int) -> list[Checked]:
    """The clips with the centroids nearest to the class's median, one a group while there are groups."""
    members = [clip for clip in audit.checked if clip.row.label == one.label]
    away = [abs(clip.sound.centroid - one.centroid.median) for clip in members]
    ranked = [clip for _, clip in sorted(zip(away, members, strict=True), key=lambda pair: _last_if_nan(pair[0]))]
    by_group: dict[str, Checked] = {}
    for clip in ranked:
        by_group.setdefault(clip.row.key, clip)
    first = list(by_group.values())[:count]
    return [*first, *(clip for clip in ranked if not any(clip is one for one in first))][:count]


def _last_if_nan(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _excerpt(folder: Path, clip: Checked) -> Floats:
    """The first seconds of a clip at the frontend's rate, from where something is heard."""
    begin, end = clip.row.section or (0.0, clip.sound.seconds)
    begin += max(0.0, clip.sound.onset - 0.1) if end - begin > EXCERPT else 0.0
    with AudioFile(folder / clip.row.path, "mix") as file:
        samples = np.concatenate(list(cut(file, 1.0, (begin, min(end, begin + EXCERPT)))))
    return np.asarray(soxr.resample(samples, clip.sound.rate, _SETTINGS.sample_rate), np.float32)


def _draw_example(pair: "tuple[Axes, Axes]", clip: Checked | None, samples: Floats) -> None:
    wave, mel = pair
    for axes in pair:
        axes.set(xticks=[], yticks=[])
        axes.axis("on" if clip else "off")
    if clip is None:
        return
    seconds = len(samples) / _SETTINGS.sample_rate
    wave.plot(np.arange(len(samples)) / _SETTINGS.sample_rate, samples, color="#495057", linewidth=0.4)
    top = max(float(np.abs(samples).max(initial=0.0)), 1e-6)
    wave.set(xlim=(0, max(seconds, 0.01)), ylim=(-top, top))
    wave.set_title(clip.row.label, fontsize=9, loc="left", pad=2)
    padded = np.concatenate((samples, np.zeros(max(0, _SETTINGS.window - len(samples)), np.float32)))
    frames = log_mel(padded, _SETTINGS)
    loudest = float(frames.max())
    mel.imshow(
        frames.T, origin="lower", aspect="auto", cmap="magma", extent=(0, max(seconds, 0.01), 0, _SETTINGS.mels),
        vmin=loudest - _SHOWN_DB, vmax=loudest, interpolation="nearest",
    )  # fmt: skip
    mel.set_xlabel(f"{seconds:.1f} s of {clip.sound.seconds:.1f}", fontsize=7, labelpad=1)


def _name_rows(axes: "Axes", classes: Sequence[ClassFigures]) -> None:
    axes.set_yticks(range(len(classes)), [one.label for one in classes], fontsize=8)
    axes.set_ylim(len(classes) - 0.4, -0.6)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, max(height, 3.0)), layout="constrained")
