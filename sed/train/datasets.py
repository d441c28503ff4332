"""Data sets with one label table a file: UrbanSound8K, ESC-50 and FSD50K, laid out as they are published.

Layouts after each set's own README: urbansounddataset.weebly.com, github.com/karolpiczak/ESC-50 and
zenodo.org/record/4060432. soundata 1.0 reads the same tables, but its FSD50K clips have neither licence nor uploader,
which the licence filter and the groups need; and it brings librosa, pandas and jams along for what csv does.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from sed.errors import AudioError
from sed.train.manifest import Row, read_table

_FSD_SPLITS = {"train": "train", "val": "valid"}


def read_urbansound8k(folder: Path) -> list[Row]:
    """8,732 slices in ten folds, audio/fold1/ to fold10/; the group is the Freesound recording they are cut from."""
    needed = ("slice_file_name", "fsID", "salience", "fold", "class")
    return [
        Row(
            path=f"audio/fold{line['fold']}/{line['slice_file_name']}",
            labels=(line["class"],),
            group=f"freesound-{line['fsID']}",
            dataset="UrbanSound8K",
            fold=line["fold"],
            licence="CC BY-NC 3.0 (UrbanSound8K)",
            realism="recording",
            more={"salience": line["salience"]},  # 1: in front, 2: behind other sounds
        )
        for line in read_table(folder / "metadata/UrbanSound8K.csv", needed)
    ]


def read_esc50(folder: Path) -> list[Row]:
    """2,000 clips of 5 s in five folds; the group is the Freesound recording. ESC-10 is the part under CC BY."""
    return [
        Row(
            path=f"audio/{line['filename']}",
            labels=(line["category"],),
            group=f"freesound-{line['src_file']}",
            dataset="ESC-50",
            fold=line["fold"],
            licence="CC BY 3.0 (ESC-10)" if line["esc10"] == "True" else "CC BY-NC 3.0 (ESC-50)",
            realism="recording",
        )
        for line in read_table(folder / "meta/esc50.csv", ("filename", "fold", "category", "esc10", "src_file"))
    ]


def read_fsd50k(folder: Path) -> list[Row]:
    """51,197 Freesound clips, many with several labels; the group is the uploader, where FSD50K.metadata/ names one."""
    return [*_fsd_rows(folder, "dev"), *_fsd_rows(folder, "eval")]


def _fsd_rows(folder: Path, part: str) -> Iterator[Row]:
    table = folder / f"FSD50K.ground_truth/{part}.csv"
    if part == "eval" and not table.is_file():
        return
    clips = _fsd_clips(folder, part)
    for line in read_table(table, ("fname", "labels", "split") if part == "dev" else ("fname", "labels")):
        about = clips.get(line["fname"], {})
        uploader = about.get("uploader")
        yield Row(
            path=f"FSD50K.{part}_audio/{line['fname']}.wav",
            labels=tuple(line["labels"].split(",")),
            split=_FSD_SPLITS.get(line.get("split", ""), "train") if part == "dev" else "test",
            group=f"freesound-user-{uploader}" if uploader else f"freesound-{line['fname']}",
            dataset="FSD50K",
            licence=str(about.get("license", "")),
            realism="recording",
        )


def _fsd_clips(folder: Path, part: str) -> Mapping[str, Mapping[str, object]]:
    """Licence and uploader of each clip by its number; empty if the metadata was not downloaded."""
    file = folder / f"FSD50K.metadata/{part}_clips_info_FSD50K.json"
    if not file.is_file():
        return {}
    try:
        clips = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AudioError(f"{file}: cannot be read ({error})") from error
    if not isinstance(clips, dict) or not all(isinstance(about, dict) for about in clips.values()):
        raise AudioError(f"{file}: need an object with one object a clip")
    return clips
