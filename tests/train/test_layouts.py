"""Every layout as published, and the same rows from all of them."""

from pathlib import Path

import pytest

from sed.errors import AudioError, EarwitnessError, UsageError
from sed.train.layouts import layout_of, rows_of
from sed.train.manifest import Row
from sed.train.mapping import mapped
from tests.train import layouts


def rows(folder: Path) -> list[Row]:
    layout = layout_of(folder)
    return mapped(rows_of(folder, layout), layout.labels)


def test_every_path_leads_to_a_file(tmp_path: Path) -> None:
    for make in (layouts.urbansound8k, layouts.esc50, layouts.fsd50k, layouts.desed, layouts.classes):
        folder = make(tmp_path / make.__name__)
        assert [row.path for row in rows(folder) if not (folder / row.path).is_file()] == []


def test_urbansound8k(tmp_path: Path) -> None:
    found = rows(layouts.urbansound8k(tmp_path))
    assert layout_of(tmp_path).name == "UrbanSound8K"
    assert len(found) == 30
    first = next(row for row in found if row.path == "audio/fold3/3000-8-0-1.wav")
    assert (first.label, first.group, first.fold) == ("siren", "freesound-3000", "3")
    assert (first.licence_kind, first.more["salience"]) == ("noncommercial", "1")
    assert {row.label for row in found} == {"siren", "music"}


def test_esc50(tmp_path: Path) -> None:
    found = rows(layouts.esc50(tmp_path))
    assert {(row.label, row.licence_kind) for row in found} == {("dog_bark", "open"), ("glass_break", "noncommercial")}
    takes = [row.group for row in found if row.path.startswith("audio/4-4039-")]
    assert takes == ["freesound-4039"] * 2


def test_fsd50k(tmp_path: Path) -> None:
    found = {Path(row.path).stem: row for row in rows(layouts.fsd50k(tmp_path))}
    shown = {name: (row.label, row.suspect, row.split, row.group, row.licence_kind) for name, row in found.items()}
    assert shown == {
        "64760": ("music", "", "train", "freesound-user-ann", "open"),
        "37199": ("glass_break", "", "train", "freesound-user-bob", "noncommercial"),  # Shatter is below Glass
        "37200": ("siren", "gun_shot", "train", "freesound-user-bob", "noncommercial"),
        "37201": ("gun_shot", "", "valid", "freesound-user-eve", "open"),  # Explosion is its ancestor
        "99": ("siren", "", "test", "freesound-user-joe", "open"),
        "100": ("zipper_clothing", "", "test", "freesound-user-kim", "open"),
    }


def test_fsd50k_without_its_metadata(tmp_path: Path) -> None:
    found = rows(layouts.fsd50k(tmp_path, metadata=False))
    assert {row.licence_kind for row in found} == {"unknown"}
    assert "freesound-37199" in {row.group for row in found}


def test_strong_labels(tmp_path: Path) -> None:
    found = rows(layouts.desed(tmp_path))
    shown = [(row.path, row.labels, row.section, row.split, row.group, row.suspect) for row in found]
    assert shown == [
        ("audio/train/synthetic20/soundscapes/1.wav", ("cat",), (0.1, 0.6), "train", "1", ""),
        (f"audio/validation/{layouts.CLIP_B}", ("dog_bark",), (1.25, 1.75), "valid", "youtube-00pbt6aJV8Y", ""),
        (
            f"audio/validation/{layouts.CLIP_A}", ("speech", "siren"), (0.0, 1.0), "valid", "youtube-00pbt6aJV8Y",
            "siren",
        ),
        (f"audio/validation/{layouts.CLIP_A}", ("siren", "speech"), (0.5, 2.0), "valid", "youtube-00pbt6aJV8Y", ""),
    ]  # fmt: skip
    assert found[0].realism == "mixture"


def test_our_own_detections_are_no_labels(tmp_path: Path) -> None:
    layouts.sound(tmp_path / "a.wav")
    layouts.table(tmp_path / "found.tsv", [*layouts.STRONG, "score"], [("a.wav", 0, 1, "siren", 0.9)], "\t")
    with pytest.raises(UsageError, match="no data set that we know"):
        layout_of(tmp_path)


def test_folders_of_classes(tmp_path: Path) -> None:
    found = rows(layouts.classes(tmp_path))
    assert {row.label for row in found} == {"car_alarm", "rain"}
    assert len(found) == 14
    assert {row.group for row in found} == {""}


def test_folders_of_classes_below_sides(tmp_path: Path) -> None:
    for path in ("train/dog/a.wav", "val/dog/b.wav", "test/dog/c.wav", "test/test/d.wav"):
        layouts.sound(tmp_path / path)
    found = [(row.path, row.label, row.split) for row in rows(tmp_path)]
    assert found == [
        ("test/dog/c.wav", "dog", "test"),
        ("test/test/d.wav", "test", "test"),
        ("train/dog/a.wav", "dog", "train"),
        ("val/dog/b.wav", "dog", "valid"),
    ]


def test_a_catalogue_keeps_what_is_not_read(tmp_path: Path) -> None:
    first, second, third = rows(layouts.catalogue(tmp_path))
    assert (first.onset, first.offset, first.more) == (0.02, 0.4, {"yamnet_siren": "0.9"})
    assert (second.onset, second.suspect) == (None, "siren")
    assert [row.licence_kind for row in (first, second, third)] == ["open", "unknown", "noncommercial"]


@pytest.mark.parametrize(("name", "text", "message"), [
    ("clips.csv", "path,label\n", r"clips\.csv: lacks the columns class"),
    ("clips.csv", "path,class\n", "holds no clips"),
    ("clips.csv", "path,class\n,siren\n", r"clips\.csv, line 2: needs a path and a class"),
    ("clips.csv", "path,class,active_onset\na.wav,x,soon\n", "line 2, active_onset: need seconds, got 'soon'"),
    ("clips.csv", "path,class\na.wav,\xff\n", "not a table"),
    ("meta/esc50.csv", "filename,fold,category\n", "lacks the columns esc10, src_file"),
    ("metadata/UrbanSound8K.csv", "slice_file_name\n", "lacks the columns fsID"),
    ("FSD50K.ground_truth/dev.csv", "fname,labels\n", "lacks the columns split"),
    ("a.tsv", "filename\tonset\toffset\tevent_label\nx.wav\t2\t1\tDog\n", "need onset < offset, got 2 and 1"),
    ("a.tsv", "filename\tonset\toffset\tevent_label\nx.wav\tnan\t1\tDog\n", "line 2: need seconds, got 'nan'"),
])  # fmt: skip
def test_bad_tables_are_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(AudioError, match=message) as raised:
        rows(tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["{", '["x"]', '{"1": "x"}'])
def test_broken_metadata_of_fsd50k(tmp_path: Path, text: str) -> None:
    folder = layouts.fsd50k(tmp_path)
    (folder / "FSD50K.metadata/dev_clips_info_FSD50K.json").write_text(text)
    with pytest.raises(EarwitnessError, match=r"dev_clips_info_FSD50K\.json"):
        rows(folder)


def test_no_folder_and_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        layout_of(tmp_path / "nowhere")
    layouts.sound(tmp_path / "loose.wav")
    with pytest.raises(UsageError, match=r"no data set that we know; need clips\.csv, folders of classes"):
        layout_of(tmp_path)
