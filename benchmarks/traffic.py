"""What one box and its broker say to each other, packet by packet, and what that weighs on the wire.

The box is the product's own MQTT sink; a relay on loopback passes its connection on to the broker and writes it down.
Its segments are as small as Ethernet's (an MSS of 1,448 bytes), so that they can be counted, too.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from sed.config import MqttConfig
from sed.journal import Journal, SourceState
from sed.message import Clock, event_message
from sed.metadata import alerting
from sed.model import OnnxModel
from sed.orders import Orders
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Event, new_id
from sed.sinks.mqtt import NAME, MqttSink

NODE, SOURCE, RATE = "box-00000", "yard", 16_000
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ = 1, 3, 4, 8, 12
MSS = 1_448
HEADERS = 52
"""Bytes of IPv4 and TCP with timestamps around each segment."""

_COUNTS = struct.Struct("<120xQQII")
"""Of Linux's tcp_info: bytes_acked, bytes_received, segs_out, segs_in."""


class Wire(NamedTuple):
    """What has gone over a connection: bytes of MQTT each way (up: from the box), and segments both ways."""

    up: int
    down: int
    segments: int

    @property
    def bytes(self) -> int:
        """With the headers of TCP and IPv4, both ways."""
        return self.up + self.down + HEADERS * self.segments

    def since(self, before: "Wire") -> "Wire":
        """What has come since then."""
        return Wire(*(now - then for now, then in zip(self, before, strict=True)))


def packets(buffer: bytearray) -> Iterator[bytes]:
    """Take the whole packets out of what has come so far (MQTT 5.0, 2.1)."""
    while (end := _end(buffer)) is not None:
        packet = bytes(buffer[:end])
        del buffer[:end]
        yield packet


def kind(packet: bytes) -> int:
    """CONNECT, PUBLISH, ..."""
    return packet[0] >> 4


def quality(packet: bytes) -> int:
    """The QoS of a PUBLISH."""
    return packet[0] >> 1 & 3


def body(packet: bytes) -> int:
    """Where the topic's length stands in a PUBLISH."""
    return next(at for at in range(1, 5) if not packet[at] & 0x80) + 1


def topic(packet: bytes) -> str:
    """Of a PUBLISH."""
    at = body(packet)
    return packet[at + 2 : at + 2 + int.from_bytes(packet[at : at + 2])].decode()


def _end(buffer: bytearray) -> int | None:
    """How long the first packet is, if it is there as a whole."""
    length = 0
    for at in range(1, min(5, len(buffer))):
        length |= (buffer[at] & 0x7F) << 7 * (at - 1)
        if not buffer[at] & 0x80:
            return at + 1 + length if at + 1 + length <= len(buffer) else None
    return None


@dataclass
class Passage:
    """One connection of the box, as it went through."""

    near: socket.socket
    far: socket.socket
    sent: list[bytes] = field(default_factory=list)  # by the box
    last: float = field(default_factory=time.monotonic)

    def wire(self) -> Wire:
        """So far."""
        acked, received, out, into = _COUNTS.unpack_from(self.near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256))
        return Wire(received, acked, out + into)

    def carry(self) -> None:
        """Pass on what comes from both sides until one hangs up."""
        back = threading.Thread(target=self._pump, args=(self.far, self.near, None), daemon=True)
        back.start()
        self._pump(self.near, self.far, self.sent)
        back.join()

    def hang_up(self) -> None:
        """As a network that is gone."""
        for sock in (self.near, self.far):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, sink: socket.socket, kept: list[bytes] | None) -> None:
        buffer = bytearray()
        try:
            while data := source.recv(65_536):
                self.last = time.monotonic()
                sink.sendall(data)
                if kept is not None:
                    buffer += data
                    kept.extend(packets(buffer))
        except OSError:
            pass
        self.hang_up()


class Relay:
    """Takes the box's connections, one after the other, while a `with` lasts."""

    def __init__(self, broker: int) -> None:
        self._broker = broker
        self.passages: list[Passage] = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MSS)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="relay")

    def quiet(self, seconds: float = 0.5, passages: int = 1) -> Passage:
        """The latest connection, once there were so many and nothing has gone through it for a while."""
        while len(self.passages) < passages or time.monotonic() - self.passages[-1].last < seconds:
            time.sleep(0.02)
        return self.passages[-1]

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with near, socket.create_connection(("127.0.0.1", self._broker)) as far:
                for sock in (near, far):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.passages.append(Passage(near, far))
                self.passages[-1].carry()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for passage in self.passages:
            passage.hang_up()
        self._thread.join()


class OneBox:
    """A box with one source and the shipped model; nothing is heard but what it is told to have heard."""

    def __init__(self, journal: Journal, sink: MqttSink) -> None:
        self._journal, self._sink = journal, sink

    def hear(self, label: str, seconds: float = 1.24) -> None:
        """One event, from its start to its end, and what the broker has confirmed of it."""
        clock, identity = Clock(datetime.now(UTC), RATE), new_id()
        first = Event(identity, label, "start", 1_000, None, 0.8096, 3_912, -21.3, 0)
        last = Event(identity, label, "end", 1_000, 1_000 + round(seconds * RATE), 0.9114, 24_000, -20.8, 0)
        for event in (first, last):
            self._journal.append(event_message(event, clock, NODE, SOURCE, DEFAULT_MODEL))
        assert self._sink.drain(10.0) == 0


@contextmanager
def one_box(port: int, folder: Path, discovery: bool = True) -> Iterator[OneBox]:
    """It tells the broker on that port, through whatever listens there."""
    rules = OnnxModel(model_path(DEFAULT_MODEL)).metadata.rules
    with ExitStack() as opened:
        journal = opened.enter_context(Journal(folder / "journal.db", [NAME]))
        journal.report(SourceState(SOURCE, "hearing", -43.2, 0, DEFAULT_MODEL))
        orders = Orders(folder / "orders.json", rules, [SOURCE])
        config = MqttConfig(url=f"mqtt://127.0.0.1:{port}", discovery=discovery)
        sink = opened.enter_context(MqttSink(journal, config, NODE, [SOURCE], alerting(rules), orders=orders))
        sink.wait_connected(10.0)
        yield OneBox(journal, sink)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a box says: its packets, for others to say the same, and what they weigh."""

    hello: bytes  # CONNECT and all that follows until it is quiet
    greetings: int  # messages in it that are confirmed
    event: tuple[bytes, bytes]  # with its label's ON, and with its OFF
    level: bytes
    first: Wire  # connect, discovery, states
    again: Wire  # the same after an outage
    happening: Wire  # one event
    standing: Wire  # of `seconds` in which nothing happens: levels and keep-alive
    seconds: float


def overheard(broker: int, folder: Path, seconds: float = 60.0, discovery: bool = True) -> Traffic:
    """Listen to one box: first connect, an event, so many seconds of nothing, an outage and the connect after it."""
    with Relay(broker) as relay, one_box(relay.port, folder, discovery) as box:
        passage = relay.quiet()
        first, hello = passage.wire(), list(passage.sent)
        box.hear("siren")
        passage = relay.quiet()
        happening, told = passage.wire().since(first), passage.sent[len(hello) :]
        before = passage.wire()
        time.sleep(seconds)
        standing, stood = passage.wire().since(before), passage.sent
        passage.hang_up()
        again = relay.quiet(passages=2).wire()
    publishes = [packet for packet in told if kind(packet) == PUBLISH and quality(packet) > 0]
    assert [topic(packet).rsplit("/")[-1] for packet in publishes] == ["event", "siren"] * 2
    hello = [packet for packet in hello if kind(packet) in (CONNECT, SUBSCRIBE, PUBLISH)]
    level = next(packet for packet in stood if kind(packet) == PUBLISH and topic(packet).endswith("/level"))
    halves = b"".join(publishes[:2]), b"".join(publishes[2:])
    greetings = sum(kind(packet) == PUBLISH and quality(packet) > 0 for packet in hello)
    return Traffic(b"".join(hello), greetings, halves, level, first, again, happening, standing, seconds)
