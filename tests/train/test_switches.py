"""Switches of augmentation in a run's settings: they change the preset, alone or for one member, and are checked."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from sed.commands import train as command
from sed.errors import UsageError
from sed.train import fit
from sed.train.batches import Grid
from sed.train.clips import Clip
from sed.train.learner import Learner
from sed.train.library import Library
from sed.train.material import Material
from sed.train.members import apart, lessons
from sed.train.recipe import RECIPES
from sed.train.run import start
from sed.train.settings import TrainSettings
from sed.train.spectral import SPECTRALS

SET = """
recipe = "broad"
spectral = "strong"
[augment]
room = 1
peak = [-30.0, -3.0]
hard = {siren = ["speech"]}
[augment_frames]
blend = 0.0
gaps = [0.3, 0.3]
"""


def settings_of(text: str = "", **given: Any) -> TrainSettings:
    return TrainSettings(data=Path("data"), out=Path("mine.onnx"), **{**tomllib.loads(text), **given})


def test_the_preset_is_changed_where_it_is_said() -> None:
    settings = settings_of(SET)
    made, changed = asdict(settings.making), asdict(settings.changing)
    assert made == asdict(RECIPES["broad"]) | {"room": 1.0, "peak": (-30.0, -3.0), "hard": {"siren": ("speech",)}}
    assert changed == asdict(SPECTRALS["strong"]) | {"blend": 0.0, "gaps": (0.3, 0.3)}
    assert (settings_of().making, settings_of().changing) == (RECIPES["training"], SPECTRALS["plain"])


@pytest.mark.parametrize("name", RECIPES)
def test_every_field_of_a_recipe_can_be_set(name: str) -> None:
    assert settings_of(augment=asdict(RECIPES[name])).making == RECIPES[name]


@pytest.mark.parametrize("name", SPECTRALS)
def test_every_field_of_a_change_to_frames_can_be_set(name: str) -> None:
    assert settings_of(augment_frames=asdict(SPECTRALS[name])).changing == SPECTRALS[name]


def test_what_was_set_is_dumped_and_read_again() -> None:
    settings = settings_of(SET)
    told = json.loads(json.dumps(settings.model_dump(mode="json", exclude_defaults=True)))
    assert told["augment"] == {"room": 1.0, "peak": [-30.0, -3.0], "hard": {"siren": ["speech"]}}
    assert TrainSettings(**told) == settings


def test_members_and_lessons_have_their_own() -> None:
    first, second = apart(
        settings_of(
            """
            augment = {room = 0.9}
            [[members]]
            augment = {codec = 0.5}
            then = [{augment_frames = {narrow = 0.7}}]
            [[members]]
            recipe = "rich"
            """
        )
    )
    assert (first.making.room, first.making.codec) == (0.55, 0.5)  # its table takes the place of the one for all
    assert (second.making.room, second.making.codec) == (0.9, RECIPES["rich"].codec)
    begun, went_on = lessons(first)
    assert (begun.changing.narrow, went_on.changing.narrow, went_on.making.codec) == (0.2, 0.7, 0.5)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("augment = 3", "augment: should be a table, got 3"),
        ("augment.rooom = 0.5", "augment.rooom: no such key, did you mean 'room'?"),
        ("augment_frames.narow = 0.5", "augment_frames.narow: no such key, did you mean 'narrow'?"),
        ("augment.room = 1.5", "augment.room: should be less than or equal to 1, got 1.5"),
        ("augment.codec = true", "augment.codec: should be a valid number, got True"),
        ("augment.peak = -3.0", "augment.peak: need two numbers, got -3.0"),
        ("augment.peak = [-3.0]", "augment.peak: need two numbers, got [-3.0]"),
        ("augment.peak = [-3.0, -9.0]", "augment.peak: need the lower number first, got [-3.0, -9.0]"),
        ("augment.noise_below = [3.0, 1e9]", "augment.noise_below[1]: should be less than or equal to 200, got"),
        ("augment.speeds = [0.0, 1.0]", "augment.speeds[0]: should be greater than or equal to 0.1, got 0.0"),
        ("augment.events = [0.5, 0.4]", "augment.events: need probabilities that sum to 1, got [0.5, 0.4]"),
        ("augment.hard.siren = 'music'", "augment.hard.siren: need a list, got 'music'"),
        ("augment_frames.muted = [0.3, 2]", "augment_frames.muted[1]: should be less than or equal to 1, got 2"),
        ("augment_frames.response = -1", "augment_frames.response: should be greater than or equal to 0, got -1"),
        ("[[members]]\naugment.rooom = 1\n[[members]]", "members[0].augment.rooom: no such key, did you mean 'room'?"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "run.toml").write_text(line + "\n")
    with pytest.raises(UsageError) as error:
        command.run(tmp_path, tmp_path / "mine.onnx", tmp_path / "run.toml")
    assert str(error.value).startswith(f"train: {told}")
    assert len(str(error.value).splitlines()) == 1


def test_scenes_are_mixed_as_the_switches_say(
    library: Library, clips: list[Clip], data: Path, cache: Path, tmp_path: Path
) -> None:
    """As loud as `peak` says; the same settings but for it have other scenes."""
    usual = TrainSettings(
        data=data, out=tmp_path / "x.onnx", cache=cache, seconds=2.0, scenes=8, workers=0, augment={"overdrive": 0.0}
    )
    soft = usual.model_copy(update={"augment": {"overdrive": 0.0, "peak": (-90.0, -90.0)}})
    grid = Grid(usual.frontend, usual.learnt, 4, usual.look_ahead, usual.seconds)
    loud, low = (
        fit.mixed(one, Material(clips, library), grid).batch(torch.arange(8))[0].amax(dim=(1, 2))
        for one in (usual, soft)
    )
    assert float(low.max()) < float(loud.min())


def test_batches_are_varied_as_the_switches_say(data: Path, tmp_path: Path) -> None:
    """The loss of the same batch, with and without any change to its frames."""
    still = {"gain": (0.0, 0.0), "response": 0.0, "narrow": 0.0, "muted": ()}
    given: dict[str, Any] = {"data": data, "out": tmp_path / "x.onnx", "units": 8, "bfloat16": False, "dropout": (0, 0)}
    losses = [losses_of(TrainSettings(**given, augment_frames=how)) for how in ({}, still, {"gain": (-60.0, -60.0)})]
    assert len(set(losses)) == 3


def losses_of(settings: TrainSettings) -> float:
    frames = -50.0 + 10.0 * torch.randn(4, 80, 64, generator=torch.Generator().manual_seed(1))
    target = torch.zeros(4, 20, 3)
    return Learner(start(settings), settings).step((frames, target, torch.ones_like(target)), 1e-3)
