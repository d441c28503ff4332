"""A microphone without hardware: a private PulseAudio whose source is a pipe, fed in real time; plugged and killed."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pytest

from sed.ring import RingBuffer
from sed.signals import Block, Floats
from tests.broker import eventually

RATE = 16_000
START_SECONDS = 120.0
PERIOD = 30_000  # of the ramp
NEEDS = ("pulseaudio", "pactl")
INSTALL = "apt-get install libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins"

CLIENT = "autospawn = no\nenable-shm = no\n"
"""PulseAudio 16 may hang for ever when a server dies whose shared memory is being read (`pa_memimport_free`)."""

Shorts = npt.NDArray[np.int16]
Sound = Callable[[int, int], Shorts]
"""The samples from one number to another; with channels, (n, channels)."""


def ramp(start: int, end: int) -> Shorts:
    """Samples that tell their own number; never zero."""
    return (np.arange(start, end) % PERIOD + 1).astype(np.int16)


def zeros(start: int, end: int) -> Shorts:
    return np.zeros(end - start, np.int16)


class VirtualMicrophone:
    """A `with` gives it a thread that plays `sound`; `plug` starts the audio server, and `kill` ends it.

    PortAudio knows it by `name`, through an ALSA configuration in `folder`, in this process and its children only.
    """

    def __init__(self, folder: Path, name: str = "yard", channels: int = 1) -> None:
        missing = [program for program in NEEDS if shutil.which(program) is None]
        if missing:
            pytest.fail(f"{', '.join(missing)} not found; install it with: {INSTALL}")
        self.name = name
        self.sound: Sound | None = ramp
        """What is played; None is nothing at all."""
        self._channels = channels
        self._home, self._folder = folder, folder / name
        self._pipe, self._socket = self._folder / "pipe", self._folder / "socket"
        self._server: subprocess.Popen[bytes] | None = None
        self._before: dict[str, str] = {}
        self.begun = datetime.now(UTC)
        """When sample 0 of `sound` was played."""
        self._ended = threading.Event()
        self._feeder = threading.Thread(target=self._feed, name=f"virtual microphone {name}")

    def plug(self) -> None:
        """Start the audio server, and return when it has its source."""
        for left in (self._pipe, self._socket):
            left.unlink(missing_ok=True)
        source = f"module-pipe-source source_name=pipe file={self._pipe} format=s16le rate={RATE}"
        modules = [f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"]
        modules.append(f"{source} channels={self._channels}")
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
        self._server = subprocess.Popen(
            [*command, *(f"--load={module}" for module in modules)], env=self._environment(), stderr=subprocess.DEVNULL
        )
        eventually(self._listed, START_SECONDS)

    def kill(self) -> None:
        """End the audio server as a crash would."""
        if self._server:
            self._server.kill()
            self._server.wait(START_SECONDS)
            self._server = None

    def freeze(self) -> None:
        """Let the audio server hang."""
        if self._server:
            self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._server:
            self._server.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self._folder.mkdir()
        with (self._home / ".asoundrc").open("a") as file:
            file.write(f'pcm.{self.name} {{ type pulse server "unix:{self._socket}" }}\n')
        settings = self._folder / "client.conf"
        settings.write_text(CLIENT)
        self._before = dict(os.environ)
        os.environ |= {
            "HOME": str(self._home),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_CLIENTCONFIG": str(settings),
        }
        self._feeder.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._feeder.join(START_SECONDS)
        self.kill()
        os.environ.clear()
        os.environ.update(self._before)

    def _environment(self) -> dict[str, str]:
        own = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(self._folder))
        return os.environ | own | {"PULSE_SERVER": f"unix:{self._socket}"}

    def _listed(self) -> bool:
        done = subprocess.run(
            ["pactl", "list", "short", "sources"], capture_output=True, text=True, env=self._environment(), check=False
        )
        return "pipe" in done.stdout

    def _feed(self) -> None:
        """Write what has been heard since the last time, as a sound card would."""
        self.begun, begun, number, pipe = datetime.now(UTC), time.monotonic(), 0, -1
        while not self._ended.wait(0.01):
            end = round((time.monotonic() - begun) * RATE)
            try:
                if pipe < 0:
                    pipe = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
                if self.sound is not None:
                    os.write(pipe, self.sound(number, end).tobytes())
            except BlockingIOError:
                pass  # nobody listens
            except OSError:  # there is no server
                with contextlib.suppress(OSError):
                    os.close(pipe)
                pipe = -1
            number = end
        if pipe >= 0:
            os.close(pipe)


class Listening:
    """What came out of a ring so far, read by a thread while a `with` lasts."""

    def __init__(self, ring: RingBuffer) -> None:
        self.blocks: list[Block] = []
        self._ring = ring
        self._thread = threading.Thread(target=lambda: self.blocks.extend(ring.blocks(160)), name="listening")

    @property
    def heard(self) -> int:
        """Samples."""
        return sum(len(block.samples) for block in self.blocks)

    @property
    def lost(self) -> int:
        """Samples, as far as was read."""
        return self._ring.lost

    def samples(self) -> Floats:
        return np.concatenate([block.samples for block in self.blocks])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ring.close()
        self._thread.join(START_SECONDS)
