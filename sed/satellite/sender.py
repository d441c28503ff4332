"""A satellite's side: what a source hears is brought to a box, through as many connections as it takes."""

import logging
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

import zmq

from sed.clock import SampleClock
from sed.curve import Keys, PublicKey
from sed.message import Timekeeper
from sed.ring import RingBuffer
from sed.satellite.line import Line
from sed.satellite.outbox import Outbox
from sed.satellite.wire import (
    BEAT_SECONDS,
    BLOCK_SECONDS,
    DEAD_SECONDS,
    LONGEST_BLOCK,
    WINDOW_SECONDS,
    Audio,
    Bye,
    Format,
    Hello,
    Place,
    Refused,
    Status,
)
from sed.signals import State
from sed.source.backoff import delays

OUTBOX_SECONDS = 30.0
"""How long a box may be away without a loss."""

LOOK_SECONDS = 0.02
"""How long sound, or a word of the box, may lie unseen."""

CALL_SECONDS = 2.0
"""How long a box may take to answer a hello."""

FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0
"""Seconds before the box is called again, doubled each time; each drawn within a half of itself."""

LAST_SECONDS = 30.0
"""How long the last of the sound is held for a box that is away, if nobody wants us to stop."""

FAREWELL_SECONDS = 1.0
"""And if somebody does."""

HANG_UP_SECONDS = 0.2
"""How long the box may take to answer our last word."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_LOG = logging.getLogger(__name__)


class Heard(Protocol):
    """A source, as far as a sender needs it."""

    @property
    def clock(self) -> Timekeeper: ...  # noqa: D102
    @property
    def state(self) -> State: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102


class Sender:
    """Keeps what the box has not listened to yet, and says it again after a break."""

    def __init__(
        self,
        name: str,
        source: Heard,
        ring: RingBuffer,
        address: str,
        keys: tuple[Keys, PublicKey] | None = None,
        form: Format = "int16",
    ) -> None:
        """`keys` are ours and the box's."""
        rate = source.clock.sample_rate
        self._source, self._ring, self._address, self._keys, self._form = source, ring, address, keys, form
        self._hello = Hello(secrets.token_bytes(8), rate, name).encode()
        self._block, self._window = round(BLOCK_SECONDS * rate), round(WINDOW_SECONDS * rate)
        self._outbox = Outbox(round(OUTBOX_SECONDS * rate))
        self.stopped = False
        """Whether somebody wanted the end."""
        self._over = False
        self._until: float | None = None  # monotonic seconds: when to give up what is left
        self._told = ""
        self._place: Place | None = None  # in this connection; None before the welcome
        self._came, self._beat = 0.0, 0.0  # monotonic seconds: of the box's last word, and when ours is due

    @property
    def left(self) -> int:
        """Samples that the box did not take, those included that had to be given up."""
        return self._outbox.held + self._outbox.lost

    def stop(self) -> None:
        """Hear no further, and bring away what was heard if that can be done quickly; only sets flags."""
        self.stopped = True
        self._source.stop()

    def run(self) -> None:
        """Until the sound is over and the box has it, or nobody can wait any longer."""
        waits = delays(FIRST_DELAY, LONGEST_DELAY)
        with zmq.Context() as context:
            while not self._finished():
                with Line(context, self._address, self._keys) as line:
                    trouble = self._talk(line)
                if self._place is not None:
                    waits = delays(FIRST_DELAY, LONGEST_DELAY)
                if not self._finished():
                    self._tell(logging.WARNING, f"{self._address}: {trouble}; calls again")
                    self._rest(next(waits))

    def _talk(self, line: Line) -> str:
        """One connection, to its end; returns what ended it."""
        self._place, self._came, self._beat = None, time.monotonic(), 0.0
        self._outbox.rewind()
        line.say(self._hello)
        while not self._finished():
            self._collect()
            for word in line.hear(LOOK_SECONDS):
                self._came = time.monotonic()
                if isinstance(word, Place):
                    self._follow(word)
                elif isinstance(word, Refused):
                    return f"refused: {word.reason}"
                else:
                    line.say(Bye().encode())
                    return "the box has ended"
            if line.trouble:
                return line.trouble
            if time.monotonic() - self._came > (CALL_SECONDS if self._place is None else DEAD_SECONDS):
                return "no answer" if self._place is None else f"no word for {DEAD_SECONDS:g} s"
            self._say(line)
        self._hang_up(line)
        return ""

    def _hang_up(self, line: Line) -> None:
        """Say the last word, and wait for the answer: TCP takes it back if we leave with something still to read."""
        until = time.monotonic() + HANG_UP_SECONDS
        line.say(Bye().encode())
        while not line.trouble and (rest := until - time.monotonic()) > 0.0:
            if any(isinstance(word, Bye) for word in line.hear(rest)):
                return

    def _follow(self, place: Place) -> None:
        if self._place is None:
            self._tell(logging.INFO, f"{self._address}: listens to us")
        self._place = place
        self._outbox.acknowledge(place.next)

    def _say(self, line: Line) -> None:
        """First what time it is, then sound, as much as the box wants."""
        if self._place is None:
            return
        now = time.monotonic()
        if now >= self._beat and line.say(self._status(self._place, now).encode()):
            self._beat = now + BEAT_SECONDS
        for audio in self._outbox.sendable(self._place.next, self._window):
            if not line.say(audio.encode(self._form)):
                break

    def _status(self, place: Place, now: float) -> Status:
        clock = self._source.clock
        behind = clock.wall_step if isinstance(clock, SampleClock) else 0.0
        moment = round((time.time() - behind) * 1e6)
        return Status(self._source.state, self._source.reason, moment, place.tick, round((now - self._came) * 1e9))

    def _collect(self) -> None:
        """Whatever was heard goes into the outbox, also while there is no box."""
        while (block := self._ring.poll(self._block, LONGEST_BLOCK // self._block * self._block)) is not None:
            moment = (self._source.clock.utc(block.start) - _EPOCH) // timedelta(microseconds=1)
            lost = self._outbox.lost
            self._outbox.put(Audio(block.start, moment, block.samples))
            if self._outbox.lost and not lost:
                self._tell(logging.WARNING, f"the box is away for more than {OUTBOX_SECONDS:g} s: sound is lost")
        if self._ring.over and not self._over:
            self._over, self._until = True, time.monotonic() + LAST_SECONDS

    def _finished(self) -> bool:
        """Whether there is nothing more to bring, or no time to bring it."""
        now = time.monotonic()
        if self.stopped:
            self._until = min(self._until or now + FAREWELL_SECONDS, now + FAREWELL_SECONDS)
        return (self._over and self._outbox.held == 0) or (self._until is not None and now >= self._until)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._finished() and time.monotonic() < until:
            self._collect()
            time.sleep(LOOK_SECONDS)

    def _tell(self, level: int, text: str) -> None:
        """Once, however often it happens on end."""
        if text != self._told:
            self._told = text
            _LOG.log(level, "%s", text)
