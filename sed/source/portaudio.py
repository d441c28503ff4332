"""PortAudio, which a process has once: the devices it knows of, opened by name, and looked for again when they change.

The only module that knows sounddevice.
"""

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sed.errors import DeviceError

LATENCY = 0.1
"""Seconds of buffer asked for: a callback may come so late without a loss. PulseAudio hands over 40 ms at a time then,
and the process wakes up less often than with a shorter one."""

BLOCK_SECONDS = 0.04
"""Of sound in each callback: what makes a row of scores."""

LOOK_SECONDS = 20.0
"""How long a fresh process may take to list the devices."""

EXIT_SECONDS = 0.5
"""How long the end of the process waits for a stream that is being closed: its audio server may hang."""

RENEWAL_SECONDS = 5.0
"""How long an open stream may take to make way while devices are looked for again."""

_LOOK = "import json, sounddevice as s; print(json.dumps([d['name'] for d in s.query_devices()]))"


@dataclass(frozen=True, slots=True)
class Device:
    """Something with an input, as PortAudio lists it."""

    listing: int  # which list of devices the index belongs to
    index: int
    name: str
    host_api: str
    channels: int
    rate: float  # Hz, the one it prefers
    default: bool


class PortAudio:
    """Opens streams and counts the open ones: to look for devices again ends them all, so they are asked first."""

    def __init__(self) -> None:
        """Raises DeviceError if PortAudio is not installed."""
        try:
            import sounddevice
        except OSError as error:
            raise DeviceError(
                "microphone: PortAudio is not installed; install it with: sudo apt-get install libportaudio2"
            ) from error
        self._sounddevice = sounddevice
        atexit.unregister(sounddevice._exit_handler)
        atexit.register(self._leave)
        self._turn = threading.Condition()
        self._open = 0
        self._listing = 0
        self._stale = False

    @property
    def stale(self) -> bool:
        """Whether open streams shall be closed and opened again, so that devices can be looked for."""
        return self._stale

    def inputs(self) -> list[Device]:
        """What can be listened to, as far as is known."""
        with self._turn:
            self._turn.wait_for(lambda: not self._stale, RENEWAL_SECONDS)
            return self._inputs()

    def find(self, name: str) -> Device:
        """The device of that name, or the only one whose name has it as a part; the default one for no name.

        Raises DeviceError if there is none, or no single one.
        """
        devices = self.inputs()
        if not name:
            found = [device for device in devices if device.default]
        else:
            found = [device for device in devices if device.name == name]
            found = found or [device for device in devices if name.casefold() in device.name.casefold()]
        if len(found) == 1:
            return found[0]
        raise DeviceError(_not_found(name, found or devices, several=bool(found)))

    def refused(self, device: Device, channels: int, rate: float) -> str:
        """Why the device cannot be opened so; empty if it can."""
        with self._turn:
            try:
                self._sounddevice.check_input_settings(device.index, channels, "float32", None, rate)
            except self._sounddevice.PortAudioError as error:
                return _reason(error)
        return ""

    def open(
        self, device: Device, channels: int, rate: float, callback: Callable[..., None], finished: Callable[[], None]
    ) -> Any:
        """A running stream, to be given back to `close`. Raises DeviceError if the device refuses."""
        with self._turn:
            if device.listing != self._listing:  # its index may be another device's by now
                raise DeviceError(f"{device.name!r}: devices have changed while it was opened")
            try:
                stream = self._sounddevice.InputStream(
                    rate, round(rate * BLOCK_SECONDS), device.index, channels, "float32", LATENCY,
                    callback=callback, finished_callback=finished,
                )  # fmt: skip
                stream.start()
            except self._sounddevice.PortAudioError as error:
                raise DeviceError(f"{device.name!r} cannot be opened ({_reason(error)})") from error
            self._open += 1
            return stream

    def open_output(self, name: str, rate: int, callback: Callable[..., None]) -> Any:
        """A running stream with one channel to the output of that name, or the default one; given back to `close`.

        Raises DeviceError if there is none, or it refuses.
        """
        with self._turn:
            try:
                stream = self._sounddevice.OutputStream(
                    rate, round(rate * BLOCK_SECONDS), name or None, 1, "float32", LATENCY, callback=callback
                )
                stream.start()
            except (self._sounddevice.PortAudioError, ValueError) as error:  # the latter for a name
                raise DeviceError(f"loudspeaker {name!r} cannot be opened ({_reason(error)})") from error
            self._open += 1
            return stream

    def close(self, stream: Any) -> None:
        """End a stream; the last one to make way looks for the devices."""
        with self._turn:
            stream.close(ignore_errors=True)
            self._open -= 1
            if self._stale and not self._open:
                self._renew()

    def look_again(self, name: str) -> None:
        """Look for devices again: at once if no stream is open, else only if that would find one of that name."""
        with self._turn:
            if not self._open:
                self._renew()
                return
            if any(name.casefold() in device.name.casefold() for device in self._inputs()):
                return
        if name and any(name.casefold() in other.casefold() for other in _seen_afresh()):
            with self._turn:
                self._stale = bool(self._open)

    def _inputs(self) -> list[Device]:
        sounddevice = self._sounddevice
        default = sounddevice.default.device[0]
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        return [
            Device(self._listing, each["index"], each["name"], apis[each["hostapi"]], each["max_input_channels"],
                   each["default_samplerate"], each["index"] == default)
            for each in sounddevice.query_devices()
            if each["max_input_channels"] > 0
        ]  # fmt: skip

    def _renew(self) -> None:
        """What sounddevice itself does when it is imported and at the end; it offers no other way."""
        self._sounddevice._terminate()
        self._sounddevice._initialize()
        self._listing += 1
        self._stale = False
        self._turn.notify_all()

    def _leave(self) -> None:
        """At the end of the process: what sounddevice does then, unless that would wait for ever."""
        if self._turn.acquire(timeout=EXIT_SECONDS):
            self._sounddevice._exit_handler()


@cache
def portaudio() -> PortAudio:
    """The process's own. Raises DeviceError if it is not installed."""
    return PortAudio()


def _seen_afresh() -> list[str]:
    """The devices that a new process sees: PortAudio reads their list but once."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LOOK], capture_output=True, check=True, timeout=LOOK_SECONDS, text=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    names: list[str] = json.loads(done.stdout)
    return names


def _not_found(name: str, devices: list[Device], *, several: bool) -> str:
    names = ", ".join(repr(device.name) for device in devices) or "none"
    if several:
        return f"{name!r} is the name of several: {names}; give one in full"
    if name:
        return f"no microphone {name!r} (there are: {names}); plug it in, or see 'earwitness devices'"
    return f"no default microphone (there are: {names}); plug one in, or start the audio server"


def _reason(error: Exception) -> str:
    """PortAudio's own words, without the name of the call."""
    text = str(error.args[0]) if error.args else str(error)
    return text.removeprefix("Error opening InputStream: ").removeprefix("Error starting stream: ")
