"""A folder of scenes: lists that others read, and files of the very samples."""

import csv
import wave
from pathlib import Path

import pytest

from sed.errors import SinkError, UsageError
from sed.evaluate.reference import read_references
from sed.evaluate.scenelist import Origin, read_scenes
from sed.train.clips import Clip
from sed.train.library import Library
from sed.train.scenefolder import write_scenes
from sed.train.testset import MixedScene, SceneSet
from tests.train.sounds import RATE

LABELS = ("siren", "gun_shot", "glass_break")
SECONDS = 8.0


@pytest.fixture(scope="module")
def made(library: Library, clips: list[Clip]) -> list[MixedScene]:
    scenes = SceneSet(library, clips, "test", LABELS, SECONDS, seed=0)
    return [scenes.scene("target", 0), scenes.scene("target", 12), scenes.scene("distractor", 0)]


def test_lists_and_files(made: list[MixedScene], tmp_path: Path) -> None:
    write_scenes(tmp_path / "out", made, RATE)
    known = read_references(tmp_path / "out" / "scenes.tsv")
    assert [len(known[scene.name]) for scene in made] == [1, 2, 0]
    assert known[made[0].name][0].onset == pytest.approx(made[0].sounds[0].onset / RATE, abs=0.001)
    with (tmp_path / "out" / "scenes.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["filename"] for row in rows] == [scene.name for scene in made for _ in scene.sounds]
    assert float(rows[0]["ebr_db"]) == made[0].sounds[0].ratio_db
    assert (rows[0]["clip"], rows[0]["bed"]) == (made[0].sounds[0].clip, made[0].bed)
    assert (rows[0]["dataset"], rows[0]["bed_dataset"]) == ("made", "made")
    with wave.open(str(tmp_path / "out" / made[0].name)) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, SECONDS * RATE)
        assert file.readframes(file.getnframes()) == made[0].samples.astype("<i2").tobytes()


def test_evaluate_reads_what_is_written(made: list[MixedScene], tmp_path: Path) -> None:
    write_scenes(tmp_path, made, RATE)
    scenes = read_scenes(tmp_path)
    assert [scene.kind for scene in scenes] == ["target", "target", "distractor"]
    for scene, mixed in zip(scenes, made, strict=True):
        assert [part.ratio_db for part in scene.parts] == [sound.ratio_db for sound in mixed.sounds]
        assert all(scene.ratio_db(event) is not None for event in scene.events)
        assert scene.bed == Origin(mixed.bed, "made")
        assert scene.bed_dbfs == pytest.approx(mixed.bed_dbfs, abs=0.006)
        assert [part.origin for part in scene.parts] == [Origin(sound.clip, "made") for sound in mixed.sounds]


def test_scenes_are_never_mixed_up_with_older_ones(made: list[MixedScene], tmp_path: Path) -> None:
    write_scenes(tmp_path, made[:1], RATE)
    with pytest.raises(UsageError, match="holds scenes already; delete it"):
        write_scenes(tmp_path, made, RATE)


def test_a_folder_that_cannot_be_made_is_told(made: list[MixedScene], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        write_scenes(tmp_path / "file", made, RATE)
