"""Sound to calibrate and to compare a quantised model on: clips of one side of the split, at many levels."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from sed.errors import AudioError
from sed.frontend import log_mel
from sed.metadata import Metadata
from sed.resample import resampled
from sed.signals import Floats
from sed.source.file import AudioFile
from sed.train.clips import Clip, read_clips

SECONDS = 10.0
"""The most that is taken of one clip."""

FEWEST = 100
"""Frames below which nothing can be said of a split."""

QUIETEST_DB = -40.0
"""Each clip is turned down by up to this much, as in training."""


def recordings(data: Path, metadata: Metadata, split: str, count: int, seed: int) -> list[Floats]:
    """The log-mel (n, mels) of up to `count` clips of `data`, half of them of the model's labels; raises AudioError.

    The same seed draws the same clips at the same levels.
    """
    rng = np.random.default_rng(seed)
    clips = [clip for clip in read_clips(data) if clip.split == split]
    drawn = _drawn(clips, metadata.labels, count, rng)
    gains = 10.0 ** (rng.uniform(QUIETEST_DB, 0.0, len(drawn)) / 20.0)
    heard = [_read(data / clip.path, metadata.frontend.sample_rate) for clip in drawn]
    frames = [log_mel(sound * np.float32(gain), metadata.frontend) for sound, gain in zip(heard, gains, strict=True)]
    if sum(map(len, frames)) < FEWEST:
        raise AudioError(f"{data / 'clips.csv'}: too little sound of split '{split}', {len(drawn)} clips")
    return [one for one in frames if len(one) >= metadata.stride]


def _drawn(clips: Sequence[Clip], labels: Sequence[str], count: int, rng: np.random.Generator) -> list[Clip]:
    """Half of the model's labels, half of other classes; more of one where the other has too few."""
    shuffled = [clips[n] for n in rng.permutation(len(clips))]
    targets = [clip for clip in shuffled if clip.label in labels]
    others = [clip for clip in shuffled if clip.label not in labels]
    wanted = max(count - count // 2, count - len(others))
    kept = targets[:wanted]
    return [*kept, *others[: count - len(kept)]]


def _read(path: Path, rate: int) -> Floats:
    """Its first SECONDS at a rate."""
    with AudioFile(path) as file:
        blocks = resampled(file.blocks(seconds=1.0), file.sample_rate, rate)
        begun = [block.samples for block in islice(blocks, int(SECONDS) + 1)]
    return np.concatenate([*begun, np.zeros(0, np.float32)])[: round(SECONDS * rate)]
