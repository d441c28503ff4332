"""A thread that follows the journal: it takes a turn whenever something has changed."""

import logging
import threading
from collections.abc import Callable

from sed.errors import SinkError
from sed.journal import Journal

IDLE_SECONDS = 5.0
"""The longest sleep without a look at the journal: no wait is for ever."""
CLOSE_SECONDS = 2.0
RETRY_SECONDS = 1.0

_LOG = logging.getLogger(__name__)


class Follower:
    """Calls `turn` for every change of the journal, and once more at the end.

    A turn tells all there is to tell and returns the seconds after which it wants to be called even if nothing has
    changed. A SinkError is logged, once a kind, and the turn is taken again.
    """

    def __init__(self, name: str, journal: Journal, turn: Callable[[], float]) -> None:
        """Start the thread."""
        self._journal, self._turn = journal, turn
        self._closing = threading.Event()
        self._complaint = ""
        self._thread = threading.Thread(target=self._follow, name=name, daemon=True)
        self._thread.start()

    def close(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Take the last turn and end the thread; says whether it ended in time."""
        self._closing.set()
        self._journal.wake()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _follow(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.is_set()
            seen = self._journal.changes
            pause = self._take_turn()
            if not closing:
                self._journal.wait(seen, min(pause, IDLE_SECONDS))

    def _take_turn(self) -> float:
        try:
            pause = self._turn()
        except SinkError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _LOG.error("%s", error)
            return RETRY_SECONDS
        self._complaint = ""
        return pause
