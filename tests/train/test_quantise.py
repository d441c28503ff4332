"""Integers compute nearly what floats do, and exactly the same in any chunking."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.evaluate.beside import chunking_error, distance
from sed.model import OnnxModel
from sed.signals import Floats, Frames
from sed.train import quantise
from sed.train.modelfile import described
from sed.train.quantise import METHODS, Method, quantised
from sed.train.tcn import BLOCKS
from tests.train.models import sounds, tiny_metadata, write_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[bytes], OnnxModel]:
    def write(data: bytes) -> OnnxModel:
        (tmp_path / "int8.onnx").write_bytes(described(data, tiny_metadata()))
        return OnnxModel(tmp_path / "int8.onnx")

    return write


@pytest.mark.parametrize("method", METHODS)
def test_scores_are_near_and_chunking_does_not_change_them(
    tiny: OnnxModel, opened: Callable[[bytes], OnnxModel], method: Method
) -> None:
    model = opened(quantised(tiny, sounds(), method))
    assert 0.0 < distance(tiny, model, sounds()).most < 0.2
    assert chunking_error(model, sounds(2)) <= 1e-6


def test_dilated_convolutions_become_integers_too(tmp_path: Path, opened: Callable[[bytes], OnnxModel]) -> None:
    tcn = write_tiny(tmp_path / "tcn.onnx", "tcn")
    model = opened(quantised(tcn, sounds()))
    assert 0.0 < distance(tcn, model, sounds()).most < 0.2
    assert chunking_error(model, sounds(2)) <= 1e-6
    graph = onnx.load(str(model.path)).graph
    made = {name: node.op_type for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 4 + 2 * BLOCKS
    assert all(made[node.input[1]] == "DequantizeLinear" for node in convolutions)


def test_an_ensemble_keeps_what_follows_its_memories_in_float(
    tmp_path: Path, opened: Callable[[bytes], OnnxModel]
) -> None:
    pair = write_tiny(tmp_path / "pair.onnx", "ensemble")
    model = opened(quantised(pair, sounds()))
    assert 0.0 < distance(pair, model, sounds()).most < 0.2
    assert chunking_error(model, sounds(2)) <= 1e-6


@pytest.fixture(scope="module")
def streamed(tiny: OnnxModel, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    path = tmp_path_factory.mktemp("model") / "int8.onnx"
    path.write_bytes(described(quantised(tiny, sounds()), tiny_metadata()))
    return OnnxModel(path)


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(1, 120), min_size=1, max_size=20))
def test_any_chunking_gives_the_same_scores(streamed: OnnxModel, sizes: list[int]) -> None:
    frames = sounds(3)[2]

    def scores(edges: list[int]) -> Floats:
        streamed.reset()
        cuts = zip([0, *edges], [*edges, len(frames)], strict=True)
        rows = [streamed.step(Frames(160 * a, 160, frames[a:b])).values for a, b in cuts]
        return np.concatenate([*rows, streamed.flush().values])

    edges = [edge for edge in np.cumsum(sizes).tolist() if edge < len(frames)]
    np.testing.assert_allclose(scores(edges), scores([]), rtol=0.0, atol=1e-5)


def test_states_that_are_rounded_twice_would_depend_on_the_chunking(
    tiny: OnnxModel, opened: Callable[[bytes], OnnxModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantise, "_tie", lambda graph: None)
    assert chunking_error(opened(quantised(tiny, sounds())), sounds(2)) > 1e-4


def test_what_remembers_and_what_follows_it_stays_float(tiny: OnnxModel) -> None:
    graph = onnx.load_from_string(quantised(tiny, sounds(2))).graph
    made = {name: node.op_type for node in graph.node for name in node.output}
    weights = {weight.name: weight.data_type for weight in graph.initializer}
    by_kind = {kind: [n for n in graph.node if n.op_type == kind] for kind in ("Conv", "GRU", "MatMul")}
    assert all(made[node.input[1]] == "DequantizeLinear" for node in by_kind["Conv"])
    assert all(weights[name] == onnx.TensorProto.FLOAT for name in by_kind["GRU"][0].input[1:4])
    narrow, scores = by_kind["MatMul"]
    assert made[narrow.input[1]] == "DequantizeLinear"
    assert weights[scores.input[1]] == onnx.TensorProto.FLOAT


def test_the_same_sound_gives_the_same_file_and_no_word(tiny: OnnxModel, capfd: pytest.CaptureFixture[str]) -> None:
    assert quantised(tiny, sounds(2)) == quantised(tiny, sounds(2))
    assert capfd.readouterr() == ("", "")
