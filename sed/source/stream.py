"""One connection to a stream in the network, through PyAV (FFmpeg): opened, decoded, closed."""

import errno
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from sed.errors import DeviceError
from sed.signals import Floats

if TYPE_CHECKING:
    from av import AudioFrame

OPEN_SECONDS = 10.0
"""How long a server may take to let us in, and again to say what it sends."""

READ_SECONDS = 5.0
"""Without sound for so long, the connection is given up."""

JUMP_SECONDS = 0.1
"""Time stamps that jump by less than this tell of jitter and not of a loss."""

LOUDEST = 8.0
"""Times full scale; samples beyond this, or not a number, are no sound."""

_TLS = ("https", "rtsps")
_HTTP = "http,https,httpproxy,tls,tcp,crypto,data"
_NO_SOUND = "it has no sound; switch the sound on at the camera or server"


class RefusalError(DeviceError):
    """A server does not let this user in."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What one packet held."""

    samples: Floats  # (n, channels)
    rate: int  # Hz
    lost: float  # seconds missing before it, if its time stamp is to be believed


def pyav() -> Any:
    """The library. Raises DeviceError if it is not installed."""
    try:
        import av
    except ImportError as error:
        raise DeviceError(
            f"network streams need PyAV ({error}); install it with: pip install 'earwitness[rtsp]'"
        ) from error
    return av


class Stream:
    """The sound of one connection; pictures are not even asked for. No error shows the address.

    A thread inside PyAV cannot be called back: it returns within OPEN_SECONDS or READ_SECONDS.
    """

    def __init__(self, address: str, ca_file: str | None = None) -> None:
        """Connect. Raises DeviceError."""
        av = pyav()
        self._errors = av.error
        self._due: float | None = None  # the next time stamp, in seconds
        _look_up(address)
        begun = time.monotonic()
        try:
            self._container = av.open(
                address,
                options=_options(address, ca_file),
                timeout=(OPEN_SECONDS, READ_SECONDS),
                metadata_errors="replace",
            )
        except av.error.FFmpegError as error:
            raise _translated(error, time.monotonic() - begun >= OPEN_SECONDS, _hint(address)) from None
        audio = self._container.streams.audio
        if not audio or audio[0].codec_context is None:
            self.close()
            raise DeviceError(_NO_SOUND if not audio else "its sound is in a format that cannot be decoded")
        self._audio = audio[0]
        for other in self._container.streams:
            if other is not self._audio:
                other.discard = av.stream.Discard.all

    def sound(self) -> Iterator[Sound | None]:
        """What comes, as it comes; None for a packet without sound. Raises DeviceError, also at the stream's end."""
        heard = time.monotonic()
        try:
            for packet in self._container.demux():
                frames = self._decoded(packet) if packet.stream is self._audio else []
                for frame in frames:
                    heard = time.monotonic()
                    yield Sound(_floats(frame), frame.sample_rate, self._missing(frame))
                if not frames:
                    yield None
                if time.monotonic() - heard > READ_SECONDS:
                    raise DeviceError(f"for {READ_SECONDS:g} s nothing has come that could be decoded")
        except self._errors.FFmpegError as error:
            raise _translated(error, time.monotonic() - heard >= READ_SECONDS) from None
        raise DeviceError("the stream has ended")

    def close(self) -> None:
        """Leave the server."""
        self._container.close()

    def _decoded(self, packet: Any) -> list["AudioFrame"]:
        try:
            frames: list[AudioFrame] = packet.decode()
        except self._errors.InvalidDataError:
            return []  # the next one may be whole
        return [frame for frame in frames if frame.samples and frame.sample_rate]

    def _missing(self, frame: "AudioFrame") -> float:
        """Seconds by which the time stamp jumped; some formats count samples instead, and never jump."""
        due, self._due = self._due, None
        if frame.time is None:
            return 0.0
        self._due = frame.time + frame.samples / frame.sample_rate
        missing = 0.0 if due is None else frame.time - due
        return missing if missing >= JUMP_SECONDS else 0.0


def _translated(error: Exception, given_up: bool, hint: str = "") -> DeviceError:
    """FFmpeg's error in words; its own show the address and the password in it, and hide that we gave up waiting."""
    if given_up:
        return DeviceError("no sound has come for too long; the connection was given up")
    name = type(error).__name__
    if name in ("HTTPUnauthorizedError", "HTTPForbiddenError"):
        return RefusalError("the server refuses the user or password")
    if getattr(error, "errno", None) == errno.EIO:
        return DeviceError(f"the connection has broken off{hint}")
    return DeviceError(_WORDS.get(name) or str(getattr(error, "strerror", "") or name).lower())


_WORDS = {
    "TimeoutError": "no answer",
    "ConnectionRefusedError": "nothing answers at this port (connection refused)",
    "HTTPNotFoundError": "the server knows no stream of that name (404)",
    "HTTPOtherClientError": f"{_NO_SOUND}, or the server refuses it for another reason (4xx)",
    "InvalidDataError": "what the server sends is no sound that can be decoded",
    "PatchWelcomeError": "what the server sends cannot be decoded any more",
}


def _hint(address: str) -> str:
    """What it may be, if a connection breaks off before there was sound."""
    trust = ", or its certificate is not trusted (see ca_file)" if urlsplit(address).scheme in _TLS else ""
    return f" before any sound came{trust}"


def _look_up(address: str) -> None:
    """FFmpeg would not say that it is the name. Raises DeviceError."""
    try:
        socket.getaddrinfo(urlsplit(address).hostname, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise DeviceError(f"no host of that name is found ({error.strerror})") from None


def _options(address: str, ca_file: str | None) -> Mapping[str, str]:
    """FFmpeg's: sound only, over TCP, nothing but the network, certificates checked."""
    scheme = urlsplit(address).scheme
    if scheme.startswith("rtsp"):
        options = {"rtsp_transport": "tcp", "allowed_media_types": "audio"}
    else:
        options = {"protocol_whitelist": _HTTP}  # a play list cannot lead to this computer's files
    if scheme in _TLS:
        trusted = ca_file or ssl.get_default_verify_paths().cafile
        options |= {"tls_verify": "1"} | ({"ca_file": trusted} if trusted else {})
    return options


def _floats(frame: "AudioFrame") -> Floats:
    """Samples at full scale 1, (n, channels). Raises DeviceError."""
    if frame.format.name.startswith("s64"):
        raise DeviceError("its samples are integers of 64 bits, which PyAV does not hand over")
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    with np.errstate(over="ignore"):
        samples: Floats = array.astype(np.float32)
    if array.dtype.kind == "f":
        if not np.abs(samples).max() <= LOUDEST:  # also if it is not a number
            np.clip(np.nan_to_num(samples, copy=False), -LOUDEST, LOUDEST, out=samples)
        return samples
    full = np.float32(2.0 ** (8 * array.dtype.itemsize - 1))
    if array.dtype.kind == "u":
        samples -= full
    samples /= full
    return samples
