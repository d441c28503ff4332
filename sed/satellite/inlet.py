"""A source that a satellite brings its sound to."""

import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from sed.config import SourceConfig
from sed.ring import RingBuffer
from sed.satellite.clock import FarClock
from sed.satellite.wire import DEAD_SECONDS, Audio, Place, Status
from sed.signals import State

BRIDGED_SECONDS = 30.0
"""How long a satellite may be away before what sounded then counts as over: for so long it can go on where it was."""

LONGEST_GAP_SECONDS = 86_400.0
"""Between two runs of a satellite: more is not counted, whatever its clock says; times are right all the same."""

_LOG = logging.getLogger(__name__)


class Inlet:
    """One satellite's sound on its way into the ring; all of it happens in the port's thread but `start` and `join`.

    The satellite counts its own samples; within a session the ring's are the same with an offset.
    """

    def __init__(self, config: SourceConfig, ring: RingBuffer, rate: int, admit: "Callable[[Inlet], None]") -> None:
        """`rate` is the ring's, in Hz, and has to be the satellite's; `admit` lets satellites come."""
        self.name, self.satellite = config.name, config.satellite
        self.rate = rate
        self.clock = FarClock(rate)
        self.peer: bytes | None = None
        """Where the satellite is, as ZeroMQ's ROUTER knows it; None if nobody has come, or said goodbye."""
        self.stopped = False
        self.duplicates = 0
        """Samples that came twice."""
        self._ring, self._admit = ring, admit
        self._gain = np.float32(10.0 ** (config.gain_db / 20.0))
        self._session = b""
        self._expected: int | None = None  # the satellite's next sample; None before the first one of a session
        self._offset = 0  # what to add to the satellite's sample numbers
        self._came = 0.0  # monotonic seconds: of its last word
        self._cut = True  # whether the sound was told to be over, and there was none since
        self._ended = threading.Event()
        self._condition: tuple[State, str] = ("lost", "its satellite has not come yet")

    @property
    def state(self) -> State:
        """How it is now."""
        return self._condition[0]

    @property
    def reason(self) -> str:
        """Why it is not hearing, in one line."""
        return self._condition[1]

    def start(self) -> None:
        """Let the satellite come."""
        self._admit(self)

    def stop(self) -> None:
        """Take no more; only sets a flag."""
        self.stopped = True

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end."""
        self._ended.wait(timeout)

    def taken(self, session: bytes, now: float) -> bool:
        """Whether another satellite is here, and well."""
        return self.peer is not None and session != self._session and now - self._came < DEAD_SECONDS

    def greet(self, peer: bytes, session: bytes, now: float) -> None:
        """A satellite has come, or come again."""
        if session != self._session:
            self._session, self._expected = session, None
        self.peer, self._came = peer, now

    def place(self, *, welcome: bool = False) -> Place:
        """What the satellite shall send next; everything before that was listened to."""
        wanted = 0 if self._expected is None else max(0, self._ring.position - self._offset)
        return Place(min(wanted, self._expected or 0), time.monotonic_ns(), welcome)

    def hear(self, audio: Audio, now: float) -> None:
        """Sound, or word of a loss."""
        self._came = now
        if self._expected is None:
            self._begin(audio)
        expected = self._expected or 0
        if audio.first > expected:
            self._ring.skip(audio.first - expected)
        samples = audio.samples[max(0, expected - audio.first) :]
        self.duplicates += len(audio.samples) - len(samples)
        if len(samples):
            first = audio.end - len(samples)
            self.clock.observe(self._ring.end, audio.moment / 1e6 + (first - audio.first) / self.rate)
            self._ring.write(samples * self._gain)
            self._cut = False
        self._expected = max(expected, audio.end)

    def note(self, status: Status, now: float) -> None:
        """How the satellite's own source is, and its time."""
        self._came = now
        state: State = "lost" if status.state == "stopped" else status.state
        reason = status.reason or ("its sound is over" if status.state == "stopped" else "")
        self._condition = state, f"its satellite: {reason}" if reason else ""
        round_trip = (time.monotonic_ns() - status.echo - status.held) / 1e9
        if status.echo and self.clock.compare(time.time(), status.moment / 1e6, round_trip):
            self._tell_correction()

    def leave(self, reason: str) -> None:
        """No more comes from this satellite."""
        self.peer = None
        self.lose(reason)
        self._cut_off()

    def lose(self, reason: str) -> None:
        """Nothing comes now."""
        self._condition = "lost", reason

    def look(self, now: float) -> None:
        """See whether it is still there."""
        if self.peer is not None and now - self._came >= DEAD_SECONDS:
            self.lose(f"no word from its satellite for {DEAD_SECONDS:g} s")
        if now - self._came >= BRIDGED_SECONDS:
            self._cut_off()

    def close(self) -> None:
        """Nothing more will be written."""
        self._ring.close()

    @property
    def drained(self) -> bool:
        """Whether all has been listened to."""
        return self._ring.over

    def end(self) -> None:
        """The last step."""
        self._condition = "stopped", ""
        self._ring.close()
        self._ended.set()

    def _begin(self, audio: Audio) -> None:
        """A session's first sample: where it lies behind what came before is known from its time only."""
        before = self.clock.seconds(self._ring.end)
        if before is not None:
            gap = min(audio.moment / 1e6 + self.clock.correction - before, LONGEST_GAP_SECONDS)
            self._ring.skip(max(1, round(gap * self.rate)))
        self._expected, self._offset = audio.first, self._ring.end - audio.first

    def _cut_off(self) -> None:
        """An empty gap of one sample, at the cost of the next one: what sounds is over."""
        if not self._cut and self._expected is not None:
            self._ring.skip(1)
            self._expected += 1
            self._cut = True

    def _tell_correction(self) -> None:
        off = self.clock.correction
        if off:
            side = "behind" if off > 0 else "ahead of"
            _LOG.warning(
                "source %s: its satellite's clock is %.1f s %s ours, event times are corrected by that; set the clock"
                " that is wrong (NTP)", self.name, abs(off), side,
            )  # fmt: skip
        else:
            _LOG.warning("source %s: its satellite's clock is right again", self.name)
