"""A small training on real recordings, minutes on one core: does it learn to hear, by a measure of its own?"""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from sed.train import fit
from sed.train.batches import Grid, Scenes, loader
from sed.train.material import Material
from sed.train.network import Network
from sed.train.recipe import MEASURING
from sed.train.run import averaged, start
from sed.train.scenes import Mixer
from sed.train.settings import TrainSettings

FILES = {"siren": 60, "gun_shot": 60, "glass_break": 60, "background": 60, "music": 20, "explosion": 30, "impact": 30}
"""Of each class, for each of the two splits."""


@pytest.fixture
def settings(real: Path, tmp_path: Path) -> TrainSettings:
    """Some of the real recordings, and a run of about half a minute."""
    with (real / "clips.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    chance = random.Random(1)
    chosen = [
        row
        for name, count in FILES.items()
        for split in ("train", "valid")
        for row in _some([r for r in rows if (r["class"], r["split"]) == (name, split)], count, chance)
    ]
    (tmp_path / "audio").symlink_to(real / "audio")
    with (tmp_path / "clips.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(chosen)
    return TrainSettings(
        data=tmp_path, out=tmp_path / "small.onnx", cache=tmp_path / "cache", steps=240, batch=8, seconds=5.0,
        scenes=480, units=48, workers=0, learning_rate=5e-3, average=0.97, bfloat16=False, seed=1,
    )  # fmt: skip


def test_a_small_run_learns_to_hear(settings: TrainSettings) -> None:
    material = fit.gather(settings)
    before = precision(settings, material, averaged(start(settings)))
    after = precision(settings, material, averaged(fit.fit(settings, material)))
    assert np.mean(after) > 2.0 * np.mean(before), (before, after)
    assert min(np.array(after) - np.array(before)) > 0.05, (before, after)


def precision(settings: TrainSettings, material: Material, network: Network) -> list[float]:
    """Each label's average precision over the rows of scenes from recordings that are not learnt from."""
    grid = Grid(settings.frontend, settings.labels, network.stride, settings.look_ahead, settings.seconds)
    mixer = Mixer(material.library, material.clips, "valid", settings.labels, MEASURING)
    frames, target, _ = next(loader(Scenes(mixer, grid, 3, 0, 80), 80, 0))
    with torch.no_grad():
        scores = network(frames, *network.initial(80))[0].sigmoid()
    columns = range(len(settings.labels))
    return [float(average_precision_score(target[..., n].flatten(), scores[..., n].flatten())) for n in columns]


def _some(rows: list[dict[str, str]], count: int, chance: random.Random) -> list[dict[str, str]]:
    return chance.sample(rows, min(count, len(rows)))
