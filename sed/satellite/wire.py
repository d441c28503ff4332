"""What a satellite and a box say to each other, over ZeroMQ: a DEALER that connects to a ROUTER.

A message is one frame: a letter that says what it is, and then, little-endian and without padding,

    satellite -> box
    H hello    version u8, session 8 bytes, rate u32 (Hz), name (UTF-8)
    A audio    first u64, moment i64, format u8 (0: int16, 1: float32 in -1..1), samples (mono)
    S status   state u8 (0 hearing, 1 silent, 2 lost, 3 stopped), moment i64, echo u64, held u64, reason (UTF-8)
    B bye      nothing: no more sound will come; both sides answer it with their own, and then hang up

    box -> satellite
    W welcome  next u64, tick u64
    K ack      next u64, tick u64
    R refused  reason (UTF-8)
    B bye      nothing: the box ends

`first` is the number of the first sample since the satellite was started (what it lost counts), and so the sequence
number, too: what is behind `next`, the sample that the box wants to have next, comes twice and is passed over; what
is beyond it was lost. `moment` is the satellite's UTC, in microseconds since 1970: in audio that of the first sample,
in status that of sending. `session` is drawn at the satellite's start; it keeps what was not acknowledged, and after
another hello of the same session the box says where to go on. It may be at most WINDOW_SECONDS ahead of `next`, or of
the first sample that it has kept, if that is later: the window leaves room for it in the box's ring. Both sides send
something each BEAT_SECONDS at least, and are dead for the other after DEAD_SECONDS. `tick` is the box's monotonic
clock in nanoseconds; status gives the last one back, `held` nanoseconds after it came: so the box knows how far the
clocks differ.
"""

import struct
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from sed.signals import Floats, State

VERSION = 1

BEAT_SECONDS = 0.2
"""Both sides say something as often as this."""

DEAD_SECONDS = 1.0
"""Who has said nothing for so long has gone."""

WINDOW_SECONDS = 4.0
"""How far a satellite may be ahead of what the box has listened to; less than the box's ring holds."""

BLOCK_SECONDS = 0.04
"""What one audio message holds, if nothing has piled up."""

LONGEST_NAME = 64  # bytes
LONGEST_REASON = 400  # bytes
LONGEST_BLOCK = 16_384
"""Samples in one audio message."""

LONGEST_MESSAGE = 32 + 4 * LONGEST_BLOCK
"""Bytes; ZeroMQ breaks with who sends more."""

LAST_SAMPLE = 1 << 48
"""No satellite runs for centuries."""

Format = Literal["int16", "float32"]

_FORMATS: tuple[Format, ...] = get_args(Format)
_STATES: tuple[State, ...] = get_args(State)
_HELLO = struct.Struct("<cB8sI")
_AUDIO = struct.Struct("<cQqB")
_STATUS = struct.Struct("<cBqQQ")
_PLACE = struct.Struct("<cQQ")
_LAST_MOMENT = 32_503_680_000_000_000  # the year 3000


class WireError(ValueError):
    """A message that breaks the rules above."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A satellite's first word."""

    session: bytes  # 8
    rate: int  # Hz
    name: str

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return _HELLO.pack(b"H", VERSION, self.session, self.rate) + self.name.encode()


@dataclass(frozen=True, slots=True)
class Audio:
    """Consecutive samples; none of them tell of a loss only."""

    first: int
    moment: int  # microseconds since 1970
    samples: Floats  # (n,), within -1..1

    @property
    def end(self) -> int:
        """The sample after the last one."""
        return self.first + len(self.samples)

    def encode(self, form: Format = "int16") -> bytes:
        """As it goes over the wire."""
        return _AUDIO.pack(b"A", self.first, self.moment, _FORMATS.index(form)) + _packed(self.samples, form)


@dataclass(frozen=True, slots=True)
class Status:
    """How a satellite's own source is, and what time it has."""

    state: State
    reason: str = ""
    moment: int = 0  # microseconds since 1970
    echo: int = 0  # the box's last tick; 0 if there was none yet
    held: int = 0  # nanoseconds since that came

    def encode(self) -> bytes:
        """As it goes over the wire."""
        head = _STATUS.pack(b"S", _STATES.index(self.state), self.moment, self.echo, self.held)
        return head + _cut(self.reason)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box is in a satellite's sound: a welcome, or an acknowledgement."""

    next: int  # the sample that it wants to have next
    tick: int  # nanoseconds
    welcome: bool = False

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return _PLACE.pack(b"W" if self.welcome else b"K", self.next, self.tick)


@dataclass(frozen=True, slots=True)
class Refused:
    """What a box says to a satellite that it does not take; the reason is for people."""

    reason: str

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return b"R" + _cut(self.reason)


@dataclass(frozen=True, slots=True)
class Bye:
    """The last word, of either side."""

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return b"B"


def from_satellite(message: bytes) -> Hello | Audio | Status | Bye:
    """What a box was sent. Raises WireError for whatever else it is; takes no more room than the message does."""
    match message[:1]:
        case b"A":
            return _audio(message)
        case b"S":
            return _status(message)
        case b"H":
            return _hello(message)
        case b"B" if len(message) == 1:
            return Bye()
    raise WireError("not a message of a satellite")


def from_box(message: bytes) -> Place | Refused | Bye:
    """What a satellite was sent. Raises WireError for whatever else it is."""
    match message[:1]:
        case b"W" | b"K" if len(message) == _PLACE.size:
            kind, wanted, tick = _PLACE.unpack(message)
            return Place(_sample(wanted), tick, kind == b"W")
        case b"R" if len(message) <= 1 + LONGEST_REASON:
            return Refused(_shown(message[1:]))
        case b"B" if len(message) == 1:
            return Bye()
    raise WireError("not a message of a box")


def _hello(message: bytes) -> Hello:
    version = message[1:2]
    if version != bytes([VERSION]):
        raise WireError(f"speaks version {version[0] if version else '?'}, this box speaks {VERSION}")
    name = message[_HELLO.size :]
    if not 0 < len(name) <= LONGEST_NAME or not _shown(name):
        raise WireError("a hello without a name, or with one that is too long")
    _, _, session, rate = _HELLO.unpack_from(message)
    return Hello(session, rate, _shown(name))


def _audio(message: bytes) -> Audio:
    if not _AUDIO.size <= len(message) <= LONGEST_MESSAGE:
        raise WireError("audio of a wrong size")
    _, first, moment, form = _AUDIO.unpack_from(message)
    if form >= len(_FORMATS):
        raise WireError("audio of an unknown format")
    samples = _unpacked(message, _FORMATS[form])
    if len(samples) > LONGEST_BLOCK:
        raise WireError("too much audio at once")
    return Audio(_sample(first), _moment(moment), samples)


def _status(message: bytes) -> Status:
    if not _STATUS.size <= len(message) <= _STATUS.size + LONGEST_REASON:
        raise WireError("a status of a wrong size")
    _, state, moment, echo, held = _STATUS.unpack_from(message)
    if state >= len(_STATES):
        raise WireError("an unknown state")
    return Status(_STATES[state], _shown(message[_STATUS.size :]), _moment(moment), echo, held)


def _packed(samples: Floats, form: Format) -> bytes:
    if form == "float32":
        return np.clip(samples, -1.0, 1.0).astype("<f4").tobytes()
    whole: npt.NDArray[np.int16] = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767).astype("<i2")
    return whole.tobytes()


def _unpacked(message: bytes, form: Format) -> Floats:
    try:
        samples = np.frombuffer(message, "<i2" if form == "int16" else "<f4", offset=_AUDIO.size)
    except ValueError as error:
        raise WireError("half a sample") from error
    if form == "int16":
        return samples.astype(np.float32) * np.float32(1.0 / 32_768.0)
    if not (np.abs(samples) <= 1.0).all():  # nor anything that is not a number
        raise WireError("samples beyond full scale")
    return samples.astype(np.float32)


def _sample(number: int) -> int:
    if number > LAST_SAMPLE:
        raise WireError("a sample of another age")
    return number


def _moment(microseconds: int) -> int:
    if not 0 <= microseconds <= _LAST_MOMENT:
        raise WireError("a moment that no clock shows")
    return microseconds


def _cut(reason: str) -> bytes:
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()


def _shown(text: bytes) -> str:
    """Text of others that may stand in a line of a log."""
    decoded = text.decode(errors="replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in decoded)
