"""Whoever is measured, and the labels there is something to measure of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sed.errors import UsageError
from sed.evaluate.hearing import Heard, hear
from sed.evaluate.scenelist import Scene
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.signals import Floats


@dataclass(frozen=True, slots=True)
class Listener:
    """What somebody tells of samples at their rate."""

    labels: tuple[str, ...]
    rate: int  # Hz
    hear: Callable[[Floats], Heard]


def listener(model: OnnxModel, rules: Mapping[str, Rule], labels: Sequence[str]) -> Listener:
    """A model that tells of `labels`, whether or not their alerts are on, and of no other."""
    meta = model.metadata
    columns = [meta.labels.index(label) for label in labels]
    followed = {label: rule.model_copy(update={"alert": label in labels}) for label, rule in rules.items()}

    def listen(samples: Floats) -> Heard:
        heard = hear(model, followed, samples)
        return replace(heard, scores=heard.scores[:, columns])

    return Listener(tuple(labels), meta.frontend.sample_rate, listen)


def measurable(labels: Sequence[str], rules: Mapping[str, Rule], scenes: Sequence[Scene]) -> tuple[str, ...]:
    """The labels that alert or have an event in the scenes; raises UsageError if there are none.

    A label whose alerts are off and of which there is nothing to find would only be a column of dashes.
    """
    held = held_by(scenes)
    found = tuple(label for label in labels if rules[label].alert or label in held)
    if not found:
        raise UsageError(f"no label alerts or is in the scenes; switch one on: --rule {labels[0]}.alert=true")
    return found


def held_by(scenes: Sequence[Scene]) -> set[str]:
    """The labels of the events in some scenes."""
    return {event.label for scene in scenes for event in scene.events}
