"""Real gun shots and breaking glass of the test split, mixed over quiet noise at known times."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from sed.signals import Floats
from sed.train.clips import read_clips, targets, trust

RATE = 16_000
DATA = Path(__file__).parents[2] / "shared" / "data"
LABELS = ("gun_shot", "glass_break")
BED_DBFS = -55.0
AHEAD, LONGEST, APART = 0.2, 2.5, (3.5, 4.5)
"""Seconds: of a clip before its onset, of it in all, and from one to the next."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A sound that is to be heard; `onset` is the clips' own word on when it begins."""

    label: str
    onset: float  # seconds from the beginning of the track


def track(seconds: float, data: Path = DATA) -> tuple[npt.NDArray[np.int16], list[Planted]]:
    """A track of gun shots and glass, label by label in turn, and what is in it. Raises AudioError."""
    rng = np.random.default_rng(0)
    mix = rng.normal(0.0, 10.0 ** (BED_DBFS / 20.0), round(seconds * RATE)).astype(np.float32)
    clips = read_clips(data)
    pools = [[clip for clip in targets(clips, label, "test") if trust(clip) == 1.0] for label in LABELS]
    planted: list[Planted] = []
    onset = 2.0
    while onset + LONGEST < seconds:
        pool = pools[len(planted) % len(pools)]
        clip = pool[rng.integers(len(pool))]
        ahead = min(AHEAD, clip.onset)
        sound = _cut(data / clip.path, clip.onset - ahead) * rng.uniform(0.3, 1.0)
        first = round((onset - ahead) * RATE)
        mix[first : first + len(sound)] += sound
        planted.append(Planted(clip.label, onset))
        onset += rng.uniform(*APART)
    return (np.clip(mix, -1.0, 1.0) * 32_767).astype(np.int16), planted


def _cut(path: Path, start: float) -> Floats:
    """The clip from `start` seconds on, faded out."""
    sound, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    cut: Floats = sound[round(start * rate) :][: round(LONGEST * rate)]
    fade = min(len(cut), rate // 10)
    cut[len(cut) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return cut
