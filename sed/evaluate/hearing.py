"""What a model tells of a recording, and the scores it tells it by: one pass through `detect`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sed.evaluate.nearby import joined
from sed.evaluate.reference import Sound
from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.signals import Block, Floats, Scores
from sed.tap import ScoreTap

BLOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording as the daemon would have heard it."""

    told: tuple[Sound, ...]  # nearby events joined
    scores: Floats  # (rows, labels)
    period: float  # seconds a row
    seconds: float


def hear(model: OnnxModel, rules: Mapping[str, Rule], samples: Floats) -> Heard:
    """Listen to samples at the model's rate, as if they were all there is."""
    meta, rows = model.metadata, list[Floats]()
    rate = meta.frontend.sample_rate
    model.reset()
    tapped = ScoreTap(model, lambda scores: rows.append(_values(scores)))
    tracker = Tracker(meta.labels, rules, rate)
    told = detect(_blocks(samples, rate), LogMel(meta.frontend), tapped, tracker, LevelMeter(rate))
    ends = [event for event in told if event.phase == "end"]
    sounds = joined(Sound(e.label, e.onset / rate, (e.offset or e.onset) / rate) for e in ends)
    scores = np.concatenate(rows) if rows else np.zeros((0, len(meta.labels)), np.float32)
    return Heard(sounds, scores, meta.period, len(samples) / rate)


def _values(scores: Scores) -> Floats:
    return scores.values


def _blocks(samples: Floats, rate: int) -> Iterator[Block]:
    size = round(BLOCK_SECONDS * rate)
    for start in range(0, len(samples), size):
        yield Block(start, samples[start : start + size])
