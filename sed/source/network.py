"""A stream in the network (RTSP, HTTP): opened, watched, and opened again until it is stopped."""

import threading
import time

from sed.clock import SampleClock
from sed.config import SourceConfig
from sed.errors import DeviceError
from sed.ring import RingBuffer
from sed.signals import State
from sed.source.backoff import delays, jittered
from sed.source.capture import Capture, Chunk, Losses
from sed.source.stream import RefusalError, Sound, Stream, pyav

LOST_SECONDS = 1.0
"""Without sound for so long, a stream counts as lost; some seconds later its connection is given up."""

SILENT_SECONDS = 10.0
"""Of exact zeros: a camera whose microphone is switched off."""

LATE_SECONDS = 0.5
"""Sound that comes so late, and does not catch up, tells that some was lost before it."""

AHEAD_SECONDS = 8.0
"""Servers begin with what they have kept; sound that comes further ahead of its time is taken slowly."""

SPEED = 1.25
"""Times real time, for that."""

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before a lost stream is opened again, doubled each time; each drawn within a half of itself."""

REFUSED_DELAY = 300.0
"""Seconds, where the user or password was refused: cameras lock out who tries more often."""

STEADY_SECONDS = 10.0
"""Of sound, before the next loss is waited out from the shortest delay again."""

LOOK_SECONDS = 0.1
"""The longest wait without a look whether to stop."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Network(threading.Thread):
    """Writes a stream's sound into a ring, at the ring's rate, until it is stopped; then closes the ring.

    A stream that ends is one that was lost: it is opened again, with back-off. What is lost meanwhile is a jump in the
    ring. `state` and `reason` may be read by any thread; neither, nor any log, shows what is in the URL but its host.
    """

    def __init__(self, config: SourceConfig, ring: RingBuffer, rate: int) -> None:
        """`rate` is the ring's, in Hz. Raises DeviceError if PyAV is not installed, ConfigError for its password."""
        super().__init__(name=f"network {config.name}", daemon=True)
        pyav()
        self._address, self._shown = config.address(), config.shown
        self._ca_file = str(config.ca_file) if config.ca_file else None
        self._channel, self._gain_db = config.channel, config.gain_db
        self._ring = ring
        self.clock = SampleClock(rate)
        self.losses = Losses()
        self.opened = 0
        """How often sound began to come."""
        self._capture: Capture | None = None  # while connected
        self._rate = self._frame = 0  # Hz, and the frame expected next
        self._heard: float | None = None  # monotonic seconds; None without a connection
        self._flowed = self._quiet = 0.0  # seconds of sound since it began to come, and of zeros up to now
        self._ahead = 0.0  # seconds
        self._trouble = f"connecting to {self._shown}"
        self._stopped = self._ended = False

    @property
    def state(self) -> State:
        """How it is now."""
        heard = self._heard
        if self._ended:
            return "stopped"
        if heard is None or time.monotonic() - heard >= LOST_SECONDS:
            return "lost"
        return "silent" if self._quiet >= SILENT_SECONDS else "hearing"

    @property
    def reason(self) -> str:
        """Why it is not hearing, in one line."""
        stalled = f"{self._shown}: no sound has come for {LOST_SECONDS:g} s"
        reasons: dict[State, str] = {
            "lost": self._trouble if self._heard is None else stalled,
            "silent": f"{self._shown}: nothing but zeros for {SILENT_SECONDS:g} s: is its microphone switched off?",
            "stopped": "" if self._stopped else f"{self._shown}: it broke off in a way that nobody foresaw",
        }
        return reasons.get(self.state, "")

    def stop(self) -> None:
        """Hear no further; it only sets a flag. While PyAV waits for a server, the thread takes seconds to end."""
        self._stopped = True

    def run(self) -> None:
        """Listen until stopped."""
        try:
            self._keep_listening()
        finally:
            self._ended = True
            self._ring.close()

    def _keep_listening(self) -> None:
        waits = delays(FIRST_DELAY, LONGEST_DELAY)
        while not self._stopped:
            self._flowed = 0.0
            refused = False
            try:
                self._listen()
            except DeviceError as error:
                self._trouble, refused = f"{self._shown}: {error}", isinstance(error, RefusalError)
            self._heard = None
            if self._flowed >= STEADY_SECONDS:
                waits = delays(FIRST_DELAY, LONGEST_DELAY)
            self._pause(jittered(REFUSED_DELAY) if refused else next(waits))

    def _listen(self) -> None:
        """Connect, and bring sound into the ring until it breaks off. Raises DeviceError."""
        stream = Stream(self._address, self._ca_file)
        try:
            for sound in stream.sound():
                if self._stopped:
                    return
                if sound is not None:
                    self._take(sound)
        finally:
            if self._capture is not None:
                self._capture.close(broken=not self._stopped)
                self._capture = None
            stream.close()

    def _take(self, sound: Sound) -> None:
        channels = sound.samples.shape[1]
        if self._channel != "mix" and self._channel >= channels:
            raise DeviceError(f"it has no channel {self._channel}: it has {channels}, from 0")
        capture = self._tuned(sound.rate)
        seconds, now = len(sound.samples) / sound.rate, time.clock_gettime(_CLOCK)
        first = self._frame + round(self._believed(sound.lost, now - seconds) * sound.rate)
        samples = capture.bring(Chunk(first, sound.samples, seconds, now, time.time(), overflow=False))
        self._frame = first + len(samples)
        self._flowed += seconds
        self._quiet = 0.0 if samples.any() else self._quiet + seconds
        self._hold_up(seconds)

    def _tuned(self, rate: int) -> Capture:
        """What brings sound of this rate into the ring; a rate may change in the middle of a stream."""
        if self._capture is None:
            self._capture = Capture(
                self._ring, self.clock, rate, self._channel, self._gain_db, self.losses, late=LATE_SECONDS
            )
            self._frame = 0
        elif rate != self._rate:
            self._capture.retune(rate)
        self._rate = rate
        return self._capture

    def _believed(self, lost: float, began: float) -> float:
        """Seconds lost, as a time stamp says: some jump at a new programme, and then the sound comes in time."""
        expected = self.clock.captured(self._ring.end)
        return lost if lost and expected is not None and began - expected >= lost / 2.0 else 0.0

    def _hold_up(self, seconds: float) -> None:
        """Sound came: say so, and wait if there is too much of it at once."""
        now = time.monotonic()
        if self._heard is None:
            self.opened += 1
            self._ahead, self._heard = 0.0, now
        self._ahead = max(0.0, self._ahead - SPEED * (now - self._heard)) + seconds
        self._heard = now
        if self._ahead > AHEAD_SECONDS:
            self._pause((self._ahead - AHEAD_SECONDS) / SPEED)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0.0:
            time.sleep(min(left, LOOK_SECONDS))
