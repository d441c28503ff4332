"""A small untrained network as a model file, and frames to feed it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from sed.frontend import log_mel
from sed.metadata import FrontendSettings, Metadata, Rule
from sed.model import OnnxModel
from sed.signals import Floats
from sed.train.ensemble import Ensemble
from sed.train.export import export
from sed.train.kinds import KINDS
from sed.train.network import Convolutional, Crnn, Network

LABELS = ("siren", "gun_shot")
Kind = TypeVar("Kind", bound=Convolutional)


def tiny_network(kind: str = "crnn") -> Network:
    """Its scores move with the sound, as a trained network's do."""
    if kind == "ensemble":
        return Ensemble.of([_tiny(Crnn, 3), _tiny(Crnn, 4)])
    return _tiny(KINDS[kind], 3)


def _tiny(kind: Callable[[int, int, int], Kind], seed: int) -> Kind:
    torch.manual_seed(seed)
    network = kind(64, len(LABELS), 16)
    network.normalise(torch.full((64,), -50.0), torch.full((64,), 10.0))
    with torch.no_grad():
        network.scores.weight.mul_(20.0)
    network.eval()
    return network


def tiny_metadata() -> Metadata:
    return Metadata(
        name="tiny", version="1", labels=LABELS, frontend=FrontendSettings(), look_ahead=3,
        rules={label: Rule(on=0.7) for label in LABELS}, licence="MIT", training={"steps": 5}, scores={"f1": 0.5},
    )  # fmt: skip


def write_tiny(path: Path, kind: str = "crnn") -> OnnxModel:
    export(tiny_network(kind), tiny_metadata(), path)
    return OnnxModel(path)


def sounds(count: int = 6) -> list[Floats]:
    """The log-mel of noise at many levels."""
    rng = np.random.default_rng(1)
    levels = 10.0 ** rng.uniform(-4.0, -0.5, count)
    return [log_mel((level * rng.standard_normal(32_000)).astype(np.float32), FrontendSettings()) for level in levels]
