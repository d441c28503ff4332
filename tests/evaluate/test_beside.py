"""Two models that should tell the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sed.evaluate.beside import block_frames, chunking_error, costs, distance, rightness, verdict
from sed.evaluate.scenelist import Origin, read_scenes
from sed.model import OnnxModel
from sed.signals import Floats
from tests.evaluate.scenefolders import write_folder
from tests.toy import metadata, write_toy


def toy(path: Path, gain: float = 1.0, shortest: float = 0.0) -> OnnxModel:
    """Its score is sigmoid((gain * level + 60) / 5); a lower gain takes every quiet sound for a louder one."""
    rules = metadata(on=0.5, off=0.4, max_gap=0.2, min_duration=shortest)
    return OnnxModel(write_toy(path, rules, weights=np.full(64, gain, np.float32)))


def levels(count: int = 120) -> Floats:
    values = -60.0 + 10.0 * np.random.default_rng(0).standard_normal((count, 1))
    return np.repeat(values, 64, axis=1).astype(np.float32)


def test_a_model_beside_itself(tmp_path: Path) -> None:
    model = toy(tmp_path / "toy.onnx")
    assert distance(model, model, [levels()]).most == 0.0
    assert chunking_error(model, [levels()]) < 1e-6
    assert block_frames(model) == 10


def test_distance_is_that_of_the_scores(tmp_path: Path) -> None:
    one, other = toy(tmp_path / "a.onnx"), toy(tmp_path / "b.onnx", 0.9)
    still = np.full((80, 64), -60.0, np.float32)
    apart = distance(one, other, [still])  # after the first row: sigmoid(0) and sigmoid(6 / 5)
    assert apart.most == pytest.approx(1.0 / (1.0 + np.exp(-1.2)) - 0.5, abs=1e-5)
    assert apart.mean == pytest.approx(apart.most, rel=0.1)


def test_cost_is_told_by_call(tmp_path: Path) -> None:
    model = toy(tmp_path / "toy.onnx")
    found = costs(model, model, levels(), (4, 40))
    assert [cost.frames for cost in found] == [4, 40]
    assert all(0.0 < cost.first < 0.1 and cost.ratio == cost.second / cost.first for cost in found)


def test_rightness_is_that_of_evaluate(tmp_path: Path) -> None:
    pytest.importorskip("sed_eval")
    scenes = read_scenes(write_folder(tmp_path / "scenes"))
    heard: list[int] = []
    good, deaf = toy(tmp_path / "a.onnx"), toy(tmp_path / "b.onnx", shortest=5.0)
    found = rightness(good, deaf, scenes, lambda: heard.append(1))
    assert found.first["tone"].value == pytest.approx(0.8)
    assert found.second["tone"].value == 0.0
    assert found.change["tone"].value == pytest.approx(-0.8)
    assert len(heard) == len(scenes)


def test_rightness_draws_beds_with_all_scenes_over_them(tmp_path: Path) -> None:
    pytest.importorskip("sed_eval")
    scenes = read_scenes(write_folder(tmp_path / "scenes"))
    assert {scene.source for scene in scenes} == {"b"}
    model = toy(tmp_path / "toy.onnx")
    sure = rightness(model, model, scenes).first["tone"]  # one bed: there is nothing else to draw
    assert (sure.low, sure.high) == (sure.value, sure.value)
    apart = [replace(scene, bed=Origin()) for scene in scenes]
    unsure = rightness(model, model, apart).first["tone"]
    assert unsure.value == sure.value
    assert unsure.low < unsure.value


@pytest.mark.parametrize(("ratio", "changes", "worth", "because"), [
    (0.80, {"siren": 0.02, "gun_shot": -0.004}, True,
     "blocks of 100 ms cost 20.0% less and no F1 is lower by more than 0.01 (gun_shot -0.004)"),
    (0.80, {"siren": 0.02, "gun_shot": -0.02}, False,
     "blocks of 100 ms cost 20.0% less, but F1 of gun_shot changes by -0.020"),
    (0.80, {"siren": 0.02, "scream": float("nan")}, True,
     "blocks of 100 ms cost 20.0% less and no F1 is lower by more than 0.01 (siren +0.020)"),
    (0.90, {"siren": 0.02}, False, "blocks of 100 ms cost 10.0% less, and 15% less is asked for"),
    (1.10, None, False, "blocks of 100 ms cost 10.0% more, and 15% less is asked for"),
    (0.80, None, False, "blocks of 100 ms cost 20.0% less, but no F1 was compared; give --scenes DIR"),
    (0.80, {"siren": float("nan")}, False,
     "blocks of 100 ms cost 20.0% less, but no F1 was compared; give --scenes DIR"),
])  # fmt: skip
def test_the_rule(ratio: float, changes: dict[str, float] | None, worth: bool, because: str) -> None:
    assert (verdict(ratio, changes).worth, verdict(ratio, changes).because) == (worth, because)
