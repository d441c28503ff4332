"""`[journal]`: what is remembered, and for how long."""

import os
from pathlib import Path

from pydantic import Field

from sed.metadata import Settings
from sed.values import Age, FilePath, Size


def default_journal() -> Path:
    """Where systemd, else the XDG specification, wants a program's state."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0]) / "journal.db"
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "earwitness" / "journal.db"


class JournalConfig(Settings):
    """What is remembered, and for how long."""

    path: FilePath = Field(default_factory=default_journal)
    max_age: Age = 365 * 86_400.0
    max_size: Size = 1_000_000_000
