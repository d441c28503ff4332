"""What one clip holds: its length, level, spectrum and flaws, measured block by block in constant memory.

With P_t[k] the power of bin k in window t (Hann, 32 ms, end to end, without the bin at 0 Hz), the mean over the
windows in which something is heard of
- centroid: sum(f[k] P[k]) / sum(P[k]) in Hz, the balancing point of the spectrum; Scheirer and Slaney 1997
- flatness: geometric over arithmetic mean of P, 0 for a tone, exp(-0.5772) = 0.561 for white noise; Johnston 1988
- change: sum((N_t[k] - N_{t-1}[k])^2), N the root of P scaled to length 1: 0 for what stays, 2 for what has no
  frequency in common, 2 - pi/2 = 0.429 for white noise; spectral flux, Tzanetakis and Cook 2002
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from sed.errors import AudioError
from sed.signals import FLOOR_DBFS, Floats
from sed.source.file import AudioFile

FRAME, WINDOW = 0.01, 0.032
"""Seconds per level and per spectrum."""

SILENT_DBFS = -60.0
"""Frames under this count as silence."""

HEARD_DB = 25.0
"""Something is heard in what is within this of the loudest, as in clips.csv's active_onset and active_offset."""

FULL_SCALE = 0.999
SHORTEST = 0.05  # seconds
OFFSET = 0.01  # mean of the samples

_BLOCK = 10.0  # seconds
_TINY = 1e-20


@dataclass(frozen=True, slots=True)
class Sound:
    """One clip. NaN where nothing is heard, or too little to tell."""

    rate: int  # Hz
    channels: int
    seconds: float
    silence: float  # share of it under SILENT_DBFS, 0 to 1
    onset: float  # seconds
    offset: float  # seconds
    peak: float  # full scale is 1
    mean: float
    clipped: int  # times that three samples in a row are at full scale
    centroid: float  # Hz
    flatness: float  # 0 to 1
    change: float  # 0 to 2

    @property
    def flaws(self) -> tuple[str, ...]:
        """What is wrong with it: near-empty, clipped, offset."""
        empty = self.silence == 1.0 or self.seconds < SHORTEST
        found = {"near-empty": empty, "clipped": self.clipped > 0, "offset": abs(self.mean) > OFFSET}
        return tuple(name for name, there in found.items() if there)


def measure(path: Path, section: tuple[float, float] | None = None) -> Sound:
    """Measure the mean of a recording's channels, or a section of it in seconds; raises AudioError or UsageError."""
    with AudioFile(path, "mix") as file:
        rate = file.sample_rate
        frame, window = round(rate * FRAME), 16 * round(rate * WINDOW / 16)
        size = math.lcm(frame, window)
        seconds = size * max(1, round(_BLOCK * rate / size)) / rate
        tally = _Tally(frame, window)
        pieces = cut(file, seconds, section)
        for samples in [np.concatenate([*pieces, np.zeros(0, np.float32)])] if section else pieces:
            tally.add(samples)
    if tally.count == 0:
        raise AudioError(f"{path}: ends before {section[0]:g} s" if section else f"{path}: holds no sound")
    channels: int = soundfile.info(path).channels
    return tally.sound(rate, channels)


def cut(file: AudioFile, seconds: float, section: tuple[float, float] | None) -> Iterator[Floats]:
    """The blocks of a recording; of a section in seconds, what of it lies in each."""
    first, last = (round(time * file.sample_rate) for time in section) if section else (0, None)
    for block in file.blocks(seconds):
        if last is not None and block.start >= last:
            return
        samples = block.samples[max(0, first - block.start) : None if last is None else last - block.start]
        if len(samples):
            yield samples


@dataclass(slots=True)
class _Tally:
    """Sums over the blocks of one clip."""

    frame: int  # samples
    window: int  # samples
    count: int = 0  # samples
    total: float = 0.0
    peak: float = 0.0
    clipped: int = 0
    levels: list[Floats] = field(default_factory=list)  # power of each frame
    powers: list[Floats] = field(default_factory=list)  # of each window
    shapes: list[Floats] = field(default_factory=list)  # (windows, 3): centroid in bins, flatness, change

    def add(self, samples: Floats) -> None:
        """Take the next block; all but the last one hold whole frames and windows."""
        if len(samples) == 0:
            return
        self.count += len(samples)
        self.total += float(samples.sum(dtype=np.float64))
        loud = np.abs(samples)
        self.peak = max(self.peak, float(loud.max()))
        full = loud >= FULL_SCALE
        self.clipped += int(np.count_nonzero(full[:-2] & full[1:-1] & full[2:]))
        self.levels.append(_power(_rows(samples, self.frame, whole=False)))
        windows = _rows(samples, self.window, whole=len(samples) > self.window)
        self.powers.append(_power(windows))
        self.shapes.append(_shapes(windows))

    def sound(self, rate: int, channels: int) -> Sound:
        levels = _decibels(np.concatenate(self.levels))
        heard = np.flatnonzero(levels >= levels.max() - HEARD_DB)
        centroid, flatness, change = self._spectrum()
        return Sound(
            rate=rate,
            channels=channels,
            seconds=self.count / rate,
            silence=float((levels < SILENT_DBFS).mean()),
            onset=float(heard[0]) * self.frame / rate,
            offset=min(self.count, (float(heard[-1]) + 1) * self.frame) / rate,
            peak=self.peak,
            mean=self.total / self.count,
            clipped=self.clipped,
            centroid=centroid * rate / self.window,
            flatness=flatness,
            change=change,
        )

    def _spectrum(self) -> tuple[float, float, float]:
        """The mean of each shape over the windows in which something is heard."""
        levels = _decibels(np.concatenate(self.powers))
        heard = levels >= max(SILENT_DBFS, float(levels.max()) - HEARD_DB)
        shapes = np.concatenate(self.shapes).astype(np.float64)
        both = heard & np.concatenate(([False], heard[:-1])) & np.isfinite(shapes[:, 2])
        centroid, flatness = shapes[heard, :2].mean(0) if heard.any() else (math.nan, math.nan)
        return float(centroid), float(flatness), float(shapes[both, 2].mean()) if both.any() else math.nan


def _shapes(windows: Floats) -> Floats:
    """Centroid in bins, flatness and change from the window before, (n, 3); NaN where there is none before."""
    size = windows.shape[1]
    hann = np.hanning(size + 1)[:-1].astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(windows * hann)[:, 1:])) + np.float32(_TINY)
    mean = power.mean(1, keepdims=True)
    centroid = (power / power.sum(1, keepdims=True)) @ np.arange(1, power.shape[1] + 1, dtype=power.dtype)
    flatness = np.exp(np.log(np.maximum(power, 1e-10 * mean) / mean).mean(1))
    unit = np.sqrt(power / power.sum(1, keepdims=True))
    change = np.full(len(power), np.nan)
    change[1:] = np.square(np.diff(unit, axis=0)).sum(1)
    return np.stack((centroid, flatness, change), axis=1).astype(np.float32)


def _rows(samples: Floats, length: int, *, whole: bool) -> Floats:
    """Consecutive stretches, (n, length); the last one filled up with zeros, or left out if only `whole` ones count."""
    count = len(samples) // length if whole else -(-len(samples) // length)
    padded = np.zeros(count * length, np.float32)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    return padded.reshape(count, length)


def _power(rows: Floats) -> Floats:
    return np.asarray(np.square(rows).mean(axis=1), np.float32)


def _decibels(power: Floats) -> Floats:
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DBFS / 10.0))), np.float32)
