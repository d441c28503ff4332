"""A model whose scores can be worked out by hand, and sounds to feed it."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from sed.metadata import KEY, FrontendSettings, Metadata, Rule
from sed.signals import Floats

RATE = 16_000
STRIDE = 4


def metadata(labels: tuple[str, ...] = ("tone",), look_ahead: int = 2, **rule: object) -> Metadata:
    rules = {label: Rule.model_validate(rule) for label in labels}
    return Metadata(
        name="toy", version="1", labels=labels, frontend=FrontendSettings(), look_ahead=look_ahead, rules=rules,
        licence="MIT", scores={"macro onset F1": 1.0},
    )  # fmt: skip


def write_toy(
    path: Path,
    meta: Metadata | None = None,
    *,
    mels: int = 64,
    labels: int = 1,
    document: str | None = "",
    weights: Floats | None = None,
) -> Path:
    """score = sigmoid((level + 60) / 5), the level being the mean dB over a row and the row before it.

    `weights` (mels,) are what each band counts in the mean; all count 1 without them.

    Every label gets the same score. The state is the last row's mean; before the first one it counts as 0 + -100 dB.
    """
    meta = meta or metadata()
    nodes = [
        helper.make_node("Mul", ["frames", "weights"], ["heard"]),
        helper.make_node("Reshape", ["heard", "shape"], ["grouped"]),
        helper.make_node("ReduceMean", ["grouped"], ["mean"], axes=[2], keepdims=1),  # (streams, rows, 1)
        helper.make_node("Add", ["mean", "hundred"], ["level"]),
        helper.make_node("Concat", ["state_before", "level"], ["all"], axis=1),
        helper.make_node("Slice", ["all", "minus_one", "end", "axis"], ["next_state_before"]),
        helper.make_node("Slice", ["all", "zero", "minus_one", "axis"], ["shifted"]),
        helper.make_node("Add", ["level", "shifted"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["both"]),
        helper.make_node("Sub", ["both", "forty"], ["above"]),
        helper.make_node("Div", ["above", "five"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["one"]),
        helper.make_node("Tile", ["one", "repeats"], ["scores"]),
    ]
    scalars = {"hundred": 100.0, "half": 0.5, "forty": 40.0, "five": 5.0}
    integers = {"shape": [0, -1, STRIDE * mels], "minus_one": [-1], "zero": [0], "end": [2**31], "axis": [1]}
    initializers = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in scalars.items()]
    initializers += [
        helper.make_tensor(name, TensorProto.INT64, [len(value)], value)
        for name, value in (integers | {"repeats": [1, 1, labels]}).items()
    ]
    counts = np.ones(mels) if weights is None else weights
    initializers.append(helper.make_tensor("weights", TensorProto.FLOAT, [mels], counts))
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["streams", "frames", mels]),
            helper.make_tensor_value_info("state_before", TensorProto.FLOAT, ["streams", 1, 1]),
        ],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["streams", "rows", labels]),
            helper.make_tensor_value_info("next_state_before", TensorProto.FLOAT, ["streams", 1, 1]),
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    text = meta.model_dump_json() if document == "" else document
    if text is not None:
        helper.set_model_props(model, {KEY: text})
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
    return path


def bursts(*spans: tuple[float, float], seconds: float, rate: int = RATE, seed: int = 0) -> Floats:
    """Loud noise in each span of seconds, near silence elsewhere."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0.0, 1e-5, round(seconds * rate))
    for onset, offset in spans:
        first, last = round(onset * rate), round(offset * rate)
        sound[first:last] = rng.normal(0.0, 0.1, last - first)
    return sound.astype(np.float32)
