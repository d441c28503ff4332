"""What lies between the detector and the journal: a disk that is full for a while costs no event."""

import logging
import time
from collections import deque
from collections.abc import Callable

from sed.errors import SinkError
from sed.journal import Journal
from sed.message import Message

LIMIT = 1_000
"""Messages that may wait; then the oldest are given up."""

RETRY_SECONDS = 1.0

_LOG = logging.getLogger(__name__)


class Backlog:
    """One source's messages on their way into the journal, in order. What it cannot take now waits in memory."""

    def __init__(
        self, source: str, journal: Journal, written: Callable[[Message], None] = lambda message: None
    ) -> None:
        """`written` is shown each message once it is in the journal."""
        self.discarded = 0
        """Messages that were given up."""
        self._source, self._journal, self._written = source, journal, written
        self._waiting: deque[Message] = deque()
        self._complaint = ""
        self._retry_at = 0.0  # monotonic seconds

    def append(self, message: Message) -> None:
        """Into the journal, behind those that wait already."""
        self._waiting.append(message)
        if len(self._waiting) > LIMIT:
            self._waiting.popleft()
            self.discarded += 1
        self._write()

    def retry(self) -> None:
        """Try those that wait once more, at most once a second: cheap enough for every block of sound."""
        if self._waiting and time.monotonic() >= self._retry_at:
            self._write()

    def close(self) -> None:
        """The last try. Raises SinkError if something is left; it is lost then, and counted."""
        self._write()
        if self._waiting:
            self.discarded += len(self._waiting)
            self._waiting.clear()
            raise SinkError(f"{self._complaint}; {self.discarded} messages are lost")

    def _write(self) -> None:
        try:
            while self._waiting:
                self._journal.append(self._waiting[0])
                self._written(self._waiting.popleft())
        except SinkError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self._complaint:
                _LOG.error("source %s: %s; events wait in memory", self._source, error)
            self._complaint = str(error)
            return
        if self._complaint:
            _LOG.warning("source %s: the journal takes events again, %d were lost", self._source, self.discarded)
            self._complaint = ""
