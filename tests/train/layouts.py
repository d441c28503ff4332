"""Tiny data sets, generated, laid out exactly as the published ones are."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from sed.signals import Floats

URBANSOUND8K = ["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]
ESC50 = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
BY, BY_NC = "http://creativecommons.org/licenses/by/3.0/", "http://creativecommons.org/licenses/by-nc/3.0/"
SAMPLING = "http://creativecommons.org/licenses/sampling+/1.0/"


def tone(hz: float, seconds: float = 0.5, rate: int = 16_000) -> Floats:
    time = np.arange(round(seconds * rate)) / rate
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * time), np.float32)


def sound(path: Path, samples: Floats | None = None, rate: int = 16_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(800.0, rate=rate) if samples is None else samples, rate)
    return path


def table(path: Path, header: list[str], rows: Iterable[Iterable[object]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)


def urbansound8k(folder: Path) -> Path:
    """Ten folds of two recordings, the first cut into two slices."""
    rows = []
    for fold in range(1, 11):
        for number, (name, label) in enumerate((("siren", 8), ("street_music", 9))):
            recording = 1000 * fold + number
            for piece in range(2 - number):
                slice_name = f"{recording}-{label}-0-{piece}.wav"
                rows.append((slice_name, recording, 0.0, 0.5, 1, fold, label, name))
                sound(folder / f"audio/fold{fold}/{slice_name}")
    table(folder / "metadata/UrbanSound8K.csv", URBANSOUND8K, rows)
    return folder


def esc50(folder: Path) -> Path:
    """Five folds, the recording in each cut into takes A and B; dogs belong to ESC-10."""
    rows = []
    for fold in range(1, 6):
        for target, name, ten in ((0, "dog", True), (39, "glass_breaking", False)):
            for take in "AB":
                filename = f"{fold}-{fold}0{target}-{take}-{target}.wav"
                rows.append((filename, fold, target, name, ten, f"{fold}0{target}", take))
                sound(folder / "audio" / filename, rate=44_100)
    table(folder / "meta/esc50.csv", ESC50, rows)
    return folder


FSD_DEV = [
    ("64760", "Electric_guitar,Guitar,Plucked_string_instrument,Musical_instrument,Music", "train", "ann", BY),
    ("37199", "Glass,Shatter,Domestic_sounds_and_home_sounds", "train", "bob", BY_NC),
    ("37200", "Siren,Gunshot_and_gunfire,Alarm,Explosion", "train", "bob", SAMPLING),
    ("37201", "Explosion,Gunshot_and_gunfire", "val", "eve", BY),
]
FSD_EVAL = [("99", "Siren,Alarm", "", "joe", BY), ("100", "Zipper_(clothing)", "", "kim", BY)]


def fsd50k(folder: Path, *, metadata: bool = True) -> Path:
    for part, clips in (("dev", FSD_DEV), ("eval", FSD_EVAL)):
        header = ["fname", "labels", "mids", *(["split"] if part == "dev" else [])]
        rows = [(name, labels, "/m/0", *([split] if part == "dev" else [])) for name, labels, split, *_ in clips]
        table(folder / f"FSD50K.ground_truth/{part}.csv", header, rows)
        for name, *_ in clips:
            sound(folder / f"FSD50K.{part}_audio/{name}.wav", rate=44_100)
        if metadata:
            about = {name: {"title": "t", "license": by, "uploader": who} for name, _, _, who, by in clips}
            file = folder / f"FSD50K.metadata/{part}_clips_info_FSD50K.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(about))
    (folder / "FSD50K.ground_truth/vocabulary.csv").write_text("0,Siren,/m/03kmc9\n1,Shatter,/m/07rn7sz\n")
    return folder


STRONG = ["filename", "onset", "offset", "event_label"]
CLIP_A, CLIP_B = "Y00pbt6aJV8Y_350.000_360.000.wav", "Y00pbt6aJV8Y_10.000_20.000.wav"


def desed(folder: Path) -> Path:
    """One table a side of the split, one of weak labels beside them, and a file in which nothing is heard."""
    long = np.concatenate((tone(500.0, 1.0), tone(2000.0, 1.0)))
    for place in (f"validation/{CLIP_A}", f"validation/{CLIP_B}", "train/synthetic20/soundscapes/1.wav"):
        sound(folder / "audio" / place, long)
    validation = [
        (CLIP_A, "0.000", "1.000", "Speech"),
        (CLIP_A, "0.500", "2.000", "Siren"),
        (CLIP_B, "1.250", "1.750", "Dog"),
    ]
    table(folder / "metadata/validation/validation.tsv", STRONG, validation, "\t")
    table(
        folder / "metadata/train/synthetic20/soundscapes.tsv",
        STRONG,
        [("1.wav", "0.1", "0.6", "Cat"), ("2.wav", "", "", "")],
        "\t",
    )
    table(folder / "metadata/train/weak.tsv", ["filename", "event_labels"], [("x.wav", "Speech,Dog")], "\t")
    return folder


def classes(folder: Path, count: int = 7) -> Path:
    """Two folders of classes, one with spaces and capitals in its name, and what an archive left behind."""
    for label, hz in (("Car Alarm", 1000.0), ("rain", 300.0)):
        for number in range(count):
            sound(folder / label / f"{number}.wav", tone(hz + number))
    sound(folder / "__MACOSX/rain/._0.wav")
    (folder / "rain/notes.txt").write_text("not a sound")
    return folder


def catalogue(folder: Path) -> Path:
    """A clips.csv with columns of its own."""
    rows = [
        ("a.wav", "siren", "train", "g1", "CC0", "0.02", "0.40", "", "0.9"),
        ("b.wav", "music", "valid", "g2", "unknown (archive, CC BY?)", "", "", "siren", ""),
        ("c.wav", "music", "test", "g3", "CC BY-NC 3.0", "", "", "", ""),
    ]
    header = ["path", "class", "split", "source_group", "licence"]
    header += ["active_onset", "active_offset", "suspect", "yamnet_siren"]
    table(folder / "clips.csv", header, rows)
    for path, *_ in rows:
        sound(folder / path)
    return folder
