"""From a float model file to one in integers, checked and compared with it before it is written."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sed.errors import ModelError
from sed.evaluate.beside import (
    Cost,
    Distance,
    Rightness,
    Verdict,
    block_frames,
    chunking_error,
    costs,
    distance,
    rightness,
    verdict,
)
from sed.evaluate.scenelist import Scene
from sed.metadata import Metadata
from sed.model import OnnxModel
from sed.signals import Floats
from sed.train.calibration import recordings
from sed.train.modelfile import described, write
from sed.train.quantise import Method, quantised

SUFFIX = "-int8"

TOLERANCE = 1e-5
"""How far scores may depend on the chunking."""

CALLS = (4, 12, 100)
"""Frames a call whose cost is told, besides that of a block."""

COMPARED = 24
"""Recordings of the valid split on which scores and cost are compared."""

CHUNKED = 4
"""Of these, those that are cut in other ways."""

TIMED = 2_000
"""Frames on which cost is measured."""


@dataclass(frozen=True, slots=True)
class Integers:
    """How a model is quantised."""

    data: Path
    method: Method = "minmax"
    clips: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The model in integers beside the float one."""

    bytes: tuple[int, int]
    chunking: float  # the most by which its scores depend on the chunking
    apart: Distance
    costs: list[Cost]
    right: Rightness | None  # on scenes, if there were any
    verdict: Verdict


def convert(
    model: OnnxModel,
    out: Path,
    integers: Integers,
    scenes: Sequence[Scene] = (),
    name: str | None = None,
    step: Callable[[], None] = lambda: None,
) -> Comparison:
    """Quantise `model`, compare, and write `out` whole or not at all; `step` is called after each scene.

    Ranges come from the train split, scores are compared on the valid one. Raises ModelError if the scores of the new
    file depend on the chunking.
    """
    settled = model.metadata
    learnt = recordings(integers.data, settled, "train", integers.clips, integers.seed)
    heard = recordings(integers.data, settled, "valid", COMPARED, integers.seed)
    data = quantised(model, learnt, integers.method)
    with TemporaryDirectory() as folder:
        draft = Path(folder) / out.name
        draft.write_bytes(described(data, settled))
        found = _compared(model, OnnxModel(draft), heard, scenes, step)
    if found.chunking > TOLERANCE:
        raise ModelError(f"{out}: not written, its scores depend on the chunking by {found.chunking:.1e}")
    content = described(data, _metadata(model, integers, found, name or settled.name + SUFFIX))
    write(out, content)
    return found


def _compared(
    model: OnnxModel, other: OnnxModel, heard: Sequence[Floats], scenes: Sequence[Scene], step: Callable[[], None]
) -> Comparison:
    timed = np.concatenate(heard)
    timed = np.resize(timed, (TIMED, timed.shape[1]))  # over again where it is too short
    block, *calls = costs(model, other, timed, (block_frames(model), *CALLS))
    right = rightness(model, other, scenes, step) if scenes else None
    changes = {label: right.change[label].value for label in model.metadata.labels} if right else None
    return Comparison(
        (model.path.stat().st_size, other.path.stat().st_size),
        chunking_error(other, heard[:CHUNKED]),
        distance(model, other, heard),
        [*calls, block],
        right,
        verdict(block.ratio, changes),
    )


def _metadata(model: OnnxModel, integers: Integers, found: Comparison, name: str) -> Metadata:
    """The float model's document; the scores are those of the new file, or none."""
    of = model.metadata
    made = {
        "of": of.name,
        "sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(),
        "calibration": {
            "data": str(integers.data), "split": "train", "method": integers.method, "clips": integers.clips,
            "seed": integers.seed,
        },
        "scores_apart": {"most": round(found.apart.most, 6), "mean": round(found.apart.mean, 6)},
    }  # fmt: skip
    scores: dict[str, object] = {}
    if found.right:
        figures = {label: figure.value for label, figure in found.right.second.items()}
        scores = {"onset_f1": {label: round(f1, 3) for label, f1 in figures.items() if np.isfinite(f1)}}
    return of.model_copy(update={"name": name, "training": {**of.training, "quantised": made}, "scores": scores})
