"""A microphone: opened by name, watched, and opened again until it is stopped."""

import threading
import time

from sed.clock import SampleClock
from sed.config import SourceConfig
from sed.errors import DeviceError
from sed.ring import RingBuffer
from sed.signals import State
from sed.source.backoff import delays
from sed.source.capture import Capture, Losses
from sed.source.portaudio import Device, portaudio

LOST_SECONDS = 1.0
"""Without sound for so long, a microphone counts as lost."""

FIRST_SECONDS = 5.0
"""Until the first sound of one that was just opened: Bluetooth, or a server that slept, may take a few."""

SILENT_SECONDS = 10.0
"""Of exact zeros: no microphone is that quiet, it is muted or not the one that was meant."""

LOOK_SECONDS = 0.1
"""The longest wait without a look whether to stop."""

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before a lost microphone is looked for again, doubled each time; each drawn within a half of itself."""

MIXED = 8
"""Virtual devices claim 32 channels or more; of those that claim more than this, the first two are mixed."""


class Microphone(threading.Thread):
    """Writes a microphone's sound into a ring, at the ring's rate, until it is stopped; then closes the ring.

    PortAudio's callback copies a block into a queue and returns; this thread takes it from there, so that resampling
    can never hold up PortAudio. It is never another device than the one of that name; what is lost meanwhile is a jump
    in the ring. `state` and `reason` may be read by any thread.
    """

    def __init__(self, config: SourceConfig, ring: RingBuffer, rate: int) -> None:
        """`rate` is the ring's, in Hz. Raises DeviceError if PortAudio is not installed."""
        super().__init__(name=f"microphone {config.name}", daemon=True)
        self._device = config.rest.strip()
        self._channel, self._gain_db = config.channel, config.gain_db
        self._ring, self._rate = ring, rate
        self._portaudio = portaudio()
        self._stopped = False
        self.clock = SampleClock(rate)
        self.state: State = "lost"
        self.reason = "not opened yet"
        self.opened = 0
        """How often sound began to come."""
        self.losses = Losses()

    def stop(self) -> None:
        """Hear no further; the ring is closed soon. It only sets a flag: a signal's handler may call it."""
        self._stopped = True

    def run(self) -> None:
        """Listen until stopped."""
        try:
            self._keep_listening()
        finally:
            self.state, self.reason = "stopped", ""
            self._ring.close()

    def _keep_listening(self) -> None:
        waits = delays(FIRST_DELAY, LONGEST_DELAY)
        while not self._stopped:
            opened = self.opened
            try:
                self._listen()
            except DeviceError as error:
                self._lose(str(error))
            if self._stopped or self._portaudio.stale:  # make way for a moment, then begin again
                continue
            if self.opened > opened:
                waits = delays(FIRST_DELAY, LONGEST_DELAY)
            self._pause(next(waits))
            self._portaudio.look_again(self._device)

    def _listen(self) -> None:
        """Open the device, and bring its sound into the ring until it breaks off. Raises DeviceError."""
        device = self._portaudio.find(self._device)
        channels = self._channels(device)
        rate = self._rate if not self._portaudio.refused(device, channels, self._rate) else device.rate
        capture = Capture(self._ring, self.clock, rate, self._channel, self._gain_db, self.losses)
        stream = self._portaudio.open(device, channels, rate, capture.callback, capture.finished.set)
        try:
            capture.longest_age = stream.latency
            self._follow(capture, rate)
        finally:
            capture.close(broken=not self._stopped)
            self._portaudio.close(stream)

    def _channels(self, device: Device) -> int:
        """How many to open: two at least, for a server would mix two into one that is asked for."""
        if self._channel == "mix":
            return device.channels if device.channels <= MIXED else 2
        if self._channel >= device.channels:
            raise DeviceError(f"{device.name!r} has no channel {self._channel}: it has {device.channels}, from 0")
        return max(self._channel + 1, min(2, device.channels))

    def _follow(self, capture: Capture, rate: float) -> None:
        """Take what comes while it comes. A loss is told before the stream is closed: a server may hang over that."""
        missing, quiet, patience = 0.0, 0.0, FIRST_SECONDS
        while not self._stopped and not self._portaudio.stale:
            samples = capture.take(LOOK_SECONDS)
            if samples is not None:
                quiet = 0.0 if samples.any() else quiet + len(samples) / rate
                missing, patience = 0.0, LOST_SECONDS
                self._judge(quiet)
                continue
            missing += LOOK_SECONDS  # and not what a clock says: a process that was stopped has missed nothing yet
            if capture.finished.is_set():
                self._lose("the device or its audio server has gone")
                return
            if missing >= patience:
                self._lose(f"no sound has come for {patience:g} s")
                return
        if not self._stopped:
            self._lose("devices are looked for again")

    def _lose(self, reason: str) -> None:
        self.state, self.reason = "lost", reason

    def _judge(self, quiet: float) -> None:
        """Sound comes; `quiet` tells for how many seconds there was nothing in it."""
        self.opened += self.state == "lost"
        if quiet >= SILENT_SECONDS:
            self.state, self.reason = "silent", f"nothing but zeros for {SILENT_SECONDS:g} s: muted, or the wrong input"
        else:
            self.state, self.reason = "hearing", ""

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0.0:
            time.sleep(min(left, LOOK_SECONDS))
