"""A person goes through events at a terminal, one key each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sed.errors import UsageError
from sed.eventline import harmless, local_time
from sed.history.event import WholeEvent
from sed.history.verdicts import NoSuchEvent, Verdicts
from sed.review.doubt import Doubt

KEYS = "r right   w wrong   l another label   s skip   q quit"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the person presses, and types."""

    key: Callable[[], str]
    line: Callable[[str], str]


def review(
    doubts: Sequence[Doubt], verdicts: Verdicts, clip: Callable[[str], Path | None], keys: Keys, console: Console
) -> int:
    """Show one event after the other and give the verdicts; returns how many were given. Raises SinkError."""
    given = 0
    for number, doubt in enumerate(doubts, start=1):
        console.print(described(doubt, clip(doubt.event.id), f"{number} of {len(doubts)}"), soft_wrap=True)
        answer = _answer(doubt.event, verdicts, keys, console)
        if answer == "q":
            break
        given += answer != "s"
    return given


def described(doubt: Doubt, clip: Path | None, place: str = "") -> Text:
    """Two lines: the event, and why it is doubted, with where it can be heard."""
    event = doubt.event
    lasted = "?" if event.duration is None else f"{event.duration:.2f} s"
    first = (
        f"{place + '  ' if place else ''}{local_time(event.onset)}  {event.node}/{event.source}  {event.label}  "
        f"{lasted}  score {event.score:.2f}  {event.level_dbfs:.1f} dBFS"
    )
    second = f"    doubt {doubt.value:.2f}: {doubt.reason};  {clip or 'no clip'}"
    return Text("\n").join([harmless(Text(first)), harmless(Text(second, "dim"))])


def _answer(event: WholeEvent, verdicts: Verdicts, keys: Keys, console: Console) -> str:
    """The key that settled it."""
    while True:
        console.print(f"    {KEYS}", style="dim")
        try:
            key = keys.key().lower()
            if key in ("q", "\x04", ""):
                return "q"
            if key == "s":
                return key
            if key in ("r", "w"):
                verdicts.give(event.id, "right" if key == "r" else "wrong")
                return key
            if key == "l":
                verdicts.give(event.id, "other", keys.line("    what was it? ").strip())
                return key
        except (KeyboardInterrupt, EOFError):
            return "q"
        except NoSuchEvent:
            console.print("    the journal does not hold it any more")
            return "s"
        except UsageError as error:
            console.print(f"    {error}", markup=False)
