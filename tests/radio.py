"""A radio station: a real HTTP server that sends recordings at their pace, as Icecast does; it stalls and goes away."""

import base64
import contextlib
import io
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import av
import numpy as np
import soundfile

from sed.signals import Floats
from tests.broker import free_port

PIECE_SECONDS = 0.02
META_BYTES = 4000
TITLE = b"\x02StreamTitle='Something'; ".ljust(33, b"\0")


class Radio:
    """A `with` starts it. `programmes` are (bytes, seconds that they last) by path; 0 seconds are sent at once.

    The first `burst` seconds are sent at once. `user` is USER:PASSWORD, of the only one who is let in.
    After `pauses[path]` bytes, if given, it stops for so many seconds.
    """

    def __init__(
        self,
        programmes: Mapping[str, tuple[bytes, float]],
        burst: float = 0.0,
        pauses: Mapping[str, tuple[int, float]] | None = None,
        tls: Mapping[str, Path] | None = None,
        user: str = "",
    ) -> None:
        self.programmes, self.burst, self.pauses = programmes, burst, pauses or {}
        self.port, self._tls = free_port(), tls
        self.key = f"Basic {base64.b64encode(user.encode()).decode()}" if user else ""
        self.requests: list[str] = []
        self.on_air, self.closed = threading.Event(), threading.Event()
        self.on_air.set()
        self._server: ThreadingHTTPServer | None = None

    def url(self, path: str, user: str = "") -> str:
        return f"{'https' if self._tls else 'http'}://{user}{'@' if user else ''}127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        self.closed.clear()
        station = self

        class Listener(_Listener):
            radio = station

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Listener)
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls["certificate"], self._tls["key"])
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._server.daemon_threads = False
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="radio").start()

    def stop(self) -> None:
        """Go away; whoever listens is cut off."""
        self.closed.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class _Listener(BaseHTTPRequestHandler):
    radio: Radio

    def do_GET(self) -> None:
        self.radio.requests.append(self.path)
        if self.radio.key and self.headers["Authorization"] != self.radio.key:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="radio"')
            self.end_headers()
            return
        if self.path not in self.radio.programmes:
            self.send_error(404)
            return
        data, seconds = self.radio.programmes[self.path]
        self.send_response(200)
        self.send_header("Content-Type", "audio/mpeg" if self.path.endswith("mp3") else "application/octet-stream")
        if meta := "Icy-MetaData" in self.headers and self.path.endswith("mp3"):
            self.send_header("icy-metaint", str(META_BYTES))
            self.send_header("icy-name", "Yard")
            data = b"".join(data[n : n + META_BYTES] + TITLE for n in range(0, len(data), META_BYTES))
        self.end_headers()
        assert not meta or len(TITLE) % 16 == 1
        with contextlib.suppress(OSError):
            self._send(data, seconds)

    def _send(self, data: bytes, seconds: float) -> None:
        pause_at, pause = self.radio.pauses.get(self.path, (len(data), 0.0))
        begun, sent = time.monotonic(), 0
        while sent < len(data) and not self.radio.closed.is_set():
            self.radio.on_air.wait(0.1)
            if not self.radio.on_air.is_set():
                continue
            due = (time.monotonic() - begun + self.radio.burst) / seconds if seconds else 1.0
            end = min(round(due * len(data)), len(data), pause_at if sent < pause_at else len(data))
            self.wfile.write(data[sent:end])
            sent = end
            if sent == pause_at and pause:
                self.radio.closed.wait(pause)
                begun, pause = begun + pause, 0.0
            self.radio.closed.wait(PIECE_SECONDS if seconds else 0.0)

    def log_message(self, *words: object) -> None:
        """Not among the tests' output."""


def encoded(sound: Floats, rate: int, kind: str) -> bytes:
    """FLAC, MP3 or OGG (Vorbis), (n,) or (n, channels)."""
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind)
    return file.getvalue()


def stamped(sound: Floats, rate: int, jump: tuple[int, float] = (0, 0.0)) -> bytes:
    """Matroska (PCM), whose time stamps are `jump[1]` seconds further on from sample `jump[0]` on."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for start in range(0, len(sound), rate // 50):
            piece = (sound[start : start + rate // 50] * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
            frame.sample_rate = rate
            frame.pts = start + round(jump[1] * rate) * (start >= jump[0])
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
