"""Which events are meant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sed.errors import UsageError
from sed.history.verdicts import KINDS

VERDICTS = (*KINDS, "given", "none")
"""What a filter may ask of verdicts: one kind, any at all, or that there is none."""

MOST = 20
"""Labels, or sources, that can be asked for at once."""

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """All that is given has to be true of an event; raises UsageError for what can be true of none."""

    labels: tuple[str, ...] = ()
    """One of these; any, if there are none. So with the sources."""
    sources: tuple[str, ...] = ()
    since: datetime | None = None
    """For the onset, as `until`."""
    until: datetime | None = None
    """Before this moment, not at it."""
    min_score: float | None = None
    verdict: str | None = None  # one of VERDICTS

    def __post_init__(self) -> None:
        """Check it all."""
        for name, values in (("label", self.labels), ("source", self.sources)):
            _need(len(values) <= MOST, name, f"{MOST} at most", len(values))
            _need(all(isinstance(value, str) and value for value in values), name, "no empty ones", values)
        for name, moment in (("since", self.since), ("until", self.until)):
            _need(moment is None or moment.tzinfo is not None, name, "a time with a zone", moment)
            _need(moment is None or _FIRST <= moment <= _LAST, name, "a time from 1970 on", moment)
        if self.since is not None and self.until is not None:
            _need(self.since < self.until, "since", f"a time before until, {self.until.isoformat()}", self.since)
        _need(self.min_score is None or 0.0 <= self.min_score <= 1.0, "min_score", "a number from 0 to 1",
              self.min_score)  # fmt: skip
        _need(self.verdict is None or self.verdict in VERDICTS, "verdict", f"one of {', '.join(VERDICTS)}",
              self.verdict)  # fmt: skip


def _need(fits: bool, name: str, rule: str, value: object) -> None:
    if not fits:
        shown = value.isoformat() if isinstance(value, datetime) else repr(value)
        raise UsageError(f"{name}: need {rule}, got {shown}")
