"""The catalogue: who is a target, who is not, and how often each is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sed.errors import AudioError
from sed.train.clips import Clip, check_labels, doubt, negatives, read_clips, targets, weights

LABELS = ("siren", "gun_shot", "glass_break")
CLIP = Clip("a", "siren", "train", "g", "made", "recording", 0.0, 1.0, "")


def test_targets_and_negatives_stay_on_their_side_of_the_split(clips: list[Clip]) -> None:
    assert [c.path for c in targets(clips, "siren", "valid")] == ["audio/siren/1.flac"]
    assert {c.label for c in negatives(clips, LABELS, "test")} == {"background", "explosion", "speech"}
    assert {c.split for c in negatives(clips, LABELS, "test")} == {"test"}


def test_a_suspect_is_no_negative(clips: list[Clip]) -> None:
    assert "audio/background/9.flac" not in {c.path for c in negatives(clips, LABELS, "train")}


def test_synthetic_sounds_are_no_targets() -> None:
    assert targets([replace(CLIP, realism="synthetic")], "siren", "train") == []


def test_a_group_of_n_weighs_one_plus_log_n() -> None:
    group = [replace(CLIP, group="many")] * 4 + [replace(CLIP, group="one")]
    found = weights(group)
    assert found.sum() == pytest.approx(1.0)
    assert found[:4].sum() / found[4] == pytest.approx(1.0 + np.log(4))


def test_doubtful_labels_are_drawn_less() -> None:
    chen = replace(CLIP, label="glass_break", dataset="Chen home-care abnormal sound set", group="chen")
    assert weights([chen, replace(CLIP, label="glass_break")]).tolist() == pytest.approx([0.3 / 1.3, 1 / 1.3])


@pytest.mark.parametrize(("label", "target", "least", "most"), [
    ("explosion", "gun_shot", 0.0, 0.5),   # people take it for a shot, too
    ("explosion", "siren", 1.0, 1.0),
    ("glass_clink", "glass_break", 1.0, 1.0),  # the nearest miss, but a sure one
])  # fmt: skip
def test_what_is_doubtful_counts_less(label: str, target: str, least: float, most: float) -> None:
    assert least <= doubt(label, target) <= most


def test_a_folder_without_catalogue_is_told(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"clips\.csv: no such file"):
        read_clips(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("path,class\n")
    with pytest.raises(AudioError, match="lacks the columns split"):
        read_clips(tmp_path)


def test_a_table_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_bytes("path,class,split\nhörbar.wav,bark,train\n".encode("latin-1"))
    with pytest.raises(AudioError, match=r"clips\.csv: not a table \('utf-8' codec"):
        read_clips(tmp_path)


def test_three_columns_are_enough(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("path,class,split\na.wav,bark,train\nb.wav,bark,valid\n")
    clips = read_clips(tmp_path)
    assert [clip.group for clip in clips] == ["a.wav", "b.wav"]
    check_labels(clips, ["bark"])


@pytest.mark.parametrize(("label", "message"), [("purr", "purr: no clips of split 'train'"), ("bark", "split 'valid'")])
def test_a_label_that_cannot_be_learnt_is_told(label: str, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        check_labels([replace(CLIP, label="bark")], [label])


def test_no_source_group_is_on_two_sides(real: Path) -> None:
    sides: dict[str, set[str]] = {}
    for clip in read_clips(real):
        sides.setdefault(clip.group, set()).add(clip.split)
    assert [group for group, split in sides.items() if len(split) > 1] == []
