"""What a new model is examined on: recordings with known events, and ordinary sound in which there is none."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sed.evaluate.nearby import joined
from sed.evaluate.reference import Recording, Sound
from sed.signals import Floats
from sed.train.clips import PLAIN, Clip
from sed.train.fixedpoint import Pcm
from sed.train.material import Material
from sed.train.recipe import CHOOSING, MEASURING, Split
from sed.train.scenes import Mixer
from sed.train.settings import TrainSettings
from sed.train.testset import KINDS, Kind, SceneSet

COUNTS: dict[Kind, int] = {"target": 240, "distractor": 240, "explosion": 60}
"""Scenes of each kind, as `earwitness scenes` makes them."""
SCENE_SECONDS, SCENE_SEED = 30.0, 1
_SEEDS: dict[Split, int] = {"valid": 11, "test": 12}


def examination(settings: TrainSettings, material: Material, clips: list[Clip], split: Split) -> Iterator[Recording]:
    """The recordings that the settings ask for, of one side of the split."""
    if settings.exam == "mixtures":
        yield from mixtures(settings, material, clips, split)
        return
    rate = settings.frontend.sample_rate
    scenes = SceneSet(material.library, clips, split, settings.labels, SCENE_SECONDS, SCENE_SEED)
    for kind in KINDS:
        for number in range(COUNTS[kind]):
            scene = scenes.scene(kind, number)
            placed = (s for s in scene.sounds if s.role == "event")
            events = joined(Sound(s.label, s.onset / rate, s.offset / rate) for s in placed)
            yield Recording(scene.name, partial(_floats, scene.samples), events, kind)


def mixtures(settings: TrainSettings, material: Material, clips: list[Clip], split: Split) -> Iterator[Recording]:
    """Mixtures like those that are learnt from, with recorded beds and no effects; extra labels are known in them."""
    recipe = CHOOSING if split == "valid" else MEASURING
    mixer = Mixer(material.library, clips, split, settings.labels, recipe, settings.extra)
    rate = settings.frontend.sample_rate
    for number in range(settings.valid_scenes):
        scene = mixer.scene((_SEEDS[split], number), round(settings.seconds * rate))
        marks = (*scene.events, *scene.extras)
        events = joined(Sound(mark.label, mark.onset / rate, mark.offset / rate) for mark in marks)
        yield Recording(f"{split}-{number}", partial(np.asarray, scene.samples, np.float32), events)


def plain(material: Material, clips: list[Clip], split: Split) -> Iterator[Recording]:
    """Whole files of background, music and speech, less those in which a target is heard."""
    for clip in clips:
        if clip.split == split and clip.label in PLAIN and not clip.suspect:
            yield whole(material, clip)


def whole(material: Material, clip: Clip) -> Recording:
    """All of a clip; what is in it is not said."""
    return Recording(clip.path, partial(material.library.samples, clip), kind=clip.label)


def _floats(samples: Pcm) -> Floats:
    return np.asarray(samples, np.float32) / np.float32(32768.0)
