"""A model file in 8-bit integers, its ranges taken from real sound; recurrent layers and what follows stay float."""

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

from sed.model import OnnxModel
from sed.signals import Floats

Method = Literal["minmax", "percentile"]
METHODS: tuple[Method, ...] = get_args(Method)
"""How a range follows from what was heard: all of it, or all but one value in 100,000. ONNX Runtime's entropy method
has as many bins as steps, so it gives the ranges of minmax."""

KINDS = ("Conv", "Relu", "Concat", "Slice", "MatMul")
"""What is computed in integers: with Concat and Slice among them the values stay integers from layer to layer."""

_RECURRENT = {"GRU", "LSTM", "RNN"}
_ROWS = 10
"""Rows of scores a call when ranges are taken."""


def quantised(model: OnnxModel, recordings: Iterable[Floats], method: Method = "minmax") -> bytes:
    """The ONNX file of `model` with integer layers: weights by channel, activations by the ranges of `recordings`.

    Those are log-mel (n, mels), streamed one after the other with the state carried from call to call. The graph is in
    the QDQ form: ONNX Runtime fuses it into integer kernels when it opens the file.
    """
    with TemporaryDirectory() as folder, _hushed():
        plain, done = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(str(model.path), str(plain), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(plain),
            str(done),
            _Calls(model, recordings),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(KINDS),
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,  # twice as fast as QInt8 on x86
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=_recurrent(onnx.load(str(plain)).graph),
            calibrate_method=_methods()[method],
            extra_options={"CalibTensorRangeSymmetric": False},
        )
        graph = onnx.load(str(done))
    _tie(graph.graph)
    return bytes(graph.SerializeToString())


class _Calls:
    """What ONNX Runtime's calibration asks for: the inputs of one call after the other, and None at the end."""

    def __init__(self, model: OnnxModel, recordings: Iterable[Floats]) -> None:
        self._feeds = _feeds(model, recordings)

    def get_next(self) -> dict[str, Floats] | None:
        return next(self._feeds, None)


def _feeds(model: OnnxModel, recordings: Iterable[Floats]) -> Iterator[dict[str, Floats]]:
    """Calls of equal length, which the tool needs; what is left over at the end is not heard."""
    states = model.session.get_inputs()[1:]
    state = [np.zeros([1, *one.shape[1:]], np.float32) for one in states]
    frames = np.concatenate(list(recordings))
    size = _ROWS * model.metadata.stride
    for at in range(0, len(frames) - size + 1, size):
        feed = {"frames": frames[None, at : at + size], **dict(zip((s.name for s in states), state, strict=True))}
        _, *state = model.session.run(None, feed)
        yield feed


def _methods() -> dict[str, Any]:
    kinds = quantization.CalibrationMethod
    return {"minmax": kinds.MinMax, "percentile": kinds.Percentile}


def _recurrent(graph: Any) -> list[str]:
    """The names of recurrent nodes and of all that follows them.

    Their float sums differ in the last bit from one chunking to another; rounded to 8 bits that would be a step.
    """
    reached: set[str] = set()
    names: list[str] = []
    for node in graph.node:  # in the order they are computed
        if node.op_type in _RECURRENT or reached & set(node.input):
            reached |= set(node.output)
            names.append(node.name)
    return names


def _tie(graph: Any) -> None:
    """Give whatever enters a Concat the scale of what leaves it.

    A state comes back as it left. Rounded to a scale of its own it would no longer be what one long call holds, and
    the scores would depend on the chunking: by 0.16 in earwitness-0.
    """
    made = {name: node for node in graph.node for name in node.output}
    rounded = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    for concat in (node for node in graph.node if node.op_type == "Concat"):
        if concat.output[0] not in rounded:
            continue  # of integers or shapes
        scale = rounded[concat.output[0]].input[1:]
        for name in concat.input:
            stored = made[name].input[0]  # in 8 bits
            for node in graph.node:
                if stored in (*node.output, *node.input[:1]):
                    node.input[1:] = scale


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep what the tool says of its work away from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
