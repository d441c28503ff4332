"""The learning-rate finder: a short run at an ever growing rate, and what its loss says of the rate to use."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sed.errors import EarwitnessError, SinkError, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRIALS: Final = 100
REACH: Final = 5  # trials on either side that a trial's loss is smoothed over
DIVERGED: Final = 4.0  # times the lowest smoothed loss
PICTURES: Final = (".png", ".svg", ".pdf")

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """What a finder's run showed: the loss at each rate, before the step at that rate."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    diverged: bool  # the last trial is where the loss left

    @property
    def smoothed(self) -> Values:
        """The losses, each averaged with its neighbours: (trials,)."""
        return smooth(self.losses)

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss falls fastest over the logarithm of the rate; None if it never falls."""
        smoothed = self.smoothed
        lowest = int(smoothed.argmin())
        if lowest == 0:
            return None
        slope = np.gradient(smoothed, np.log(self.rates))[: lowest + 1]
        return self.rates[int(slope.argmin())]

    @property
    def suggestion(self) -> float | None:
        """`steepest`, but at most a tenth of the rate where the loss diverged; None with neither."""
        known = [rate for rate in (self.steepest, self.rates[-1] / 10.0 if self.diverged else None) if rate is not None]
        return min(known, default=None)

    @property
    def verdict(self) -> str:
        """One line for people."""
        low, high = f"{self.rates[0]:.1e}", f"{self.rates[-1]:.1e}"
        if self.suggestion is None:
            return f"no suggestion: from {low} to {high} the loss neither falls nor diverges"
        fastest = self.suggestion == self.steepest
        why = "where the loss falls fastest" if fastest else f"a tenth of {high}, where the loss diverges"
        return f"learning_rate = {self.suggestion:.1e}  # {why}"

    def table(self) -> str:
        """One line a trial, tab-separated, under a header."""
        rows = zip(self.rates, self.losses, self.smoothed, strict=True)
        return "\n".join(["rate\tloss\tsmoothed", *(f"{r:.4e}\t{loss:.6f}\t{mean:.6f}" for r, loss, mean in rows), ""])


def find_rate(step: Callable[[float], float], trials: int = TRIALS, low: float = 1e-6, high: float = 1.0) -> Found:
    """Step at rates growing exponentially from `low` to `high`, until the loss diverges; Smith 2017, section 3.3.

    `step(rate)` takes one step of learning and returns the loss before it; what it changes is spoilt afterwards.
    Raises EarwitnessError if there is no loss to begin with.
    """
    rates, losses = [low * (high / low) ** (n / (trials - 1)) for n in range(trials)], list[float]()
    for rate in rates:
        losses.append(step(rate))
        if not math.isfinite(losses[-1]):
            del losses[-1]
            break
        smoothed = smooth(losses)
        if smoothed[-1] > DIVERGED * smoothed.min():
            break
    else:
        return Found(tuple(rates), tuple(losses), diverged=False)
    if not losses:
        raise EarwitnessError(f"no learning rate found: the loss is not a number even before a step at {low:.1e}")
    return Found(tuple(rates[: len(losses)]), tuple(losses), diverged=True)


def smooth(losses: Sequence[float]) -> Values:
    """The mean of each loss and its neighbours under a Hann window: without lag, and shorter towards both ends."""
    window = np.hanning(2 * REACH + 3)[1:-1]
    inside = slice(REACH, REACH + len(losses))
    return np.convolve(losses, window)[inside] / np.convolve(np.ones(len(losses)), window)[inside]


def check_picture(path: Path) -> None:
    """Raise UsageError, before any work is done, if the ending is not a picture's."""
    if path.suffix.lower() not in PICTURES:
        raise UsageError(f"--find-rate {path}: need a name that ends in .png, .svg or .pdf")


def write(found: Found, path: Path) -> None:
    """Draw the loss over the rate into `path`, and put the table beside it (.tsv); raises SinkError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    _draw(figure.subplots(), found)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
        path.with_suffix(".tsv").write_text(found.table(), encoding="utf-8")
    except OSError as error:
        raise SinkError(f"--find-rate {path}: cannot be written ({error.strerror})") from error


def _draw(axes: "Axes", found: Found) -> None:
    axes.plot(found.rates, found.losses, ".", color="#ced4da", markersize=4)
    axes.plot(found.rates, found.smoothed, color="#1c7ed6", linewidth=1.6)
    if found.suggestion is not None:
        axes.axvline(found.suggestion, color="#e8590c", linewidth=1.2, linestyle="--")
    axes.set_title(found.verdict, loc="left", fontsize=10)
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
    axes.grid(color="#e9ecef")
