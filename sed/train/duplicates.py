"""Near-identical clips on both sides of the split, which would flatter what is measured."""

from collections.abc import Sequence

import numpy as np

from sed.frontend import log_mel
from sed.metadata import FrontendSettings
from sed.signals import Floats
from sed.train.clips import Clip
from sed.train.library import Library

ALIKE = 0.97
"""The cosine from which two clips count as the same sound."""

_SECONDS = 1.0
_RANGE_DB = 50.0
_SETTINGS = FrontendSettings(mels=32)


def without_duplicates(clips: Sequence[Clip], labels: Sequence[str], library: Library) -> list[Clip]:
    """`clips` less the valid ones that train or test has too, and the test ones that train has too."""
    dropped: set[str] = set()
    for label in labels:
        members = [clip for clip in clips if clip.label == label]
        prints = np.stack([fingerprint(library, clip) for clip in members]) if members else np.zeros((0, 1))
        for side, others in (("test", {"train"}), ("valid", {"train", "test"})):
            theirs = prints[[clip.split in others for clip in members]]
            for clip, own in zip(members, prints, strict=True):
                if clip.split == side and len(theirs) and float((theirs @ own).max()) > ALIKE:
                    dropped.add(clip.path)
    return [clip for clip in clips if clip.path not in dropped]


def fingerprint(library: Library, clip: Clip) -> Floats:
    """The log-mel of the clip's first active second, centred and of length 1, (values,); level plays no part."""
    start = max(0, int((clip.onset - 0.05) * library.rate))
    samples = np.zeros(int(_SECONDS * library.rate), np.float32)
    heard = library.samples(clip, start, start + len(samples))
    samples[: len(heard)] = heard
    mel = log_mel(samples, _SETTINGS)
    mel = np.maximum(mel, mel.max() - _RANGE_DB)
    mel = mel[: len(mel) // 2 * 2].reshape(-1, 2, mel.shape[1]).mean(axis=1)
    centred = (mel - mel.mean()).ravel()
    return np.asarray(centred / (np.linalg.norm(centred) + 1e-9), np.float32)
