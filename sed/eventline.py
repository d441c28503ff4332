"""An alert as a line for people at a terminal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text


def event_line(event: Mapping[str, Any]) -> Text:
    """When, who, what, how long, how sure, how loud. Raises KeyError, TypeError or ValueError if it is no event."""
    ended = event["phase"] == "end"
    text = Text(f"{local_time(datetime.fromisoformat(event['onset']))}  {event['node']}/{event['source']}  ")
    text.append(f"{event['label']:<12}", "bold red" if not ended else "bold")
    text.append(f" {_extent(event):<14}  score {event['score']:.2f}  {event['level_dbfs']:6.1f} dBFS")
    return text


def harmless(text: Text) -> Text:
    """Without what would steer the terminal, whoever sent it."""
    text.plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.plain)
    return text


def local_time(moment: datetime) -> str:
    """As the clock on the wall has it."""
    return moment.astimezone().replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def _extent(event: Mapping[str, Any]) -> str:
    if event["phase"] == "start":
        return "begins"
    if event["duration"] is None:
        return "ended unheard"
    return f"lasted {event['duration']:.2f} s"
