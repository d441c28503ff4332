"""The picture of one mistake: what was there, what was told, and the score that decided it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sed.evaluate.mistakes import Alarm, Fate
from sed.evaluate.pictures import figure_of
from sed.evaluate.reference import Sound
from sed.frontend import log_mel
from sed.metadata import Metadata, Rule
from sed.plot import label_bands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEFORE, LONGEST = 3.0, 14.0
"""Seconds shown before and after the sound in question, and in all."""

THERE, TOLD, OTHER, INK, GREY = "#2f9e44", "#e8590c", "#868e96", "#212529", "#495057"
RANGE_DB = 70.0
_LANES = ("there", "told")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Picture:
    """A mistake, how many more the same recording has a part in, and the rule."""

    mistake: Fate | Alarm
    times: int
    column: int  # of its label in the scores
    rule: Rule
    metadata: Metadata

    @property
    def label(self) -> str:
        """The label in question."""
        return self._sound.label

    @property
    def headline(self) -> str:
        """What went wrong, in a line."""
        m, on = self.mistake, f"on at {self.rule.on:g} for {self.rule.min_duration:g} s"
        if isinstance(m, Alarm):
            return f"{self.label} told, score {m.score:.2f} ({on}), under it: {m.under}"
        if m.delay is None:
            return f"{self.label} missed, highest score {m.score:.2f} ({on})"
        return f"{self.label} told {abs(m.delay):.2f} s too {m.outcome}, score at its onset {m.at_onset:.2f} ({on})"

    @property
    def subtitle(self) -> str:
        """The scene, and the recording under the mistake."""
        m = self.mistake
        level = "" if m.ratio_db is None else f", {m.ratio_db:.3g} dB over the bed"
        more = f" ({self.times} like this from it)" if self.times > 1 else ""
        origin = f"{m.origin.dataset or 'data set not known'}: {m.origin.clip}{more}" if m.origin.clip else ""
        where = f"{_short(m.scene.name)} at {self._sound.onset:.2f} s{level}"
        return f"{where}\n{origin}" if origin else where

    def draw(self) -> Any:
        """A figure: the spectrogram, what is there and what was told, and the score with the rule's thresholds."""
        figure = figure_of(9.0, 4.9)
        top, lanes, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(8, 2, 4))
        figure.suptitle(self.headline, x=0.01, ha="left", fontsize=11, fontweight="bold")
        top.set_title(self.subtitle, loc="left", fontsize=8.5, color=GREY, parse_math=False)
        first, last = self._span()
        self._draw_spectrogram(top, first, last)
        self._draw_sounds(lanes)
        self._draw_score(bottom)
        bottom.set(xlim=(first, last), xlabel="seconds")
        return figure

    @property
    def _sound(self) -> Sound:
        return self.mistake.told if isinstance(self.mistake, Alarm) else self.mistake.event

    def _span(self) -> tuple[float, float]:
        first = max(0.0, self._sound.onset - BEFORE)
        last = min(self._sound.offset + BEFORE, first + LONGEST, self.mistake.heard.seconds)
        return first, max(last, first + 0.1)

    def _draw_spectrogram(self, axes: "Axes", first: float, last: float) -> None:
        settings = self.metadata.frontend
        samples = self.mistake.scene.read(settings.sample_rate)
        start = int(first * settings.sample_rate)
        mel = log_mel(samples[start : int(last * settings.sample_rate) + settings.window], settings)
        top = float(mel.max(initial=-60.0))
        end = first + max(1, len(mel)) * settings.hop / settings.sample_rate
        axes.imshow(
            mel.T, origin="lower", aspect="auto", cmap="magma", extent=(first, end, 0, settings.mels),
            vmin=top - RANGE_DB, vmax=top, interpolation="nearest",
        )  # fmt: skip
        label_bands(axes, settings)

    def _draw_sounds(self, axes: "Axes") -> None:
        scene, told = self.mistake.scene, self.mistake.heard.told
        others = [part.sound for part in scene.parts if not part.target]
        _bars(axes, 0, others, OTHER)
        _bars(axes, 0, scene.events, THERE)
        _bars(axes, 1, (s for s in told if s.label == self.label), TOLD)
        _bars(axes, 1, (s for s in told if s.label != self.label), OTHER)
        axes.set_yticks(range(len(_LANES)), _LANES)
        axes.set(ylim=(len(_LANES) - 0.4, -0.6))

    def _draw_score(self, axes: "Axes") -> None:
        heard = self.mistake.heard
        scores = heard.scores[:, self.column]
        axes.plot((np.arange(len(scores)) + 0.5) * heard.period, scores, color=INK, linewidth=1.3)
        for sound in (s for s in self.mistake.scene.events if s.label == self.label):
            axes.axvspan(sound.onset, sound.offset, color=THERE, alpha=0.15, lw=0)
        for name, value in (("on", self.rule.on), ("off", self.rule.off)):
            axes.axhline(value, color=TOLD, linewidth=0.9, linestyle="-" if name == "on" else ":")
            axes.text(1.005, value, f"{name} {value:g}", transform=axes.get_yaxis_transform(), fontsize=8, va="center")
        axes.set(ylim=(0, 1.03), ylabel=f"score of\n{self.label}")
        axes.grid(alpha=0.25)


def _bars(axes: "Axes", lane: int, sounds: Iterable[Sound], colour: str) -> None:
    for s in sounds:
        axes.barh(lane, max(s.offset - s.onset, 0.02), left=s.onset, height=0.8, color=colour)
        axes.annotate(f" {s.label}", (s.offset, lane), va="center", fontsize=8, color=colour, annotation_clip=True)


def _short(name: str) -> str:
    """The end of a name that is too long for a title."""
    return name if len(name) <= _LONGEST_NAME else "…" + name[-_LONGEST_NAME:]
