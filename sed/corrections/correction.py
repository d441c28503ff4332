"""One event that somebody judged, with its recording, and what else was heard in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import soundfile

from sed.clips.folder import ClipFolder
from sed.history.event import WholeEvent
from sed.history.filter import Filter
from sed.history.reader import History

NOTHING = "background"
"""The class of a recording in which there was nothing that has a label."""

LOOK_BACK = timedelta(minutes=10)
"""An event that began so long before a clip may still sound in it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A recording, and what is to be learnt from it."""

    event: WholeEvent
    path: Path
    begin: datetime
    seconds: float
    beside: tuple[WholeEvent, ...]
    """Other events of the source that sound in it."""

    @property
    def label(self) -> str:
        """Its class: what it was told to be; NOTHING for a false alarm."""
        return truth(self.event) or NOTHING

    @property
    def group(self) -> str:
        """Recordings of one source and hour may be of the same sound: they stay on one side of the split."""
        return f"{self.event.node}-{self.event.source}-{self.event.onset:%Y%m%dT%H}"

    @property
    def unclear(self) -> tuple[WholeEvent, ...]:
        """The events beside it of which nobody has said anything."""
        return tuple(event for event in self.beside if event.verdict is None)

    @property
    def suspect(self) -> str:
        """A label that is, or may be, heard in a false alarm; empty if there is none."""
        heard = (truth(event) if event.verdict else event.label for event in self.beside)
        return next(filter(None, heard), "") if self.label == NOTHING else ""

    def span(self, event: WholeEvent) -> tuple[float, float]:
        """From when to when an event sounds in it, in seconds from its begin."""
        onset = (event.onset - self.begin).total_seconds()
        offset = self.seconds if event.duration is None else onset + event.duration
        return min(max(onset, 0.0), self.seconds), min(max(offset, 0.0), self.seconds)


def truth(event: WholeEvent) -> str | None:
    """What a judged event really was; None: nothing that has a label."""
    said = event.verdict
    if said is None or said.verdict == "wrong":
        return None
    return event.label if said.verdict == "right" else said.label


def corrections(history: History, clips: ClipFolder, events: Iterable[WholeEvent]) -> Iterator[Correction | WholeEvent]:
    """A correction for each judged event; the event itself where its recording is gone, or is none of ours."""
    for event in events:
        path = clips.path(event.id)
        recorded = _recorded(path) if path else None
        if path is None or recorded is None:
            yield event
            continue
        begin, seconds = recorded
        yield Correction(event, path, begin, seconds, tuple(_beside(history, event, begin, seconds)))


def _recorded(path: Path) -> tuple[datetime, float] | None:
    """When a clip begins, from its own comment, and how long it is in seconds."""
    try:
        with soundfile.SoundFile(path) as file:
            told = dict(part.split("=", 1) for part in file.comment.split() if "=" in part)
            begin = datetime.fromisoformat(told["begins"])
            return begin.astimezone(UTC), file.frames / file.samplerate
    except (soundfile.SoundFileError, OSError, KeyError, ValueError):
        return None


def _beside(history: History, event: WholeEvent, begin: datetime, seconds: float) -> Iterator[WholeEvent]:
    end = begin + timedelta(seconds=seconds)
    for other in history.walk(Filter(sources=(event.source,), since=begin - LOOK_BACK, until=end)):
        over = other.onset if other.duration is None else other.onset + timedelta(seconds=other.duration)
        if other.id != event.id and other.node == event.node and (over > begin or other.open):
            yield other
