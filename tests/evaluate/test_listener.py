"""Models with labels that do not alert, or of which the scenes hold nothing."""

import json
import math
from pathlib import Path

import pytest

from sed.errors import UsageError
from sed.evaluate.document import document
from sed.evaluate.evaluation import evaluate
from sed.evaluate.listener import listener, measurable
from sed.evaluate.scenelist import read_scenes
from sed.metadata import Rule
from sed.model import OnnxModel
from tests.evaluate.scenefolders import RULES, write_folder
from tests.toy import bursts, metadata, write_toy

LABELS = ("scream", "tone", "dog_bark")
OFF = Rule(on=0.5, off=0.4, alert=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    """Three labels that always score the same."""
    return OnnxModel(write_toy(tmp_path_factory.mktemp("three") / "three.onnx", metadata(LABELS), labels=3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("scenes"))


def test_labels_that_alert_or_are_in_the_scenes(folder: Path) -> None:
    scenes = read_scenes(folder)
    rules = dict.fromkeys(LABELS, OFF)
    assert measurable(LABELS, rules, scenes) == ("tone",)
    assert measurable(LABELS, rules | {"scream": Rule()}, scenes) == ("scream", "tone")
    with pytest.raises(UsageError, match=r"no label alerts or is in the scenes; switch one on: --rule scream.alert=tr"):
        measurable(LABELS, rules, scenes[2:])


def test_labels_that_are_left_out_change_nothing(toy_model: OnnxModel, model: OnnxModel, folder: Path) -> None:
    scenes = read_scenes(folder)
    one = evaluate(toy_model, RULES, scenes, scenes[2:])
    three = evaluate(model, dict.fromkeys(LABELS, OFF) | RULES, scenes, scenes[2:])
    assert three.labels == ("tone",)
    assert json.dumps(document(three, model.metadata, {})) == json.dumps(document(one, model.metadata, {}))


def test_an_alerting_label_without_events_counts_alarms_only(model: OnnxModel, folder: Path) -> None:
    scenes = read_scenes(folder)
    found = evaluate(model, dict.fromkeys(LABELS, OFF) | RULES | {"scream": RULES["tone"]}, scenes)
    f1, alarms = (
        next(m for m in found.measures if m.name == name).figures
        for name in ("onset_f1", "false_alarms_per_hour_distractor")
    )
    assert found.labels == ("scream", "tone")
    assert math.isnan(f1["scream"].value)
    assert (f1["all"].value, f1["tone"].value) == (0.8, 0.8)
    assert alarms["scream"].value == alarms["tone"].value == 450.0
    json.dumps(document(found, model.metadata, {}), allow_nan=False)


def test_a_label_in_the_scenes_is_followed_though_it_does_not_alert(model: OnnxModel) -> None:
    own = listener(model, dict.fromkeys(LABELS, OFF), ("dog_bark",))
    heard = own.hear(bursts((1.0, 2.0), seconds=4.0))
    assert [sound.label for sound in heard.told] == ["dog_bark"]
    assert heard.scores.shape[1] == 1
