"""What a model tells about recordings, and how right it is. Everything runs through `detect`, as the daemon does."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sed.evaluate.matching import COLLAR, Counts, count, macro_f1, total
from sed.evaluate.nearby import joined
from sed.evaluate.reference import Recording, Sound
from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.signals import Block, Floats

BLOCK = 1_920
"""Samples a block: 12 frames, 120 ms at 16 kHz."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Event-based counts by label over some recordings."""

    counts: dict[str, Counts]
    seconds: float
    recordings: int

    @property
    def macro_f1(self) -> float:
        """The mean of the labels' F1."""
        return macro_f1(self.counts)

    def of(self, labels: Sequence[str]) -> "Measured":
        """The same of some labels only."""
        return replace(self, counts={label: self.counts[label] for label in labels})

    def false_per_hour(self, label: str) -> float:
        """False alarms of a label per hour of recordings."""
        return 3600.0 * self.counts[label].false / max(self.seconds, 1e-9)

    def summary(self) -> dict[str, object]:
        """As it goes into a model's metadata."""
        each = {
            label: {
                "f1": round(c.f1, 3),
                "precision": round(c.precision, 3),
                "recall": round(c.recall, 3),
                "events": c.found + c.missed,
            }
            for label, c in self.counts.items()
        }
        return {"macro_f1": round(self.macro_f1, 3), "labels": each, "recordings": self.recordings}


@dataclass(slots=True)
class Hits:
    """Files of one class, and in how many of them each label was told."""

    files: int = 0
    told: Counter[str] = field(default_factory=Counter)

    def rate(self, label: str) -> float:
        """The share of the files in which `label` was told."""
        return self.told[label] / max(1, self.files)


def listen(model: OnnxModel, rules: Mapping[str, Rule], samples: Floats) -> list[Sound]:
    """The events told in a recording at the model's rate, in the order in which they ended."""
    rate = model.metadata.frontend.sample_rate
    model.reset()
    tracker = Tracker(model.metadata.labels, rules, rate)
    told = detect(_blocks(samples), LogMel(model.metadata.frontend), model, tracker, LevelMeter(rate))
    ends = [event for event in told if event.phase == "end"]
    return [Sound(e.label, e.onset / rate, (e.offset or e.onset) / rate) for e in ends]


def measure(
    model: OnnxModel, rules: Mapping[str, Rule], recordings: Iterable[Recording], collar: float = COLLAR
) -> Measured:
    """Counts of events found, missed and false, onset only, over all `recordings`; nearby events are one."""
    labels = model.metadata.labels
    rate = model.metadata.frontend.sample_rate
    counts: list[dict[str, Counts]] = []
    seconds = 0.0
    for recording in recordings:
        samples = recording.read()
        seconds += len(samples) / rate
        counts.append(count(joined(listen(model, rules, samples)), joined(recording.events), labels, collar))
    return Measured(total(counts, labels), seconds, len(counts))


def hits(model: OnnxModel, rules: Mapping[str, Rule], files: Iterable[tuple[str, Recording]]) -> dict[str, Hits]:
    """By class of file, in how many of its files each label was told at all."""
    found: dict[str, Hits] = {}
    for kind, recording in files:
        row = found.setdefault(kind, Hits())
        row.files += 1
        row.told.update({sound.label for sound in listen(model, rules, recording.read())})
    return found


def _blocks(samples: Floats) -> Iterator[Block]:
    for start in range(0, len(samples), BLOCK):
        yield Block(start, samples[start : start + BLOCK])
