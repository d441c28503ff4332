"""What is written is what was trained, or nothing is written."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from sed.errors import ModelError
from sed.frontend import log_mel
from sed.metadata import KEY, FrontendSettings, Metadata, Rule
from sed.model import OnnxModel
from sed.signals import Frames
from sed.train import export as exporting
from sed.train.export import disagreement, export, graph
from sed.train.kinds import KINDS
from sed.train.modelfile import described
from sed.train.network import Network

LABELS = ("siren", "gun_shot")


of_each_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind: str = "crnn", seed: int = 3) -> Network:
    torch.manual_seed(seed)
    return KINDS[kind](64, len(LABELS), 32).eval()


def metadata(look_ahead: int = 3) -> Metadata:
    rules = {label: Rule() for label in LABELS}
    return Metadata(
        name="t", version="0", labels=LABELS, frontend=FrontendSettings(), look_ahead=look_ahead, rules=rules,
        licence="MIT",
    )  # fmt: skip


@of_each_kind
def test_the_runtime_scores_as_the_network_does(kind: str, tmp_path: Path) -> None:
    trained = network(kind)
    export(trained, metadata(), tmp_path / "deep" / "m.onnx")
    model = OnnxModel(tmp_path / "deep" / "m.onnx")
    assert model.metadata.model_copy(update={"heard": None}) == metadata()
    values = log_mel(0.1 * np.random.default_rng(0).standard_normal(16_352).astype(np.float32), FrontendSettings())
    found = model.step(Frames(0, 160, values))
    with torch.no_grad():
        logits = trained(torch.from_numpy(values)[None], *trained.initial(1))[0]
    np.testing.assert_allclose(found.values, torch.sigmoid(logits)[0, 3:].numpy(), atol=1e-5)


@of_each_kind
def test_the_file_says_what_was_heard_in_training(kind: str, tmp_path: Path) -> None:
    trained = network(kind)
    trained.normalise(torch.linspace(-30.0, -70.0, 64), torch.full((64,), 25.0))
    export(trained, metadata(), tmp_path / "m.onnx")
    heard = OnnxModel(tmp_path / "m.onnx").metadata.heard
    assert heard is not None
    np.testing.assert_allclose(heard.mean, np.linspace(-30.0, -70.0, 64), atol=1e-3)
    assert set(heard.spread) == {25.0}


def test_a_file_that_disagrees_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "disagreement", lambda network, data: 1e-3)
    with pytest.raises(ModelError, match=r"not written, its scores differ from the network's by 1\.0e-03"):
        export(network(), metadata(), tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@of_each_kind
def test_another_networks_file_disagrees(kind: str) -> None:
    assert disagreement(network(kind, seed=4), graph(network(kind), metadata())) > 1e-3


@of_each_kind
def test_exporting_twice_gives_the_same_file(kind: str) -> None:
    trained = network(kind)
    assert graph(trained, metadata()) == graph(trained, metadata())


@of_each_kind
def test_the_names_are_the_contracts(kind: str) -> None:
    model = onnx.load_from_string(graph(network(kind), metadata()))
    inputs = [value.name for value in model.graph.input]
    states = inputs[1:]
    assert inputs[0] == "frames"
    assert all(name.startswith("state_") for name in states)
    assert [value.name for value in model.graph.output] == ["scores", *(f"next_{name}" for name in states)]
    axes = {value.name: value.type.tensor_type.shape.dim[0].dim_param for value in model.graph.input}
    assert set(axes.values()) == {"streams"}


def test_metadata_is_replaced_not_added() -> None:
    data = described(graph(network(), metadata()), metadata(look_ahead=5))
    props = [p for p in onnx.load_from_string(data).metadata_props if p.key == KEY]
    assert [Metadata.model_validate_json(p.value).look_ahead for p in props] == [5]
