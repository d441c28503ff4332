"""What a publisher tells as lines: alerts for people, or JSON for programs."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.text import Text

from sed.broadcast.bulletin import Bulletin
from sed.eventline import event_line, harmless, local_time
from sed.listen.subscriber import Subscriber
from sed.message import rfc3339

TURN_SECONDS = 0.1
"""How soon the end is seen."""


def tell(
    subscriber: Subscriber, show: Callable[[Bulletin], None], stopped: Callable[[], bool], count: int | None = None
) -> None:
    """Show what comes until stopped, or until `count` events were shown; troubles and losses are told on stderr."""
    complaints, shown, trouble, lost = Console(stderr=True, highlight=False), 0, "", 0
    while not stopped():
        for bulletin in subscriber.bulletins(TURN_SECONDS):
            show(bulletin)
            shown += bulletin.kind == "event"
            if shown == count:
                return
        if (now := subscriber.trouble) != trouble:
            trouble = now
            complaints.print(harmless(Text(trouble or "heard again")), soft_wrap=True)
        if (total := subscriber.lost.total()) != lost:
            complaints.print(f"{total - lost} messages were lost: this reader, or the way to it, is too slow")
            lost = total


class JsonLines:
    """One JSON object a message."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, bulletin: Bulletin) -> None:
        """Print it; a body that makes no sense is null."""
        line: dict[str, object] = {"received_at": rfc3339(datetime.now(UTC)), "kind": bulletin.kind}
        line |= {"node": bulletin.node, "source": bulletin.source, "session": bulletin.session, "seq": bulletin.seq}
        if bulletin.sample is not None:
            line |= {"sample": bulletin.sample, "utc": bulletin.utc}
        try:
            line["scores" if bulletin.kind == "scores" else "content"] = _content(bulletin)
        except ValueError:
            line["content"] = None
        print(json.dumps(line), file=self._stream, flush=True)


class Lines:
    """Words for people: alerts, and what changes with a source."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._states: dict[str, str] = {}

    def __call__(self, bulletin: Bulletin) -> None:
        """Print it if it is news; what makes no sense is none."""
        try:
            if bulletin.kind == "event":
                self._print(event_line(bulletin.content()))
            elif bulletin.kind == "state":
                self._changed(f"{bulletin.node}/{bulletin.source}", str(bulletin.content()["state"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            return

    def _changed(self, who: str, state: str) -> None:
        """A change for the worse or back; that all is well from the start need not be said."""
        before, self._states[who] = self._states.get(who), state
        well = state == "hearing"
        if state != before and not (well and before is None):
            text = Text(f"{local_time(datetime.now(UTC))}  {who}  ")
            self._print(text.append(state, "green" if well else "yellow"))

    def _print(self, text: Text) -> None:
        self._console.print(harmless(text), soft_wrap=True)
        self._console.file.flush()


def _content(bulletin: Bulletin) -> object:
    if bulletin.kind != "scores":
        return bulletin.content()
    return [[round(score, 4) if math.isfinite(score) else None for score in row] for row in bulletin.rows().tolist()]
