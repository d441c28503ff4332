"""What was found on a folder of four scenes that can be counted on one hand."""

import pytest

from sed.evaluate.evaluation import Findings, evaluate
from sed.evaluate.scenelist import read_scenes
from sed.model import OnnxModel
from tests.evaluate.scenefolders import RULES, write_folder
from tests.toy import metadata, write_toy


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("toy") / "toy.onnx", metadata()))


@pytest.fixture(scope="session")
def findings(toy_model: OnnxModel, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    scenes = read_scenes(write_folder(tmp_path_factory.mktemp("scenes")))
    return evaluate(toy_model, RULES, scenes, [scenes[2], scenes[3]])
