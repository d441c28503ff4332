"""One clip on its way from an ear to the disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sed.clips.folder import SUFFIX
from sed.message import Timekeeper
from sed.observer import Origin
from sed.signals import Event


@dataclass(slots=True, eq=False)
class Clip:
    """What it will be called, and what it will say of itself; the samples come later."""

    path: Path
    sample_rate: int  # Hz
    tags: Mapping[str, str]
    start: int  # samples
    failed: bool = False
    """Set by the writer's thread, read by the ear's: there will be no such file."""

    @property
    def name(self) -> str:
        """Its path below the folder of clips, as the event's message has it."""
        return self.path.name


def clip_of(event: Event, origin: Origin, folder: Path, start: int) -> Clip:
    """The clip of an event that begins at sample `start`."""
    path = folder / f"{event.id}{SUFFIX}"
    return Clip(path, origin.clock.sample_rate, _tags(event, origin, start), start)


def _tags(event: Event, origin: Origin, start: int) -> dict[str, str]:
    """As FLAC's own comments have them, so that a clip that was copied elsewhere still tells what it is."""
    clock: Timekeeper = origin.clock
    told = {
        "id": event.id,
        "node": origin.node,
        "source": origin.source,
        "label": event.label,
        "onset": clock.stamp(event.onset),
        "begins": clock.stamp(start),
        "model": origin.metadata.name,
    }
    comment = " ".join(f"{key}={value}" for key, value in told.items())
    return {"title": event.label, "date": clock.stamp(event.onset), "comment": comment, "software": "earwitness"}
