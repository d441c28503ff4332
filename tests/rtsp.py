"""A camera without hardware: a real RTSP server (GStreamer's) that plays a sound in real time; frozen and killed."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from tests.broker import eventually, free_port
from tests.microphone import PERIOD, Shorts, ramp

RATE = 16_000
START_SECONDS = 30.0
INSTALL = "apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
PYTHON = "/usr/bin/python3"
"""Debian's, which has GStreamer's bindings."""

SERVER = """
import sys, time, gi
gi.require_version("Gst", "1.0"), gi.require_version("GstRtsp", "1.0"), gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer as Rtsp

port, path, rate, channels, user, password, begun = sys.argv[1:]
rate, size, begun = int(rate), 2 * int(channels), float(begun)
loop = open(path, "rb").read()
Gst.init(None)
caps = f"audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels={channels}"
sound = f"appsrc name=sound is-live=true format=time do-timestamp=true caps={caps} ! audioconvert ! audioresample ! "
picture = "videotestsrc is-live=true ! video/x-raw,width=32,height=32,framerate=10/1 ! rtpvrawpay name=pay0 "
paths = {
    "/sound": sound + "rtpL16pay name=pay0",
    "/opus": sound + "opusenc ! rtpopuspay name=pay0",
    "/telephone": sound + "mulawenc ! rtppcmupay name=pay0",
    "/picture": picture,
    "/both": picture + sound + "rtpL16pay name=pay1",
}

def feed(_, media):
    source = media.get_element().get_by_name("sound")
    if source is None:
        return
    at = round((time.monotonic() - begun) * rate)
    def push():
        nonlocal at
        start, at = at, round((time.monotonic() - begun) * rate)
        if at - start > rate // 2:  # the camera hung: what sounded meanwhile is lost
            start = at - rate // 50
        first, length = start * size % len(loop), (at - start) * size
        data = (loop * (2 + length // len(loop)))[first : first + length]
        return source.emit("push-buffer", Gst.Buffer.new_wrapped(data)) == Gst.FlowReturn.OK
    GLib.timeout_add(20, push)

server = Rtsp.RTSPServer(address="127.0.0.1", service=port)
if user:
    auth, token = Rtsp.RTSPAuth(), Rtsp.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
for name, launch in paths.items():
    factory = Rtsp.RTSPMediaFactory()
    factory.set_launch(f"( {launch} )")
    factory.connect("media-configure", feed)
    if user:
        permissions = Rtsp.RTSPPermissions()
        for what in ("access", "construct"):
            permissions.add_permission_for_role("user", "media.factory." + what, True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory(name, factory)
if not server.attach(None):
    sys.exit("the port is taken")
print("ready", flush=True)
GLib.MainLoop().run()
"""


class Camera:
    """A `with` starts it; it plays `sound`, from the beginning of its time on, again and again.

    `/sound` is bit for bit what it plays, `/opus` and `/telephone` are what cameras send, `/picture` has no sound and
    `/both` has it beside a picture.
    """

    def __init__(
        self, folder: Path, sound: Shorts | None = None, channels: int = 1, user: str = "", password: str = ""
    ) -> None:
        if shutil.which(PYTHON) is None or subprocess.run([PYTHON, "-c", _LOOK], check=False, stderr=-3).returncode:
            pytest.fail(f"no RTSP server; install it with: {INSTALL}")
        self.port = free_port()
        self.begun = time.monotonic()
        """When sample 0 of `sound` was played."""
        loop = folder / f"loop-{self.port}.raw"
        loop.write_bytes((ramp(0, PERIOD) if sound is None else sound).astype("<i2").tobytes())
        arguments = (self.port, loop, RATE, channels, user, password, self.begun)
        self._command = [PYTHON, "-c", SERVER, *map(str, arguments)]
        self._log = folder / f"rtsp-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, path: str = "/sound", user: str = "") -> str:
        return f"rtsp://{user}{'@' if user else ''}127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """Run, and return when it takes connections."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        eventually(lambda: b"ready" in self._log.read_bytes(), START_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait(10.0)
            self._process = None

    def freeze(self) -> None:
        """Let it hang: connections stay, nothing comes."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()


_LOOK = "import gi; gi.require_version('GstRtspServer', '1.0')"


def late(value: float, told: float) -> float:
    """Seconds that `told`, counted from a camera's beginning, is after the time the ramp tells."""
    error = (told * RATE - (np.round(value * 32768) - 1) + PERIOD / 2) % PERIOD - PERIOD / 2
    return float(error / RATE)
