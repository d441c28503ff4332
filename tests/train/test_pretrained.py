"""The weights of an exported file, read back: the same scores, whatever the network; other files are refused."""

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from sed.errors import UsageError
from sed.shipped import DEFAULT_MODEL, model_path
from sed.train.export import export
from sed.train.pretrained import read_pretrained
from sed.train.quantise import quantised
from tests.toy import write_toy
from tests.train.models import LABELS, sounds, tiny_metadata, tiny_network, write_tiny


@pytest.mark.parametrize("kind", ["crnn", "tcn", "ensemble"])
def test_the_network_read_back_scores_as_the_one_that_was_written(tmp_path: Path, kind: str) -> None:
    written = tiny_network(kind)
    for norm in (module for module in written.modules() if isinstance(module, nn.BatchNorm2d)):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        for around_zero, around_one in ((norm.running_mean, norm.running_var), (norm.bias, norm.weight)):
            nn.init.uniform_(around_zero, -0.2, 0.2)  # what training would have made of them
            nn.init.uniform_(around_one, 0.5, 1.5)
    export(written, tiny_metadata(), tmp_path / "tiny.onnx")
    read = read_pretrained(tmp_path / "tiny.onnx")
    assert read.network.kind == kind
    assert read.metadata.labels == LABELS
    frames = torch.from_numpy(sounds(1)[0])[None, :160]
    with torch.no_grad():
        ours, theirs = (network(frames, *network.initial(1))[0] for network in (read.network, written))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(read.network.scores.weight, written.scores.weight)


def test_the_shipped_model_can_be_read() -> None:
    read = read_pretrained(model_path(DEFAULT_MODEL))
    assert len(read.network.scores.bias) == len(read.metadata.labels)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_toy(tmp_path / "toy.onnx")
    with pytest.raises(UsageError, match=r"--finetune .*toy\.onnx: not a float model that 'earwitness train' wrote"):
        read_pretrained(tmp_path / "toy.onnx")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(UsageError, match=r"--finetune .*text\.onnx: not a model that ONNX Runtime can open"):
        read_pretrained(tmp_path / "text.onnx")


def test_a_quantised_model_is_refused(tmp_path: Path) -> None:
    model = write_tiny(tmp_path / "tiny.onnx")
    (tmp_path / "int8.onnx").write_bytes(quantised(model, sounds()))
    with pytest.raises(UsageError, match="quantise after training"):
        read_pretrained(tmp_path / "int8.onnx")


def test_a_graph_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny.onnx")
    model = onnx.load(str(tmp_path / "tiny.onnx"))
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Tanh"
    onnx.save(model, str(tmp_path / "tiny.onnx"))
    with pytest.raises(UsageError, match="its graph computes something else"):
        read_pretrained(tmp_path / "tiny.onnx")
