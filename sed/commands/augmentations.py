"""`earwitness train --show-augmentations`: what every change to a clip looks like."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from sed.commands.train import settings_of
from sed.errors import AudioError
from sed.metadata import FrontendSettings
from sed.signals import Floats

if TYPE_CHECKING:
    from sed.train.clips import Clip

TITLE = "{}: before and after each change, named by its switch in [augment] or [augment_frames]; Hz over seconds"
LONG = 2.5  # seconds that fill a picture


def run(data: Path, picture: Path, config: Path | None = None, **given: Any) -> None:
    """Draw every augmentation of a clip of the first label; of `config`, labels and seed matter, unless they are given.

    Raises UsageError, ConfigError, AudioError or SinkError.
    """
    told = settings_of(data, picture.with_suffix(".onnx"), config, given)  # a name only: no model is written
    from sed.train.clips import read_clips
    from sed.train.showcase import check_showing, draw, tiles

    check_showing(picture)
    frontend = FrontendSettings()
    clips = _chosen(read_clips(data), told.labels, np.random.default_rng(told.seed))
    sound, other = (_heard(data, clip, frontend.sample_rate) for clip in clips)
    shown = tiles(sound, other, frontend, told.seed)
    draw(shown, TITLE.format(clips[0].path), frontend, picture)
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
