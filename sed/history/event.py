"""One whole event: what its start and its end say together, and what somebody said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sed.history.table import LEVELS, SCORES
from sed.history.verdicts import Verdict
from sed.message import rfc3339

COLUMNS = (
    "h.id, h.node, h.source, h.label, h.onset, h.offset, h.duration, h.score, h.level, h.lost, h.model, h.clip, "
    "h.detected, h.open, v.verdict, v.label, v.at, v.by, v.comment"
)
"""What `whole` takes, of history AS h and verdict AS v."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WholeEvent:
    """A sound event as it is known now."""

    id: str
    node: str
    source: str
    label: str
    onset: datetime  # UTC, whole milliseconds, as all times here
    offset: datetime | None  # None: it still sounds, or its process died
    duration: float | None  # seconds
    score: float
    """The highest."""
    level_dbfs: float
    lost_samples: int
    model: str
    clip: str | None
    """Its name in the folder of clips; it may have been deleted since."""
    detected_at: datetime | None
    open: bool
    """Whether its end has not come."""
    verdict: Verdict | None

    def document(self) -> dict[str, object]:
        """As JSON has it: the names of `event.schema.json`, `open`, and the verdict's document."""
        return {
            "id": self.id, "node": self.node, "source": self.source, "label": self.label,
            "onset": rfc3339(self.onset), "offset": _stamp(self.offset), "duration": self.duration,
            "score": self.score, "level_dbfs": self.level_dbfs, "detected_at": _stamp(self.detected_at),
            "lost_samples": self.lost_samples, "model": self.model, "clip": self.clip, "open": self.open,
            "verdict": self.verdict.document() if self.verdict else None,
        }  # fmt: skip


def whole(row: Sequence[Any]) -> WholeEvent:
    """From a row of COLUMNS."""
    name, node, source, label, onset, offset, duration, score, level, lost, model, clip, detected, goes_on, *said = row
    return WholeEvent(
        name, node, source, label, moment(onset), _maybe(offset), None if duration is None else duration / 1_000,
        score / SCORES, level / LEVELS, lost, model, clip, _maybe(detected), bool(goes_on), _verdict(*said),
    )  # fmt: skip


def moment(milliseconds: int) -> datetime:
    """UTC, from milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(moment: datetime) -> int:
    """Since 1970; the first whole one that is not before it."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))


def _maybe(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment(milliseconds)


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _verdict(verdict: str | None, label: str | None, at: int, by: str | None, comment: str | None) -> Verdict | None:
    return None if verdict is None else Verdict(verdict, label, moment(at), by, comment)
