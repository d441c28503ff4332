"""Scores from log-mel frames: a streaming model in ONNX Runtime, its state carried from call to call."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from pydantic import ValidationError

from sed.errors import ModelError
from sed.metadata import KEY, Metadata
from sed.signals import Floats, Frames, Scores


class OnnxModel:
    """One stream through one model file.

    The graph takes `frames` (streams, frames, mels) and `state_*`, and gives `scores` (streams, frames / stride,
    labels) and `next_state_*`; its output lags `look_ahead` rows behind its input. Any chunking gives the same scores.
    """

    def __init__(self, path: Path) -> None:
        """Raises ModelError if the file is not ONNX, lacks its metadata, or contradicts it."""
        self.path = path
        self.session = _open(path)
        self.metadata = _read_metadata(path, self.session)
        _check_graph(path, self.session, self.metadata)
        self._state_names = [i.name for i in self.session.get_inputs()[1:]]
        self._outputs = ["scores", *(f"next_{name}" for name in self._state_names)]
        self._first_state = [np.zeros([1, *i.shape[1:]], np.float32) for i in self.session.get_inputs()[1:]]
        self.reset()

    def another(self) -> Self:
        """One more stream through the same session, with a memory of its own; each may run in its own thread."""
        twin = copy.copy(self)
        twin.reset()
        return twin

    def reset(self) -> None:
        """Forget all sound heard so far."""
        self._state: Sequence[Floats] = self._first_state
        self._held = np.zeros((0, self.metadata.frontend.mels), np.float32)  # frames short of a whole row
        self._to_skip = self.metadata.look_ahead  # rows that speak of the time before the first frame
        self._next = 0  # the sample at which the next row begins
        self._last: Floats | None = None

    def step(self, frames: Frames) -> Scores:
        """The scores that `frames` complete, (n, labels); n may be 0."""
        if len(frames.values) == 0:
            return self._scores(np.zeros((0, len(self.metadata.labels)), np.float32))
        if self._last is None:
            self._next = frames.start
        self._last = frames.values[-1:]
        values = np.concatenate((self._held, frames.values)) if len(self._held) else frames.values
        whole = len(values) - len(values) % self.metadata.stride
        self._held = values[whole:].copy()
        return self._scores(self._run(values[:whole]))

    def flush(self) -> Scores:
        """The scores still owed when the sound ends, as if its last frame went on for the look-ahead; then reset."""
        if self._last is None:
            return self._scores(np.zeros((0, len(self.metadata.labels)), np.float32))
        stride = self.metadata.stride
        repeats = -len(self._held) % stride + self.metadata.look_ahead * stride
        tail = np.concatenate((self._held, np.repeat(self._last, repeats, axis=0)))
        scores = self._scores(self._run(tail))
        self.reset()
        return scores

    def _run(self, values: Floats) -> Floats:
        if len(values) == 0:
            return np.zeros((0, len(self.metadata.labels)), np.float32)
        feed = dict(zip(self._state_names, self._state, strict=True))
        rows, *self._state = self.session.run(self._outputs, {"frames": values[None], **feed})
        skipped = min(self._to_skip, len(rows[0]))
        self._to_skip -= skipped
        told: Floats = rows[0][skipped:]
        return told

    def _scores(self, values: Floats) -> Scores:
        start, hop = self._next, self.metadata.hop
        self._next += hop * len(values)
        return Scores(start, hop, values, self.metadata.ahead)


def _open(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for kind in ("intra", "inter"):
        options.add_session_config_entry(f"session.{kind}_op.allow_spinning", "0")
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base
        reason = str(error).splitlines()[0].split(" : ")[-1].strip()
        raise ModelError(f"{path}: not a model that ONNX Runtime can open ({reason})") from error


def _read_metadata(path: Path, session: Any) -> Metadata:
    document = session.get_modelmeta().custom_metadata_map.get(KEY)
    if document is None:
        raise ModelError(f"{path}: no metadata under the key '{KEY}'; export the model with 'earwitness train'")
    try:
        return Metadata.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise ModelError(f"{path}: metadata: {where}: {first['msg']}") from error


def _check_graph(path: Path, session: Any, metadata: Metadata) -> None:
    """Refuse a graph whose inputs and outputs contradict its metadata."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    states = [i.name for i in inputs[1:]]
    if inputs[0].name != "frames" or [o.name for o in outputs] != ["scores", *(f"next_{name}" for name in states)]:
        names = ", ".join(i.name for i in inputs), ", ".join(o.name for o in outputs)
        raise ModelError(
            f"{path}: need frames, state_* -> scores, next_state_*; the graph has {names[0]} -> {names[1]}"
        )
    mels, labels = inputs[0].shape[-1], outputs[0].shape[-1]
    if mels != metadata.frontend.mels:
        raise ModelError(f"{path}: the graph expects {mels} mels, its metadata says {metadata.frontend.mels}")
    if labels != len(metadata.labels):
        listed = ", ".join(metadata.labels)
        raise ModelError(
            f"{path}: the graph gives {labels} labels, its metadata names {len(metadata.labels)} ({listed})"
        )
