"""What our model and YAMNet tell of whole clips: by their highest score, and ours by its rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sed.evaluate.cliplevel import Truth, Verdict, best_threshold, decide
from sed.evaluate.evaluation import Step
from sed.evaluate.hearing import hear
from sed.evaluate.yamnet import ROWS, Yamnet
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.signals import Floats


@dataclass(frozen=True, slots=True)
class Side:
    """The clips of one side of the split: how to read each, and what it holds."""

    read: Sequence[Callable[[], Floats]]
    truth: Truth  # (clips, labels)


def by_model(
    model: OnnxModel, rules: Mapping[str, Rule], labels: Sequence[str], valid: Side, test: Side, *, step: Step
) -> list[Verdict]:
    """The verdict of the highest score, and that of the rules: any event of a label in a clip tells it."""
    columns = [model.metadata.labels.index(label) for label in labels]
    scores: list[Floats] = []
    told: list[list[bool]] = []
    for read in (*valid.read, *test.read):
        heard = hear(model, rules, read())
        scores.append(heard.scores[:, columns].max(axis=0, initial=0.0))
        told.append([any(sound.label == label for sound in heard.told) for label in labels])
        step()
    name, count = f"{model.metadata.name}, by file", len(valid.read)
    highest = np.array(scores, np.float32)
    by_score = decide(name, highest[:count], valid.truth, highest[count:], labels, "its highest score")
    return [by_score, Verdict(f"{model.metadata.name}, its rules", np.array(told[count:], np.bool_), {}, "any event")]


def by_yamnet(yamnet: Yamnet, labels: Sequence[str], valid: Side, test: Side, *, step: Step) -> Verdict:
    """The verdict of its highest window; for each label the classes with the best F1 on the valid clips."""
    heard = [_highest(yamnet, labels, side.read, step) for side in (valid, test)]
    chosen: list[tuple[Floats, Floats]] = []
    notes: list[str] = []
    for n, label in enumerate(labels):
        sets = range(len(ROWS[label]))
        best = max(sets, key=lambda k: best_threshold(heard[0][label][:, k], valid.truth[:, n])[1])
        chosen.append((heard[0][label][:, best], heard[1][label][:, best]))
        notes.append(f"{label}: {', '.join(ROWS[label][best])}")
    on_valid, on_test = (np.stack([pair[side] for pair in chosen], axis=1) for side in (0, 1))
    return decide("YAMNet, by file", on_valid, valid.truth, on_test, labels, "; ".join(notes))


def _highest(
    yamnet: Yamnet, labels: Sequence[str], read: Iterable[Callable[[], Floats]], step: Step
) -> dict[str, Floats]:
    """By label the highest window of each set of classes, (clips, sets)."""
    rows: dict[str, list[list[float]]] = {label: [] for label in labels}
    for one in read:
        windows = yamnet.windows(one())
        for label in labels:
            rows[label].append([float(yamnet.best(windows, names).max()) for names in ROWS[label]])
        step()
    return {label: np.array(found, np.float32) for label, found in rows.items()}
