"""From a trained network to a model file, checked against the network before it is written."""

import io
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from sed.errors import ModelError
from sed.metadata import Heard, Metadata
from sed.train.modelfile import described, write
from sed.train.network import Network

TOLERANCE = 1e-5


class _Scored(nn.Module):
    """The network with its sigmoid, as the file holds it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        logits, *kept = self.network(frames, *state)
        return torch.sigmoid(logits), *kept


def export(network: Network, metadata: Metadata, path: Path) -> None:
    """Write `path` whole or not at all; raises ModelError if the file would not compute what the network does.

    Raises SinkError if it cannot be written.
    """
    data = graph(network, metadata)
    apart = disagreement(network, data)
    if apart > TOLERANCE:
        raise ModelError(f"{path}: not written, its scores differ from the network's by {apart:.1e}")
    write(path, data)


def graph(network: Network, metadata: Metadata) -> bytes:
    """The ONNX file's bytes: `frames`, `state_*` in; `scores`, `next_state_*` out; the metadata under its key."""
    scored = _Scored(network).eval()  # both: the exporter puts the mode back that it found
    state = network.initial(2)
    names = [f"state_{index}" for index in range(len(state))]
    outputs = ["scores", *(f"next_{name}" for name in names)]
    axes = {name: {0: "streams"} for name in (*names, *outputs)}
    axes["frames"], axes["scores"] = {0: "streams", 1: "frames"}, {0: "streams", 1: "rows"}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls this exporter deprecated; the other one is slower and wrong here
        torch.onnx.export(
            scored,
            (torch.randn(2, 8 * network.stride, network.mels), *state),
            buffer,  # type: ignore[arg-type]  # a file object is taken, the stub does not say so
            input_names=["frames", *names],
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    return described(buffer.getvalue(), metadata.model_copy(update={"heard": heard(network)}))


def heard(network: Network) -> Heard:
    """What the network normalises its input by: mean and spread of the sound it was trained on."""
    mean, spread = (tuple(round(float(band), 3) for band in bands) for bands in network.normal())
    return Heard(mean=mean, spread=spread)


def disagreement(network: Network, data: bytes) -> float:
    """How far the scores and states of file and network differ at most, over two calls of three streams."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    scored = _Scored(network).eval()
    state = network.initial(3)
    generator = torch.Generator().manual_seed(5)
    mean, spread = network.normal()
    worst = 0.0
    for count in (network.stride, 25 * network.stride):
        frames = torch.randn(3, count, network.mels, generator=generator) * spread + mean
        fed = {name: value.numpy() for name, value in zip(names, (frames, *state), strict=True)}
        with torch.no_grad():
            expected, *state = scored(frames, *state)
        found = session.run(None, fed)
        for ours, theirs in zip((expected, *state), found, strict=True):
            scale = max(1.0, float(ours.abs().max()))
            worst = max(worst, float(np.abs(ours.numpy() - theirs).max()) / scale)
    return worst
