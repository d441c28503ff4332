"""The common row, its licence, and clips.csv written and read again."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.errors import SinkError
from sed.train.clips import read_clips
from sed.train.manifest import Row, licence_kind, licensed, moved, read_catalogue, write_catalogue

ROW = Row(
    "a.wav", ("siren",), "train", "g", "made", "3", "CC0", "recording", None, 0.25, 1.5, "", {"yamnet_siren": "1"}
)


@pytest.mark.parametrize(("licence", "kind"), [
    ("CC0", "open"),
    ("CC BY 3.0 (ESC-10)", "open"),
    ("CC-BY-SA-3.0", "open"),
    ("http://creativecommons.org/licenses/by/3.0/", "open"),
    ("http://creativecommons.org/publicdomain/zero/1.0/", "open"),
    ("GPL-2+", "open"),
    ("CC BY-NC 3.0 (UrbanSound8K)", "noncommercial"),
    ("http://creativecommons.org/licenses/by-nc/3.0/", "noncommercial"),
    ("http://creativecommons.org/licenses/sampling+/1.0/", "noncommercial"),
    ("research/study only, non-commercial (repo README)", "noncommercial"),
    ("unknown (YouTube extracts, CC BY?)", "unknown"),
    ("see copyright", "unknown"),
    ("", "unknown"),
])  # fmt: skip
def test_licence_kinds(licence: str, kind: str) -> None:
    assert licence_kind(licence) == kind


def test_a_licence_names_those_that_are_freer() -> None:
    rows = [replace(ROW, licence=name) for name in ("CC0", "CC BY-NC", "")]
    assert [len(licensed(rows, least)) for least in ("open", "noncommercial", "unknown")] == [1, 2, 3]


def test_what_the_catalogue_says_of_a_licence_counts() -> None:
    assert replace(ROW, more={"licence_kind": "unknown"}).licence_kind == "unknown"


def test_training_reads_what_is_written(tmp_path: Path) -> None:
    write_catalogue([ROW, replace(ROW, path="b.wav", group="", onset=None, offset=None)], tmp_path)
    first, second = read_clips(tmp_path)
    assert (first.path, first.label, first.split, first.group) == ("a.wav", "siren", "train", "g")
    assert (first.onset, first.offset, first.siren_heard) == (0.25, 1.5, 1.0)
    assert second.group == "b.wav"


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)


@given(path=WORDS, label=WORDS, group=WORDS, onset=st.floats(0.0, 100.0), other=WORDS)
def test_written_and_read_again(
    tmp_path_factory: pytest.TempPathFactory, path: str, label: str, group: str, onset: float, other: str
) -> None:
    folder = tmp_path_factory.mktemp("catalogue")
    row = replace(ROW, path=path, labels=(label,), group=group, onset=round(onset, 2), more={"other": other})
    write_catalogue([row], folder)
    assert read_catalogue(folder) == [replace(row, more={"other": other, "licence_kind": "open"})]


def test_paths_are_seen_from_the_new_folder(tmp_path: Path) -> None:
    row = moved(replace(ROW, path="audio/a.wav", group=""), tmp_path / "set", tmp_path / "out/deep")
    assert (row.path, row.group) == ("../../set/audio/a.wav", "audio/a.wav")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"clips\.csv: cannot be written"):
        write_catalogue([ROW], tmp_path / "file")
