"""`earwitness train --show-augmentations`: what every change to a clip looks like."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sed.errors import AudioError, UsageError
from sed.metadata import FrontendSettings
from sed.signals import Floats

if TYPE_CHECKING:
    from sed.train.clips import Clip

LABELS = ("siren", "gun_shot", "glass_break")
TITLE = "{}: before and after each change, named by its switch in recipe.py or spectral.py; Hz over seconds"
LONG = 2.5  # seconds that fill a picture


def run(data: Path, picture: Path, labels: Sequence[str] = (), seed: int = 0) -> None:
    """Draw every augmentation of a clip of the first of `labels`, of LABELS if none is given.

    Raises UsageError, AudioError or SinkError.
    """
    try:
        from sed.train.clips import read_clips
        from sed.train.showcase import check_showing, draw, tiles
    except ModuleNotFoundError as error:
        raise UsageError(f"train: needs {error.name}; pip install 'earwitness[train]'") from error
    check_showing(picture)
    settings = FrontendSettings()
    clips = _chosen(read_clips(data), labels or LABELS, np.random.default_rng(seed))
    sound, other = (_heard(data, clip, settings.sample_rate) for clip in clips)
    shown = tiles(sound, other, settings, seed)
    draw(shown, TITLE.format(clips[0].path), settings, picture)
    print(f"{picture}: {len(shown)} augmentations of {clips[0].path}")


def _chosen(clips: "Sequence[Clip]", labels: Sequence[str], rng: np.random.Generator) -> "list[Clip]":
    """A clip of the first label, and one of the last to lie under it."""
    from sed.train.clips import targets

    found = []
    for label in (labels[0], labels[-1]):
        members = targets(clips, label, "train")
        if not members:
            raise AudioError(f"{label}: no clips of split 'train' to show; clips.csv needs some")
        long = [clip for clip in members if clip.offset - clip.onset >= LONG] or members
        found.append(long[rng.integers(len(long))])
    return found


def _heard(data: Path, clip: "Clip", rate: int) -> Floats:
    """The clip from where its sound begins."""
    from sed.train.library import Library

    with TemporaryDirectory() as folder:
        return Library(data, [clip], rate, Path(folder)).samples(clip, int(clip.onset * rate))
