"""What people say of events: right, wrong, or that it was something else; kept with them in the journal."""

import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sed.errors import UsageError
from sed.history.visit import writing
from sed.message import rfc3339

KINDS = ("right", "wrong", "other")
"""The event was what it was taken for; it was nothing that has a label; it was another label's."""

LABEL = r"[^\W_][\w-]{0,63}"
"""What a label may look like: letters, digits, _ and -."""

_LONGEST = 1_000  # characters of a comment
_NO_TEXT = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"  # what steers a terminal, or is none

_GIVE = "INSERT OR REPLACE INTO verdict (event, verdict, label, at, by, comment) VALUES (?, ?, ?, ?, ?, ?)"
_WITHDRAW = "DELETE FROM verdict WHERE event = (SELECT seq FROM history WHERE id = ?)"


class NoSuchEvent(UsageError):  # noqa: N818 - a name for what is not there
    """The journal has no event of this id, or not any more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of an event."""

    verdict: str  # one of KINDS
    label: str | None  # what it was instead; only with `other`
    at: datetime
    by: str | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for what cannot be meant."""
        if self.verdict not in KINDS:
            raise UsageError(f"verdict: need one of {', '.join(KINDS)}, got {self.verdict!r}")
        if (self.verdict == "other") != (self.label is not None):
            raise UsageError(f"verdict: need a label with 'other', and with nothing else, got {self.verdict!r}")
        if self.label is not None and not re.fullmatch(LABEL, self.label):
            raise UsageError(f"verdict: need a label of letters, digits, _ and -, such as car_horn, got {self.label!r}")
        for text in (self.by, self.comment):
            if text is not None and (len(text) > _LONGEST or re.search(_NO_TEXT, text)):
                raise UsageError(f"verdict: need one line of {_LONGEST:,} characters at most in by and comment")

    def document(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "verdict": self.verdict, "label": self.label, "at": rfc3339(self.at), "by": self.by,
            "comment": self.comment,
        }  # fmt: skip


class Verdicts:
    """Gives verdicts on the events of a journal, from any thread or process, whether a daemon uses it or not.

    An event's last verdict counts; it is kept as long as the event. Raises SinkError where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the journal's; it is opened for each call anew."""
        self._path = path

    def give(
        self, event: str, verdict: str, label: str | None = None, *, by: str | None = None, comment: str | None = None
    ) -> Verdict:
        """Say of the event with that id `right`, `wrong`, or `other` with a label; on the disk when this returns.

        `other` with the label that it was taken for is `right`. Raises UsageError; NoSuchEvent where there is none.
        """
        at = round(time.time() * 1_000)
        given = Verdict(verdict, label, datetime.fromtimestamp(at / 1_000, UTC), by or None, comment or None)
        with writing(self._path) as db:
            found = db.execute("SELECT seq, label FROM history WHERE id = ?", (_plain(event),)).fetchone()
            if found is None:
                raise NoSuchEvent(f"event {event!r}: not in the journal {self._path}; 'earwitness events' lists those")
            seq, taken_for = found
            if given.label == taken_for:
                given = replace(given, verdict="right", label=None)
            db.execute(_GIVE, (seq, given.verdict, given.label, at, given.by, given.comment))
        return given

    def withdraw(self, event: str) -> bool:
        """Take a verdict back; says whether there was one."""
        with writing(self._path) as db:
            return db.execute(_WITHDRAW, (_plain(event),)).rowcount == 1


def _plain(event: str) -> str:
    """Half a surrogate pair, which is in no id, cannot be asked for."""
    return event.encode("utf-8", "replace").decode()
