"""The network of a model file, its weights read back out of the graph: what fine-tuning begins with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor

from sed.errors import ModelError, UsageError
from sed.metadata import Metadata
from sed.model import OnnxModel
from sed.train.export import TOLERANCE, disagreement
from sed.train.kinds import trained
from sed.train.network import LAYERS, Network

Weights = dict[str, Tensor]
Held = Mapping[str, Tensor]
"""The graph's own weights, by the names that the exporter gave them."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A network that computes what the file does, ready to score, and what the file says of itself."""

    network: Network
    metadata: Metadata


def read_pretrained(path: Path) -> Pretrained:
    """Read what `earwitness train` exported; raises UsageError for any other file, a quantised one among them."""
    try:
        metadata = OnnxModel(path).metadata
        data = path.read_bytes()
        network = trained(_weights(onnx.load_from_string(data).graph))
        if (apart := disagreement(network, data)) > TOLERANCE:
            raise ModelError(f"{path}: its graph computes something else, {apart:.1e} apart")
    except ModelError as error:
        raise UsageError(f"--finetune {error}") from error
    except (KeyError, IndexError, RuntimeError, StopIteration, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"--finetune {path}: not a float model that 'earwitness train' wrote ({reason}); quantise after training"
        ) from error
    return Pretrained(network, metadata)


def _weights(graph: Any) -> Weights:
    """The weights by the names that the network has for them; the graph's nodes are in the order of computation.

    The exporter names weights by number, so that they are found by the nodes they go into. It folds batch norm into the
    convolution before it; here the norm gets what is left, a bias.
    """
    held = {part.name: torch.from_numpy(onnx.numpy_helper.to_array(part).copy()) for part in graph.initializer}
    of = {kind: [node for node in graph.node if node.op_type == kind] for kind in ("Conv", "MatMul", "GRU")}
    found = {
        "mean": held[next(node for node in graph.node if node.op_type == "Sub").input[1]],
        "spread": held[next(node for node in graph.node if node.op_type == "Div").input[1]],
    }
    if len(of["GRU"]) > 1:
        return _ensemble(found, of, graph.node, held)
    for (name, norm), node in zip(_convolutions(len(of["Conv"])), of["Conv"], strict=True):
        found |= _convolution(name, norm, node, held)
    for name, node in zip(("narrow", "scores"), of["MatMul"], strict=True):
        found |= _linear(name, node, graph.node, held)
    for node in of["GRU"]:
        found |= _recurrent("recurrent", node, held)
    return found


def _ensemble(normal: Weights, of: Mapping[str, Sequence[Any]], nodes: Sequence[Any], held: Held) -> Weights:
    """Those of `ensemble`, whose convolutions have biases and no norms, the last of them the narrow one."""
    found = {"means": normal["mean"], "spreads": normal["spread"]}
    names = [*(f"convolutions.{number}" for number in range(len(LAYERS))), "narrow"]
    for name, node in zip(names, of["Conv"], strict=True):
        found |= {
            f"{name}.{part}": held[given] for part, given in zip(("weight", "bias"), node.input[1:3], strict=True)
        }
    for member, node in enumerate(of["GRU"]):
        found |= _recurrent(f"recurrent.{member}", node, held)
    return found | _linear("scores", of["MatMul"][0], nodes, held)


def _convolutions(count: int) -> list[tuple[str, str]]:
    """The names of the convolutions and of their norms: those of `network.LAYERS`, then those of `tcn`'s blocks."""
    first = [(f"convolutions.{number}", f"norms.{number}") for number in range(len(LAYERS))]
    blocks = [
        (f"blocks.{block}.{name}", f"blocks.{block}.norms.{number}")
        for block in range((count - len(first)) // 2)
        for number, name in enumerate(("depthwise", "pointwise"))
    ]
    return first + blocks


def _convolution(name: str, norm: str, node: Any, held: Held) -> Weights:
    kernel, bias = (held[given] for given in node.input[1:3])
    return {
        f"{name}.weight": kernel,
        f"{norm}.weight": torch.ones_like(bias),
        f"{norm}.bias": bias,
        f"{norm}.running_mean": torch.zeros_like(bias),
        f"{norm}.running_var": torch.ones_like(bias) - torch.nn.BatchNorm2d(1).eps,
        f"{norm}.num_batches_tracked": torch.tensor(0),
    }


def _linear(name: str, node: Any, nodes: Sequence[Any], held: Held) -> Weights:
    added = next(other for other in nodes if other.op_type == "Add" and node.output[0] in other.input)
    bias = next(held[given] for given in added.input if given in held)
    return {f"{name}.weight": held[node.input[1]].T.contiguous(), f"{name}.bias": bias}


def _recurrent(name: str, node: Any, held: Held) -> Weights:
    """ONNX has a GRU's gates in the order update, reset, new; torch has reset, update, new."""
    inner, outer, biases = (held[given][0] for given in node.input[1:4])
    parts = {"weight_ih_l0": inner, "weight_hh_l0": outer}
    parts["bias_ih_l0"], parts["bias_hh_l0"] = biases.chunk(2)
    return {f"{name}.{own}": torch.cat([part.chunk(3)[gate] for gate in (1, 0, 2)]) for own, part in parts.items()}
