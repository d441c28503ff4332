"""Which networks there are, made as the settings say or as weights show."""

from collections.abc import Mapping
from typing import Final

from torch import Tensor

from sed.train.ensemble import Ensemble
from sed.train.network import LAYERS, Crnn, Network, layers
from sed.train.settings import TrainSettings
from sed.train.tcn import Tcn

KINDS: Final[Mapping[str, type[Crnn] | type[Tcn]]] = {kind.kind: kind for kind in (Crnn, Tcn)}


def untrained(settings: TrainSettings) -> Network:
    """The network the settings ask for, with a score for each class; its weights are drawn from torch's own chance."""
    kind = KINDS[settings.network]
    width, convolutions = settings.units, layers(settings.channels)
    return kind(settings.frontend.mels, len(settings.learnt), width, convolutions, dropout=settings.dropout)


def trained(weights: Mapping[str, Tensor]) -> Network:
    """The network of these weights, ready to score; its kind and sizes are found from their names and shapes.

    Raises KeyError or RuntimeError if they are no network's.
    """
    network = _sized(weights)
    network.load_state_dict(dict(weights))
    return network.eval()


def _sized(weights: Mapping[str, Tensor]) -> Network:
    if "means" in weights:
        return _together(weights)
    mels, labels, units = (len(weights[name]) for name in ("mean", "scores.weight", "narrow.weight"))
    front = layers(_channels(weights))
    blocks = sum(name.endswith(".depthwise.weight") for name in weights)
    return Tcn(mels, labels, units, front, blocks=blocks) if blocks else Crnn(mels, labels, units, front)


def _together(weights: Mapping[str, Tensor]) -> Ensemble:
    members, _, mels = weights["means"].shape
    labels, units = len(weights["scores.weight"]), len(weights["narrow.weight"]) // members
    return Ensemble(mels, labels, units, layers([count // members for count in _channels(weights)]), members)


def _channels(weights: Mapping[str, Tensor]) -> list[int]:
    return [len(weights[f"convolutions.{number}.weight"]) for number in range(len(LAYERS))]
