"""What is known to be in a recording, and event lists on disk that say so."""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sed.errors import UsageError
from sed.signals import Floats

COLUMNS = ("filename", "onset", "offset", "event_label")


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound event, found or known."""

    label: str
    onset: float  # seconds
    offset: float  # seconds


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples at the model's rate, read when they are needed, and the events known to be in them."""

    name: str
    read: Callable[[], Floats]
    events: tuple[Sound, ...] = ()
    kind: str = ""  # what false alarms are told apart by


def read_references(path: Path) -> dict[str, list[Sound]]:
    """A tab-separated list with the header `filename onset offset event_label` (seconds), by file name.

    A line with an empty event_label names a recording in which there is nothing. Raises UsageError with the line.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines, delimiter="\t")
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(f"{path}: lacks {', '.join(missing)}; need {' '.join(COLUMNS)}, tab-separated")
            return _by_file(path, list(reader))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: cannot be read ({reason}); need tab-separated UTF-8 text") from error


def _by_file(path: Path, lines: list[dict[str, str]]) -> dict[str, list[Sound]]:
    found: dict[str, list[Sound]] = {}
    for number, line in enumerate(lines, start=2):
        events = found.setdefault(line["filename"], [])
        if not line["event_label"]:
            continue
        try:
            sound = Sound(line["event_label"], float(line["onset"]), float(line["offset"]))
        except (TypeError, ValueError) as error:
            raise UsageError(f"{path}:{number}: onset and offset need to be seconds ({error})") from error
        if not -math.inf < sound.onset <= sound.offset < math.inf:
            raise UsageError(f"{path}:{number}: need onset <= offset, got {sound.onset:g} and {sound.offset:g}")
        events.append(sound)
    return found
