"""What is known of each clip: its class, its side of the split, how far to trust it and how often to draw it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sed.errors import AudioError
from sed.train.manifest import read_table

COLUMNS = ("path", "class", "split")
"""The columns that clips.csv needs. Read if they are there: source_group, dataset, realism, active_onset, active_offset
(seconds), suspect and yamnet_siren; without source_group every clip is its own."""

HARD = {
    "siren": (
        *("alarm", "bell_phone", "car_horn", "train_horn", "horn", "beeps", "scream", "phone_ring", "animal_howl"),
        *("music", "music", "music", "animal", "animal", "birds", "rooster", "dog_bark", "human", "crowd", "whistle"),
    ),
    "gun_shot": (
        *("explosion", "door_slam", "hammer", "impact", "knock", "nail_gun", "balloon_pop", "clapping", "tools"),
        *("engine", "music"),
    ),
    "glass_break": (
        *("glass_clink", "glass_impact", "dishes", "coins", "keys", "metal_impact", "crash", "drawer"),
        "music",
    ),
}
"""For each target, the classes most often taken for it; what is named twice is drawn twice as often."""

BEDS = {
    "background": 10.0,
    "music": 4.0,
    "speech": 1.0,
    "crowd": 1.0,
    "children_playing": 1.0,
    "engine_idling": 1.0,
    "air_conditioner": 1.0,
    "traffic": 1.0,
}
"""Classes that may lie under a whole scene, and how often they do."""

BUSY = (
    *("machine", "engine", "tools", "chainsaw", "helicopter", "typing", "clock_tick", "footsteps", "animal"),
    *("jackhammer", "drilling"),
)
"""Classes that go on and on, struck or rough: beds against false alarms, where a recipe asks for them."""

PLAIN = ("background", "music", "speech")
"""Classes whose files hold no target and are what a microphone hears all day: what is told in them is a false alarm."""

_DOUBTS = {
    "gun_shot": {"explosion": 0.3, "fireworks": 0.2, "thunder": 0.5, "car_backfire": 0.2, "misc_negative": 0.5},
    "siren": {"alarm": 0.5, "alarm_danger": 0.5, "alarm_gas": 0.5, "alarm_tsunami": 0.3, "car_alarm": 0.5},
    "glass_break": {"crash": 0.5, "misc_negative": 0.7},
}
_CHEN = "Chen home-care abnormal sound set"


@dataclass(frozen=True, slots=True)
class Clip:
    """One file of the data."""

    path: str  # under the data folder
    label: str
    split: str  # train, valid or test
    group: str  # files cut from one recording share it
    dataset: str
    realism: str
    onset: float  # seconds: first frame within 25 dB of the loudest
    offset: float  # seconds
    suspect: str  # a target that is heard in it although it is of another class, or empty
    siren_heard: float = 1.0  # YAMNet's highest siren score


def read_clips(data: Path) -> list[Clip]:
    """The rows of `data/clips.csv`; raises AudioError if it is absent, no table, or lacks a column."""
    table = data / "clips.csv"
    if not table.is_file():
        raise AudioError(f"{table}: no such file; training needs a folder with clips.csv and its audio")
    return [_clip(row) for row in read_table(table, COLUMNS)]


def check_labels(clips: Iterable[Clip], labels: Sequence[str]) -> None:
    """Raise AudioError unless every label can be learnt and its rule chosen."""
    clips = list(clips)
    for label in labels:
        for split, purpose in (("train", "to learn from"), ("valid", "to choose its rule on")):
            if not targets(clips, label, split):
                raise AudioError(f"{label}: no clips of split '{split}' {purpose}; clips.csv needs some")


def check_extra(clips: Iterable[Clip], labels: Sequence[str]) -> None:
    """Raise AudioError unless every label that is scored besides can be learnt."""
    clips = list(clips)
    for label in labels:
        if not targets(clips, label, "train"):
            raise AudioError(f"{label}: no clips of split 'train' to learn from; clips.csv needs some")


def _clip(row: dict[str, str]) -> Clip:
    return Clip(
        row["path"],
        row["class"],
        row["split"],
        row.get("source_group") or row["path"],
        row.get("dataset") or "",
        row.get("realism") or "",
        float(row.get("active_onset") or 0.0),
        float(row.get("active_offset") or 0.0),
        row.get("suspect") or "",
        float(row.get("yamnet_siren") or 1.0),
    )


def targets(clips: Iterable[Clip], label: str, split: str) -> list[Clip]:
    """The clips that hold `label`; synthetic sounds are left out."""
    return [c for c in clips if c.label == label and c.split == split and c.realism != "synthetic"]


def negatives(clips: Iterable[Clip], labels: Sequence[str], split: str) -> list[Clip]:
    """The clips that hold none of `labels`; those in which one is heard all the same are left out."""
    return [c for c in clips if c.label not in labels and c.split == split and not c.suspect and not _known_wrong(c)]


def _known_wrong(clip: Clip) -> bool:
    return clip.dataset == "deb:redeclipse-data" and clip.label == "engine"  # distant_cars holds a siren


def doubt(label: str, target: str) -> float:
    """How much a clip of class `label` counts as proof that `target` is absent, 0 to 1."""
    return _DOUBTS.get(target, {}).get(label, 1.0)


def trust(clip: Clip) -> float:
    """How far to believe that a target clip holds its class, 0 to 1 (the data's README names the weak sets)."""
    if clip.label == "glass_break" and clip.dataset == _CHEN:
        return 0.3
    if clip.label == "siren" and clip.dataset == "SESA" and clip.siren_heard < 0.1:
        return 0.3
    return 0.6 if clip.dataset.startswith("gabemagee") else 1.0


def weights(clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """How often to draw each clip, summing to 1: a group of n clips weighs 1 + log(n), times the clip's trust."""
    sizes = Counter(clip.group for clip in clips)
    raw = np.array([trust(c) * (1.0 + np.log(sizes[c.group])) / sizes[c.group] for c in clips])
    return np.asarray(raw / raw.sum(), np.float64)
