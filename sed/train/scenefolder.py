"""A folder of scenes: WAV files, the events in them (DCASE), and what each scene is made of."""

import csv
import wave
from collections.abc import Iterable
from pathlib import Path

from sed.errors import SinkError, UsageError
from sed.train.testset import MixedScene

EVENTS = "scenes.tsv"
"""filename, onset, offset, event_label: tab-separated, seconds; a scene with no target has one line and no label."""
PARTS = "scenes.csv"
"""One row a sound: what it is, how far above the bed, and from which clip of which data set."""

PART_COLUMNS = (
    *("filename", "kind", "role", "label", "onset", "offset", "ebr_db"),
    *("bed_dbfs", "turned_down_db", "clip", "bed", "dataset", "bed_dataset"),
)


def write_scenes(folder: Path, scenes: Iterable[MixedScene], rate: int) -> None:
    """Write the scenes as they are made, and the lists when all are there.

    Raises UsageError if the folder holds scenes already, SinkError if it cannot be written.
    """
    if (folder / EVENTS).exists():
        raise UsageError(f"{folder}: holds scenes already; delete it, or name another folder")
    told: list[list[str]] = []
    parts: list[list[str]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for scene in scenes:
            _write_wav(folder / scene.name, scene, rate)
            told.extend(_events(scene, rate))
            parts.extend(_parts(scene, rate))
        _write(folder / PARTS, ",", [list(PART_COLUMNS), *parts])
        _write(folder / EVENTS, "\t", [["filename", "onset", "offset", "event_label"], *told])
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({error.strerror})") from error


def _write_wav(path: Path, scene: MixedScene, rate: int) -> None:
    """Python's own writer: its header is the same 44 bytes everywhere."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(scene.samples.astype("<i2").tobytes())


def _events(scene: MixedScene, rate: int) -> list[list[str]]:
    found = [
        [scene.name, f"{sound.onset / rate:.3f}", f"{sound.offset / rate:.3f}", sound.label]
        for sound in scene.sounds
        if sound.role == "event"
    ]
    return found or [[scene.name, "", "", ""]]


def _parts(scene: MixedScene, rate: int) -> list[list[str]]:
    levels = [f"{scene.bed_dbfs:.2f}", f"{scene.turned_down_db:.2f}"]
    return [
        [
            *(scene.name, scene.kind, sound.role, sound.label),
            *(f"{sound.onset / rate:.3f}", f"{sound.offset / rate:.3f}", f"{sound.ratio_db:.2f}"),
            *(*levels, sound.clip, scene.bed, sound.dataset, scene.bed_dataset),
        ]
        for sound in scene.sounds
    ]


def _write(path: Path, delimiter: str, rows: Iterable[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
