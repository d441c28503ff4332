"""Scores from log-mel frames: a streaming model in ONNX Runtime, its state carried from call to call."""

import copy
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from pydantic import ValidationError

from sed.errors import ModelError
from sed.metadata import KEY, Metadata
from sed.signals import Floats, Frames, Scores

LARGEST_STATE = 10_000_000
"""Numbers that a stream's memory may have."""


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
        self.runs, self.seconds = 0, 0.0
        """How often the graph was run for this stream, and how long that took; of a run for many, its share."""
        self._state_names = [i.name for i in self.session.get_inputs()[1:]]
        self._outputs = ["scores", *(f"next_{name}" for name in self._state_names)]
        self._first_state = [np.zeros([1, *i.shape[1:]], np.float32) for i in self.session.get_inputs()[1:]]
        self._no_rows = np.zeros((0, len(self.metadata.labels)), np.float32)
        self.reset()

    def another(self) -> Self:
        """One more stream through the same session, with a memory of its own; each may run in its own thread."""
        twin = copy.copy(self)
        twin.runs, twin.seconds = 0, 0.0
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
        return self._scores(self._run(self._whole(frames)))

    def flush(self) -> Scores:
        """The scores still owed when the sound ends, as if its last frame went on for the look-ahead; then reset."""
        if self._last is None:
            return self._scores(self._no_rows)
        stride = self.metadata.stride
        repeats = -len(self._held) % stride + self.metadata.look_ahead * stride
        tail = np.concatenate((self._held, np.repeat(self._last, repeats, axis=0)))
        scores = self._scores(self._run(tail))
        self.reset()
        return scores

    def _whole(self, frames: Frames) -> Floats:
        """Those of the frames held and these that make whole rows; the others are held."""
        if len(frames.values) == 0:
            return frames.values
        if self._last is None:
            self._next = frames.start
        self._last = frames.values[-1:]
        values = np.concatenate((self._held, frames.values)) if len(self._held) else frames.values
        whole = len(values) - len(values) % self.metadata.stride
        self._held = values[whole:].copy()
        return values[:whole]

    def _run(self, values: Floats) -> Floats:
        if len(values) == 0:
            return self._no_rows
        feed = dict(zip(self._state_names, self._state, strict=True))
        began = time.perf_counter()
        rows, *state = self.session.run(self._outputs, {"frames": values[None], **feed})
        return self._told(rows[0], state, time.perf_counter() - began)

    def _told(self, rows: Floats, state: Sequence[Floats], seconds: float) -> Floats:
        """The rows that speak of sound; `state` is what goes into the next run, `seconds` what this one took."""
        self._state = state
        self.runs += 1
        self.seconds += seconds
        skipped = min(self._to_skip, len(rows))
        self._to_skip -= skipped
        return rows[skipped:]

    def _scores(self, values: Floats) -> Scores:
        start, hop = self._next, self.metadata.hop
        self._next += hop * len(values)
        return Scores(start, hop, values, self.metadata.ahead)


def step_all(models: Sequence[OnnxModel], frames: Sequence[Frames]) -> list[Scores]:
    """As `step` of each, with one run for all of one session that complete as many rows."""
    wholes = [model._whole(part) for model, part in zip(models, frames, strict=True)]
    alike = defaultdict[tuple[int, int], list[int]](list)
    for n, whole in enumerate(wholes):
        alike[id(models[n].session), len(whole)].append(n)
    told: dict[int, Floats] = {}
    for members in alike.values():
        rows = _run_together([models[n] for n in members], [wholes[n] for n in members])
        told.update(zip(members, rows, strict=True))
    return [model._scores(told[n]) for n, model in enumerate(models)]


def _run_together(models: Sequence[OnnxModel], values: Sequence[Floats]) -> list[Floats]:
    """The rows of each, from as many frames each; their states are stacked along the graph's axis of streams."""
    first = models[0]
    if len(models) == 1 or len(values[0]) == 0:
        return [model._run(part) for model, part in zip(models, values, strict=True)]
    states = map(np.concatenate, zip(*(model._state for model in models), strict=True))
    feed = dict(zip(first._state_names, states, strict=True))
    began = time.perf_counter()
    rows, *after = first.session.run(first._outputs, {"frames": np.stack(values), **feed})
    share = (time.perf_counter() - began) / len(models)
    return [model._told(rows[n], [state[n : n + 1] for state in after], share) for n, model in enumerate(models)]


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
        providers = ["CPUExecutionProvider"]  # without a fallback, which would only be the same again, and print
        return onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors have no common base
        first = (str(error).splitlines() or [type(error).__name__])[0]
        reason = first.split(" : ")[-1].strip()
        raise ModelError(f"{path}: not a model that ONNX Runtime can open ({reason})") from error


def _read_metadata(path: Path, session: Any) -> Metadata:
    try:
        document = session.get_modelmeta().custom_metadata_map.get(KEY)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: metadata: not UTF-8 text; the file is damaged") from error
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
    if (
        not inputs
        or inputs[0].name != "frames"
        or [o.name for o in outputs] != ["scores", *(f"next_{name}" for name in states)]
    ):
        names = ", ".join(i.name for i in inputs), ", ".join(o.name for o in outputs)
        raise ModelError(
            f"{path}: need frames, state_* -> scores, next_state_*; the graph has {names[0]} -> {names[1]}"
        )
    for each in inputs[1:]:
        if not all(isinstance(size, int) for size in each.shape[1:]) or math.prod(each.shape[1:]) > LARGEST_STATE:
            raise ModelError(f"{path}: {each.name}: need a state of known size, {LARGEST_STATE} numbers at most")
    mels, labels = (given[0].shape[-1] if given[0].shape else None for given in (inputs, outputs))
    if mels != metadata.frontend.mels:
        raise ModelError(f"{path}: the graph expects {mels} mels, its metadata says {metadata.frontend.mels}")
    if labels != len(metadata.labels):
        listed = ", ".join(metadata.labels)
        raise ModelError(
            f"{path}: the graph gives {labels} labels, its metadata names {len(metadata.labels)} ({listed})"
        )
