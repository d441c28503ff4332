"""What is known now of all sources that are published: the newest of each, and the last events."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sed.broadcast.bulletin import Bulletin
from sed.eventline import event_line
from sed.signals import FLOOR_DBFS, Floats

EVENTS = 8
"""How many are remembered."""

SOURCES = 64
"""How many are shown, those that spoke first."""

FALL = 0.8
"""What is left of a score that was higher, with each message of scores: so that a short sound can be seen."""


@dataclass(slots=True)
class Source:
    """The newest word on one."""

    name: str
    """With its node."""
    state: str = ""
    level_dbfs: float = FLOOR_DBFS
    dropped_samples: int = 0
    model: str = ""
    labels: tuple[str, ...] = ()
    on: tuple[float, ...] = ()
    alert: tuple[bool, ...] = ()
    scores: Floats = field(default_factory=lambda: np.zeros(0, np.float32))  # (labels,), falling slowly


class Scene:
    """Takes what comes; what is no sense in itself is counted and leaves everything as it was."""

    def __init__(self) -> None:
        self.sources: dict[tuple[str, str], Source] = {}
        self.events: deque[Mapping[str, Any]] = deque(maxlen=EVENTS)
        self.strange: Counter[str] = Counter()
        """Messages without sense, by kind."""

    def take(self, bulletin: Bulletin) -> None:
        """Remember what it says."""
        try:
            self._take(bulletin)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            self.strange[bulletin.kind] += 1

    def _take(self, bulletin: Bulletin) -> None:
        if bulletin.kind == "event":
            event = bulletin.content()
            event_line(event)  # can be shown
            self.events.append(event)
        elif (source := self._source(bulletin)) is None:
            return
        elif bulletin.kind == "scores":
            _hear(source, bulletin.rows())
        elif bulletin.kind == "level":
            source.level_dbfs = float(bulletin.content()["level_dbfs"])
        elif bulletin.kind == "state":
            content = bulletin.content()
            source.state, source.dropped_samples = str(content["state"]), int(content["dropped_samples"])
            if source.state not in ("hearing", "silent"):
                source.level_dbfs = FLOOR_DBFS
        else:
            _learn(source, bulletin.content())

    def _source(self, bulletin: Bulletin) -> Source | None:
        key = (bulletin.node, bulletin.source)
        if key not in self.sources and len(self.sources) < SOURCES:
            self.sources[key] = Source("/".join(key))
        return self.sources.get(key)


def _hear(source: Source, rows: Floats) -> None:
    highest = rows.max(axis=0)
    if len(source.scores) == len(highest):
        highest = np.maximum(highest, FALL * source.scores)
    source.scores = highest


def _learn(source: Source, content: Mapping[str, Any]) -> None:
    labels = tuple(str(label) for label in content["labels"])
    on, alert = tuple(float(score) for score in content["on"]), tuple(bool(each) for each in content["alert"])
    if not len(labels) == len(on) == len(alert):
        raise ValueError(f"need one threshold a label, got {len(labels)}, {len(on)}, {len(alert)}")
    source.model, source.labels, source.on, source.alert = str(content["model"]), labels, on, alert
