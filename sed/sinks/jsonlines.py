"""JSON lines: one event message a line, to standard output or a file, as it comes."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self, TextIO

from sed.errors import SinkError
from sed.journal import Journal
from sed.message import Message
from sed.sinks.follower import IDLE_SECONDS, Follower

NAME = "jsonlines"

_BATCH = 100
_LOG = logging.getLogger(__name__)


class JsonLines:
    """Writes every message appended to the journal from now on, each line flushed.

    A reader that goes away ends the writing, not the program.
    """

    def __init__(
        self,
        journal: Journal,
        target: Path | TextIO | None = None,
        told: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """`target` is a file to append to, an open stream, or None for standard output. Raises SinkError.

        `told` is called for each message that was written.
        """
        self._journal, self._told = journal, told
        self._opened = contextlib.ExitStack()
        self._stream: TextIO | None = self._open(target)
        self._after = journal.last
        self._follower = Follower(NAME, journal, self._turn)

    def close(self) -> None:
        """Write what is left, and close the file if it is one."""
        self._follower.close()
        self._opened.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is left."""
        self.close()

    def _open(self, target: Path | TextIO | None) -> TextIO:
        if not isinstance(target, Path):
            return target or sys.stdout
        try:
            return self._opened.enter_context(target.open("a", encoding="utf-8"))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SinkError(f"{target}: {reason}; name a file that this user can write") from error

    def _turn(self) -> float:
        while self._stream and (rows := self._journal.rows(self._after, _BATCH)):
            for row in rows:
                self._write(row.message)
                self._after = row.seq
        return IDLE_SECONDS

    def _write(self, message: Message) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # a broken pipe, a full disk, a closed stream
            _LOG.warning("JSON lines end here: %s; events go on to the journal", error)
            _silence(self._stream)
            self._stream = None
        else:
            self._told(message)


def _silence(stream: TextIO) -> None:
    """Let the interpreter's own flush of a broken standard output go nowhere when it exits."""
    if stream is sys.stdout:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
