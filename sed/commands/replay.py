"""`earwitness replay`: recordings through the whole daemon."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from sed.config import Config, overridden
from sed.errors import EarwitnessError, UsageError
from sed.replay import Replay, later
from sed.source.file import Channel
from sed.source.folder import recordings
from sed.stopping import on_signal


def run(
    paths: Sequence[str],
    config: Config,
    channel: Channel,
    *,
    speed: float | None,
    loop: bool,
    start_time: datetime | None,
    node: str | None,
    source: str,
    lines: Path | None,
    journal: Path | None,
) -> int:
    """Play every recording, one bad file never stopping the others; returns the exit code.

    Without a `node` it is told apart from the daemon of this computer by its name, so that it never answers for it.
    """
    config = overridden(config, node=node or f"{config.node}-replay")
    moment = start_time.replace(tzinfo=start_time.tzinfo or UTC) if start_time else None
    found = list(recordings(paths))
    with Replay(config, source, lines or sys.stdout, journal) as replay, on_signal(replay.stop):
        session = _Session(replay, channel, speed, moment)
        session.play_all(found)
        while loop and session.played and not replay.stopped:
            session.played = False
            session.play_all(found)
        replay.deliver()
    return session.exit_code


class _Session:
    """Recordings one after the other, their times following one another if they began at a stated moment."""

    def __init__(self, replay: Replay, channel: Channel, speed: float | None, moment: datetime | None) -> None:
        self.exit_code, self.played = 0, False
        self._replay, self._channel, self._speed, self._moment = replay, channel, speed, moment
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def play_all(self, found: Sequence[str | UsageError]) -> None:
        for name in found:
            if self._replay.stopped:
                return
            try:
                if isinstance(name, UsageError):
                    raise name
                self._play(name)
            except EarwitnessError as error:
                self._console.print(f"earwitness: {error}", markup=False)
                self.exit_code = max(self.exit_code, error.exit_code)

    def _play(self, name: str) -> None:
        if self._console.is_terminal:
            pace = f"{self._speed:g} times real time" if self._speed else "full speed"
            self._console.print(f"playing {name} at {pace}", style="dim")
        seconds = self._replay.play(name, self._channel, self._speed, self._moment)
        self._moment = later(self._moment, seconds)
        self.played = self.played or seconds > 0.0
