"""Folders of scenes as `earwitness scenes` writes them, and as others do."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.errors import UsageError
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Origin, read_scenes
from tests.evaluate.scenefolders import SECONDS, write_folder
from tests.toy import RATE


def test_scenes_with_their_kinds_events_and_ratios(tmp_path: Path) -> None:
    scenes = read_scenes(write_folder(tmp_path))
    assert [(scene.name, scene.kind) for scene in scenes] == [
        ("target-000.wav", "target"),
        ("target-001.wav", "target"),
        ("distractor-000.wav", "distractor"),
        ("explosion-000.wav", "explosion"),
    ]
    assert scenes[0].events == (Sound("tone", 1.0, 1.5), Sound("tone", 4.0, 5.0))
    assert [scenes[0].ratio_db(event) for event in scenes[0].events] == [6.0, 20.0]
    assert scenes[0].ratio_db(Sound("tone", 6.0, 7.0)) is None
    assert [scene.bed_dbfs for scene in scenes] == [-42.0, -30.0, -40.0, -40.0]
    assert (scenes[2].parts[0].sound.label, scenes[2].parts[0].target) == ("dishes", False)


def test_where_sounds_come_from(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    scenes = read_scenes(folder)
    part = scenes[1].part(scenes[1].events[0])
    assert part is not None
    assert (part.origin, scenes[1].bed) == (Origin("d", "D"), Origin("b", "B"))
    lines = (folder / "scenes.csv").read_text().splitlines()
    (folder / "scenes.csv").write_text("\n".join(",".join(line.split(",")[:7]) for line in lines))  # as others may
    scene = read_scenes(folder)[1]
    assert (scene.parts[0].origin, scene.bed, scene.bed_dbfs) == (Origin(), Origin(), None)


def test_a_list_alone_is_enough(tmp_path: Path) -> None:
    (write_folder(tmp_path) / "scenes.csv").unlink()
    scenes = read_scenes(tmp_path)
    assert [scene.kind for scene in scenes] == ["target", "target", "empty", "empty"]
    assert scenes[0].ratio_db(scenes[0].events[0]) is None


def test_nearby_events_are_one(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "scenes.tsv").write_text(
        "filename\tonset\toffset\tevent_label\ntarget-000.wav\t1\t2\ttone\ntarget-000.wav\t2.9\t4\ttone\n"
    )
    assert read_scenes(folder)[0].events == (Sound("tone", 1.0, 4.0),)


def test_samples_come_at_the_model_s_rate(tmp_path: Path) -> None:
    scenes = read_scenes(write_folder(tmp_path))
    assert len(scenes[0].read(RATE)) == SECONDS * RATE
    soundfile.write(tmp_path / "target-001.wav", np.zeros(8_000), 8_000)
    assert len(scenes[1].read(RATE)) == RATE


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no scenes\.tsv; make scenes with"):
        read_scenes(tmp_path)
    (tmp_path / "scenes.tsv").write_text("filename\tonset\toffset\tevent_label\n")
    with pytest.raises(UsageError, match=r"its scenes\.tsv names no scenes"):
        read_scenes(tmp_path)
    folder = write_folder(tmp_path)
    text = (folder / "scenes.csv").read_text()
    (folder / "scenes.csv").write_text(text.replace("20.00", "loud"))
    with pytest.raises(UsageError, match=r"scenes.csv:3: onset, offset and ebr_db need to be numbers"):
        read_scenes(folder)
    (folder / "scenes.csv").write_text(text.replace("-30.00", "loud"))
    with pytest.raises(UsageError, match=r"scenes.csv:4: bed_dbfs needs to be a number"):
        read_scenes(folder)
    (folder / "scenes.csv").write_text(text.replace("ebr_db", "snr"))
    with pytest.raises(UsageError, match=r"scenes.csv: lacks ebr_db"):
        read_scenes(folder)
    (folder / "scenes.csv").write_bytes(text.replace("target-001", "tür").encode("latin-1"))
    with pytest.raises(UsageError, match=r"scenes.csv: not a table in UTF-8"):
        read_scenes(folder)
    (folder / "scenes.csv").write_text(text)
    (folder / "target-001.wav").unlink()
    with pytest.raises(UsageError, match=r"lacks target-001.wav, which scenes.tsv names"):
        read_scenes(folder)
