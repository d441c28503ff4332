"""Fine-tuning: a trained model learns new labels from few recordings.

Where nothing else is said only new rows of the layer of scores learn: labels without recordings are told exactly as
before. With `front` above 0 the other layers learn too, at that share of the rate, and a teacher holds those labels.
"""

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import torch
from torch import Tensor, nn

from sed.errors import UsageError
from sed.metadata import Rule
from sed.shipped import model_path
from sed.train.clips import BEDS, Clip, targets
from sed.train.kinds import KINDS
from sed.train.network import Crnn, Network
from sed.train.pretrained import Pretrained, read_pretrained
from sed.train.run import Run, averaged
from sed.train.settings import TrainSettings
from sed.train.teacher import Teacher

log = logging.getLogger(__name__)

FEW: Final[Mapping[str, Any]] = {
    "steps": 400,
    "batch": 16,
    "scenes": 1200,
    "learning_rate": 1e-2,
    "dropout": (0.1, 0.2),
    "average": 0.98,
    "check_every": 50,
    "valid_scenes": 200,
}
"""What suits a few recordings: where nothing else is said, these are the settings of fine-tuning."""

HEAD_FIRST: Final = 0.2
"""The share of the training in which nothing but the layer of scores learns."""


def pretrained(name: str) -> Pretrained:
    """A shipped model by name, or a file; raises UsageError if there is none that can be fine-tuned."""
    return read_pretrained(model_path(name))


def beginning(name: str) -> dict[str, Any]:
    """The settings to begin from: FEW, and what the model's network and metadata fix; raises UsageError."""
    model = pretrained(name)
    return {**FEW, "labels": model.metadata.labels, "licence": model.metadata.licence, **_fixed(model)}


def check_model(settings: TrainSettings) -> None:
    """Raise UsageError, before any work is done, if the settings ask for another network than the model's."""
    if settings.finetune is None:
        return
    for name, theirs in _fixed(pretrained(settings.finetune)).items():
        if (own := getattr(settings, name)) != theirs:
            raise UsageError(f"--finetune {settings.finetune}: its {name} is {theirs}, the settings say {own}")


def check_clips(settings: TrainSettings, clips: Sequence[Clip]) -> None:
    """Raise UsageError unless every new label can be learnt and its rule chosen; warn where alarms stay unknown."""
    known = pretrained(str(settings.finetune)).metadata.labels
    for label in settings.labels:
        learnt, chosen = (targets(clips, label, split) for split in ("train", "valid"))
        if not learnt and label not in known:
            classes = ", ".join(sorted({clip.label for clip in clips})[:12])
            raise UsageError(f"--label {label}: no clips of it to learn from in {settings.data}, which has {classes}")
        if learnt and not chosen:
            raise UsageError(
                f"--label {label}: no clips of split 'valid' to choose its rule on; "
                f"divide them: earwitness data import {settings.data} --out NEW --folds 5"
            )
    if not taught(settings, clips):
        raise UsageError(f"--finetune: no clips of {', '.join(settings.labels)} in {settings.data}: nothing to learn")
    if not any(clip.label in BEDS and clip.split == "train" for clip in clips):
        log.warning(
            "no recordings of background, music or speech: scenes are mixed over hiss, and false alarms on "
            "ordinary sound will not be known; add some to %s",
            settings.data,
        )


def taught(settings: TrainSettings, clips: Sequence[Clip]) -> tuple[str, ...]:
    """The labels that are learnt from clips: all but those that fine-tuning keeps as they are."""
    if settings.finetune is None:
        return settings.labels
    return tuple(label for label in settings.labels if targets(clips, label, "train"))


def kept_rules(settings: TrainSettings, clips: Sequence[Clip]) -> dict[str, Rule]:
    """The rules of the labels that fine-tuning keeps as they are; none without it."""
    if settings.finetune is None:
        return {}
    rules, learnt = pretrained(settings.finetune).metadata.rules, taught(settings, clips)
    return {label: rules[label] for label in settings.labels if label not in learnt}


def widened(settings: TrainSettings) -> Network:
    """The model's network with a layer of scores for the settings' labels, drawn from the seed."""
    network = deepcopy(pretrained(str(settings.finetune)).network)
    torch.manual_seed(settings.seed)
    network.scores = nn.Linear(network.scores.in_features, len(settings.scored))
    network.forget.p, network.dropout.p = settings.dropout
    return network


def adopt(run: Run, settings: TrainSettings, clips: Sequence[Clip]) -> None:
    """Begin with the model's weights: new labels get new rows of scores, and labels without clips a teacher."""
    model = pretrained(str(settings.finetune))
    known = {label: place for place, label in enumerate(model.metadata.labels)}
    weights = _for_labels(model.network, averaged(run).state_dict(), [known.get(label) for label in settings.scored])
    for network in (run.network, averaged(run)):
        network.load_state_dict(weights)
    head, rest = list(run.network.scores.parameters()), _front(run.network)
    groups: list[dict[str, Any]] = [{"params": head, "share": 1.0, "weight_decay": 0.0}]  # rows that stay do not decay
    if settings.front:
        groups.append({"params": rest, "share": settings.front})
    run.optimiser = torch.optim.AdamW(groups, settings.learning_rate, weight_decay=settings.weight_decay)
    learnt = (*taught(settings, clips), *settings.extra)
    held = {place: known[label] for place, label in enumerate(settings.scored) if label not in learnt}
    run.teacher = Teacher(deepcopy(model.network).to(run.device.place), held) if held else None
    if held and settings.front:
        log.warning(
            "no clips of these, held near what they were; measure them afterwards: %s",
            ", ".join(settings.scored[place] for place in held),
        )


def thaw(network: Network, settings: TrainSettings, done: float) -> None:
    """Let all layers learn, if they shall, once the layer of scores has had its share of the training."""
    for part in _front(network):
        part.requires_grad_(settings.front > 0.0 and done >= HEAD_FIRST)


def still(network: Network) -> None:
    """Hold the statistics of batch norm, which are in the weights of a model file; few scenes would spoil them."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _front(network: Network) -> list[nn.Parameter]:
    head = {id(part) for part in network.scores.parameters()}
    return [part for part in network.parameters() if id(part) not in head]


def _for_labels(network: Network, drawn: Mapping[str, Tensor], places: Sequence[int | None]) -> dict[str, Tensor]:
    """The network's weights; the rows of scores are those at `places`, or as drawn where there is none."""
    weights = dict(network.state_dict())
    for name in ("scores.weight", "scores.bias"):
        rows = zip(drawn[name].cpu(), places, strict=True)
        weights[name] = torch.stack([row if place is None else weights[name][place] for row, place in rows])
    return weights


def _fixed(model: Pretrained) -> dict[str, Any]:
    """The settings that the file decides."""
    network = model.network
    return {
        "network": network.kind if network.kind in KINDS else Crnn.kind,  # of an ensemble, its members'
        "units": network.units,
        "channels": tuple(layer.channels for layer in network.layers),
        "look_ahead": model.metadata.look_ahead,
        "frontend": model.metadata.frontend,
    }
