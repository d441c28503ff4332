"""YAMNet on our scenes, as generously as our own model: classes, hop, shift and rules chosen on the valid scenes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sed.errors import UsageError
from sed.evaluate.hearing import Heard
from sed.evaluate.listener import Listener
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Scene
from sed.evaluate.tune import Budget
from sed.evaluate.windowed import Curve, Fitted, Reading, fit, heard
from sed.evaluate.yamnet import RATE, ROWS, STEP, Yamnet
from sed.metadata import FrontendSettings, Metadata
from sed.signals import Floats

HOPS = (2 * STEP, STEP)
"""Samples: YAMNet's own hop, and half of it, at twice the cost."""

POWERS = (1.0, 0.5)
"""Its scores as they are, and their roots: they are often low, where few thresholds are tried."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording as YAMNet heard it."""

    windows: Floats
    events: tuple[Sound, ...]
    seconds: float
    kind: str  # what false alarms are told apart by


def check_labels(labels: Sequence[str]) -> None:
    """Raise UsageError unless YAMNet has classes for all labels."""
    if unknown := [label for label in labels if label not in ROWS]:
        raise UsageError(f"--yamnet: which of its classes are '{unknown[0]}' is not known; known: {', '.join(ROWS)}")


def recorded(yamnet: Yamnet, scenes: Sequence[Scene], step: Callable[[], None] = lambda: None) -> list[Recorded]:
    """Listen to every recording once; how it is read can then be tried many times."""
    found: list[Recorded] = []
    for scene in scenes:
        samples = scene.read(RATE)
        found.append(Recorded(yamnet.windows(samples), scene.events, len(samples) / RATE, scene.kind))
        step()
    return found


def fit_yamnet(
    yamnet: Yamnet, labels: Sequence[str], recordings: Sequence[Recorded], budget: Budget
) -> dict[str, Fitted]:
    """For each label what serves it best within the budget."""
    found: dict[str, Fitted] = {}
    for label in labels:
        readings = [Reading(classes, hop, 0, power) for classes in ROWS[label] for hop in HOPS for power in POWERS]
        read = {
            reading: [Curve(_values(yamnet, reading, r.windows), r.events, r.seconds, r.kind) for r in recordings]
            for reading in readings
        }
        found[label] = fit(label, read, budget)
    return found


def listener(yamnet: Yamnet, fitted: Mapping[str, Fitted]) -> Listener:
    """YAMNet as `evaluate` takes it."""

    def hear(samples: Floats) -> Heard:
        windows = yamnet.windows(samples)
        values = {label: _values(yamnet, one.reading, windows) for label, one in fitted.items()}
        return heard(fitted, values, len(samples) / RATE)

    return Listener(tuple(fitted), RATE, hear)


def described(fitted: Mapping[str, Fitted], name: str, version: str) -> Metadata:
    """The document that a model of ours would carry; the rules are for its scores to the power that was chosen."""
    readings = {
        label: {
            "classes": list(one.reading.classes),
            "hop": one.reading.hop / RATE,
            "shift": one.reading.shift / RATE,
            "power": one.reading.power,
            "on": round(one.tuned.rule.on ** (1 / one.reading.power), 6),
            "off": round(one.tuned.rule.off ** (1 / one.reading.power), 6),
            "valid_f1": round(one.tuned.counts.f1, 3),
            "valid_alarms_per_hour": round(one.tuned.alarms_per_hour, 2),
            **_apart(one),
        }
        for label, one in fitted.items()
    }
    return Metadata(
        name=name, version=version, labels=tuple(fitted), frontend=FrontendSettings(sample_rate=RATE),
        rules={label: one.tuned.rule for label, one in fitted.items()}, licence="Apache-2.0", training=readings,
    )  # fmt: skip


def _apart(fitted: Fitted) -> dict[str, object]:
    rates = {kind: round(rate, 2) for kind, rate in fitted.tuned.apart.items()}
    return {"valid_alarms_per_hour_on": rates} if rates else {}


def _values(yamnet: Yamnet, reading: Reading, windows: Floats) -> Floats:
    scores = yamnet.best(windows[:: reading.hop // STEP], reading.classes)
    return np.asarray(scores**reading.power, np.float32)
