"""What a training run leaves behind, read without the settings it was started with."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch

from sed.errors import ModelError
from sed.metadata import Metadata
from sed.train.kinds import trained
from sed.train.network import Network

_MEAN = "module."
"""What AveragedModel puts before the names of the weights it averages."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The running mean of a run's weights, at its best check if the run had patience, and how far the run was."""

    network: Network  # ready to score
    labels: int
    step: int
    elapsed: float  # seconds
    sha256: str


def read_checkpoint(path: Path) -> Checkpoint:
    """The network that training would have exported; raises ModelError if the file holds no such network."""
    try:
        saved = torch.load(path, weights_only=True, map_location="cpu")
        mean = {name.removeprefix(_MEAN): w for name, w in saved["mean"].items() if name.startswith(_MEAN)}
        weights = saved.get("stopping", {}).get("weights") or mean
        network = trained(weights)
        network.keep(int(saved.get("labels", network.scores.out_features)))  # older checkpoints have no others
        step, elapsed = int(saved["step"]), float(saved["elapsed"])
    except (KeyError, RuntimeError, TypeError, AttributeError, UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: not a checkpoint of this program's training ({reason})") from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Checkpoint(network, network.scores.out_features, step, elapsed, digest)


def described_like(checkpoint: Checkpoint, like: Metadata, source: Path, name: str) -> Metadata:
    """The document of a checkpoint's network: as `like`, which was trained the same way, less what was measured of it.

    Raises ModelError if the network is not of that shape.
    """
    network = checkpoint.network
    for what, own, theirs in (
        ("labels", checkpoint.labels, len(like.labels)),
        ("mels", network.mels, like.frontend.mels),
        ("frames a row", network.stride, like.stride),
    ):
        if own != theirs:
            raise ModelError(f"{source}: has {own} {what}, {like.name} has {theirs}; name a model it was trained like")
    training = {
        "checkpoint": source.name,
        "sha256": checkpoint.sha256,
        "steps": checkpoint.step,
        "minutes": round(checkpoint.elapsed / 60.0, 1),
        "network": network.kind,
        "parameters": sum(part.numel() for part in network.parameters()),
        "rules_of": like.name,
    }
    return like.model_copy(update={"name": name, "training": training, "scores": {}})
