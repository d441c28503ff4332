"""Clips as simple classifiers take them: four seconds of log-mel, and the mean of 40 MFCCs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from sed.frontend import log_mel
from sed.metadata import FrontendSettings
from sed.signals import Floats
from sed.train.clips import Clip, negatives, targets
from sed.train.library import Library
from sed.train.recipe import Split

SETTINGS = FrontendSettings()
SECONDS = 4.0
FRAMES = 200
"""Of 20 ms: pairs of the frontend's frames, averaged."""

COEFFICIENTS = 40
_LEAD = 0.1  # seconds before the first active frame
_SILENCE = np.float32(10.0 * np.log10(SETTINGS.floor))  # dB


@dataclass(frozen=True, slots=True)
class Examples:
    """Clips of one side of the split, and what is learnt from them."""

    clips: list[Clip]
    classes: npt.NDArray[np.int64]  # (n,): which label, or how many labels there are for none of them
    mel: npt.NDArray[np.float16]  # (n, FRAMES, mels), dB
    mfcc: Floats  # (n, COEFFICIENTS)

    def truth(self, labels: int) -> npt.NDArray[np.bool_]:
        """Whether each clip holds each label, (n, labels)."""
        return np.asarray(self.classes[:, None] == np.arange(labels), np.bool_)


def gather(
    library: Library, clips: Sequence[Clip], split: Split, labels: Sequence[str], others: int | None, seed: int
) -> Examples:
    """All clips of the labels, and `others` drawn of the rest (None is all); from where each begins to be active."""
    chosen = [clip for label in labels for clip in targets(clips, label, split)]
    rest = negatives(clips, labels, split)
    if others is not None and others < len(rest):
        drawn = np.random.default_rng(seed).choice(len(rest), others, replace=False)
        rest = [rest[n] for n in sorted(drawn.tolist())]
    chosen += rest
    mel = np.full((len(chosen), FRAMES, SETTINGS.mels), _SILENCE, np.float16)
    mfcc = np.zeros((len(chosen), COEFFICIENTS), np.float32)
    for n, clip in enumerate(chosen):
        frames = _frames(library, clip)
        mfcc[n] = mean_mfcc(frames)
        pairs = frames[: len(frames) // 2 * 2].reshape(-1, 2, SETTINGS.mels).mean(axis=1)[:FRAMES]
        mel[n, : len(pairs)] = pairs
    order = {label: n for n, label in enumerate(labels)}
    return Examples(chosen, np.array([order.get(clip.label, len(labels)) for clip in chosen], np.int64), mel, mfcc)


def mean_mfcc(frames: Floats) -> Floats:
    """The mean over time of the cosine transform of log-mel frames (n, mels), its first 40 coefficients."""
    return np.asarray(dct(frames, type=2, norm="ortho", axis=1)[:, :COEFFICIENTS].mean(axis=0), np.float32)


def _frames(library: Library, clip: Clip) -> Floats:
    """The log-mel of at most four seconds; a clip shorter than a window is filled up with silence."""
    start = max(0, int((clip.onset - _LEAD) * library.rate))
    samples = library.samples(clip, start, start + int(SECONDS * library.rate))
    short = max(0, SETTINGS.window + SETTINGS.hop - len(samples))
    return log_mel(np.pad(samples, (0, short)), SETTINGS)
