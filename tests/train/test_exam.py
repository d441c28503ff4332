"""What a new model is examined on: the scenes of `earwitness scenes`, or mixtures; and ordinary sound."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from sed.train.clips import Clip
from sed.train.exam import COUNTS, examination, mixtures, plain
from sed.train.library import Library
from sed.train.material import Material
from sed.train.settings import TrainSettings
from sed.train.testset import SceneSet


@pytest.fixture
def settings(data: Path, cache: Path) -> TrainSettings:
    return TrainSettings(data=data, out=Path("x.onnx"), cache=cache, seconds=3.0, valid_scenes=5, exam="scenes")


def test_scenes_are_those_of_the_command(settings: TrainSettings, library: Library, clips: list[Clip]) -> None:
    material = Material(clips, library)
    found = list(islice(examination(settings, material, clips, "test"), 3))
    own = SceneSet(library, clips, "test", settings.labels, 30.0, 1)
    for number, recording in enumerate(found):
        scene = own.scene("target", number)
        assert (recording.name, recording.kind) == (scene.name, "target")
        np.testing.assert_array_equal(recording.read() * 32768.0, scene.samples)
        assert {e.label for e in recording.events} == {s.label for s in scene.sounds if s.role == "event"}


def test_every_kind_is_there(
    settings: TrainSettings, library: Library, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in COUNTS:
        monkeypatch.setitem(COUNTS, kind, 2)
    found = list(examination(settings, Material(clips, library), clips, "valid"))
    assert [recording.kind for recording in found] == ["target"] * 2 + ["distractor"] * 2 + ["explosion"] * 2
    assert [bool(recording.events) for recording in found] == [True] * 2 + [False] * 4


def test_mixtures_know_the_extra_labels(settings: TrainSettings, library: Library, clips: list[Clip]) -> None:
    given = settings.model_copy(update={"extra": ("explosion",), "valid_scenes": 40, "exam": "mixtures"})
    material = Material(clips, library)
    found = list(mixtures(given, material, clips, "valid"))
    assert "explosion" in {event.label for recording in found for event in recording.events}
    asked = list(examination(given, material, clips, "valid"))
    assert [recording.events for recording in asked] == [recording.events for recording in found]
    assert all(len(recording.read()) == 48_000 for recording in found)


def test_ordinary_sound_is_whole_and_without_suspects(library: Library, clips: list[Clip]) -> None:
    found = list(plain(Material(clips, library), clips, "train"))
    suspects = {clip.path for clip in clips if clip.suspect}
    assert {recording.kind for recording in found} == {"background", "speech"}
    assert suspects
    assert not suspects & {recording.name for recording in found}
