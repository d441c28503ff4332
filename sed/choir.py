"""Many streams in one thread: what all have heard is scored together, which costs each half of what it does alone."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from sed.errors import EarwitnessError
from sed.frontend import push_all
from sed.message import Timekeeper
from sed.model import step_all
from sed.ring import RingBuffer
from sed.service import Listener
from sed.signals import Block

TURN_SECONDS = 0.04
"""What each stream collects before all are scored: a shorter turn costs more, a longer one delays every event."""

CATCH_UP_ROWS = 16
"""How many rows of scores one stream may bring into one turn, if its sound has piled up."""

BROKEN = "the detector broke off"

_LOG = logging.getLogger(__name__)


class Voice:
    """One stream in a choir; it is started and waited for as a thread would be."""

    def __init__(
        self,
        choir: "Choir",
        listener: Listener,
        ring: RingBuffer,
        clock: Timekeeper,
        ended: Callable[[str | None], None],
    ) -> None:
        """`ended` is told why it failed; None if the sound was over."""
        self.listener = listener
        self._choir, self._ring, self._clock, self._ended = choir, ring, clock, ended
        self._row = listener.model.metadata.hop
        self._over = threading.Event()

    def start(self) -> None:
        """Take part from the next turn on."""
        self._choir.admit(self)

    def is_alive(self) -> bool:
        """Whether there may still be something to hear."""
        return not self._over.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end."""
        self._over.wait(timeout)

    def begin(self) -> None:
        """For the choir: before the first turn."""
        self.attempt(self.listener.begin, self._clock)

    def take(self) -> Block | None:
        """For the choir: what has come, in whole rows; None if there is nothing, and the end if there never will be."""
        block = self._ring.poll(self._row, CATCH_UP_ROWS * self._row)
        if block is None and self._ring.over and self.attempt(self.listener.finish):
            self._end(None)
        return block if block is not None and self.attempt(self.listener.meet, block) else None

    def attempt(self, act: Callable[..., None], *arguments: Any) -> bool:
        """Do it, and say whether it was done: what goes wrong is the end of this voice and of no other."""
        try:
            act(*arguments)
        except EarwitnessError as error:
            self._end(str(error))
        except Exception as error:  # noqa: BLE001 - and therefore whatever it is
            _LOG.critical("%s: %s: %s", self._choir.name, type(error).__name__, error)
            _LOG.debug("it came from here", exc_info=error)
            self._end(BROKEN)
        return self.is_alive()

    def _end(self, failure: str | None) -> None:
        self.listener.close()
        self._ended(failure)
        self._over.set()


class Choir:
    """Listens to its voices turn by turn, in a thread that is there as long as one of them is."""

    def __init__(self, name: str = "choir") -> None:
        self.name = name
        self._coming: list[Voice] = []
        self._voices: list[Voice] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def admit(self, voice: Voice) -> None:
        """From the next turn on."""
        with self._lock:
            self._coming.append(voice)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name=self.name, daemon=True)
                self._thread.start()

    def sing(self) -> bool:
        """One turn: what every ring holds becomes frames, scores and events; says whether there may be more at once."""
        heard = [(voice, block) for voice in self._voices if (block := voice.take()) is not None]
        if not heard:
            return False
        listeners, blocks = [voice.listener for voice, _ in heard], [block for _, block in heard]
        frames = push_all([listener.frontend for listener in listeners], blocks)
        scores = step_all([listener.model for listener in listeners], frames)
        for (voice, block), made, scored in zip(heard, frames, scores, strict=True):
            voice.attempt(voice.listener.tell, block, made, scored)
        return max(len(scored.values) for scored in scores) > 1

    def gather(self) -> bool:
        """Let in who has come, leave out who has ended, and say whether somebody is left."""
        with self._lock:
            coming, self._coming = self._coming, []
            self._voices += coming
            for voice in coming:
                voice.begin()
            self._voices = [voice for voice in self._voices if voice.is_alive()]
            if not self._voices:
                self._thread = None
        return bool(self._voices)

    def _go_on(self) -> None:
        due = time.monotonic()
        try:
            while self.gather():
                if not self.sing():
                    due = max(due + TURN_SECONDS, time.monotonic())
                    time.sleep(max(0.0, due - time.monotonic()))
        except BaseException:
            self._break_off()
            raise

    def _break_off(self) -> None:
        """What is done for all of them together went wrong."""
        with self._lock:
            broken = [*self._voices, *self._coming]
            self._voices, self._coming, self._thread = [], [], None
        for voice in broken:
            voice.attempt(_raise)


def _raise() -> None:
    raise EarwitnessError(BROKEN)
