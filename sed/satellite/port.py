"""Where satellites come in: one socket of the box for each address, however many sources share it."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import zmq

from sed.config import SourceConfig
from sed.doorkeeper import Admission, Doorkeeper
from sed.ring import RingBuffer
from sed.satellite.inlet import Inlet
from sed.satellite.wire import (
    BEAT_SECONDS,
    LONGEST_MESSAGE,
    Audio,
    Bye,
    Hello,
    Refused,
    Status,
    WireError,
    from_satellite,
)
from sed.source.backoff import delays

TICK_SECONDS = 0.01
"""How long a message may lie: many satellites cost less if each does not wake us by itself."""

QUEUE = 200
"""Messages of one satellite that ZeroMQ holds for us, eight seconds of sound."""

GREED = 1_000
"""Messages that are taken before we look at anything else."""

DRAIN_SECONDS = 0.2
"""How long what has come may take to be listened to, at the end."""

HANG_UP_SECONDS = 0.15
"""How long satellites may take to answer our last word."""

LINGER_SECONDS = 0.1

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before an address that is in use is tried again, doubled each time; each drawn within a half of itself."""

_LOG = logging.getLogger(__name__)


class Port:
    """Listens at an address in a thread of its own, as long as a source wants that."""

    def __init__(self, address: str, admission: Admission | None) -> None:
        """`address` as in `tcp://127.0.0.1:5557`; without admission everybody who reaches it may come in."""
        self.malformed = 0
        """Messages that broke the rules."""
        self._address, self._admission = address, admission
        self._inlets: dict[str, Inlet] = {}  # by the satellite's name
        self._peers: dict[bytes, Inlet] = {}
        self._beat = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def admit(self, inlet: Inlet) -> None:
        """Let this source's satellite come in; the first one starts the thread."""
        with self._lock:
            self._inlets[inlet.satellite] = inlet
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"port {self._address}", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        waits = delays(FIRST_DELAY, LONGEST_DELAY)
        try:
            while self._wanted():
                try:
                    with self._socket() as socket:
                        self._attend(socket)
                except zmq.ZMQError as error:
                    for inlet in self._inlets.values():
                        inlet.lose(f"cannot listen at {self._address}: {error.strerror.lower()}")
                    self._pause(next(waits))
        finally:
            for inlet in self._inlets.values():
                inlet.end()

    @contextmanager
    def _socket(self) -> "Iterator[zmq.Socket[Any]]":
        with ExitStack() as opened:
            context = opened.enter_context(zmq.Context())
            socket = opened.enter_context(context.socket(zmq.ROUTER, socket_class=zmq.Socket))
            socket.linger = round(LINGER_SECONDS * 1000)
            socket.sndhwm = socket.rcvhwm = QUEUE
            socket.maxmsgsize = LONGEST_MESSAGE
            socket.ipv6 = "[" in self._address
            if self._admission is not None:
                opened.enter_context(Doorkeeper(socket, self._admission, f"satellites at {self._address}"))
            socket.bind(self._address)
            _LOG.info("satellites may come to %s%s", self._address, " with their keys" if self._admission else "")
            yield socket

    def _wanted(self) -> bool:
        with self._lock:
            return not all(inlet.stopped for inlet in self._inlets.values())

    def _attend(self, socket: "zmq.Socket[Any]") -> None:
        while self._wanted():
            self._take(socket)
            self._look(socket)
            time.sleep(TICK_SECONDS)
        until = time.monotonic() + DRAIN_SECONDS
        for inlet in self._inlets.values():
            inlet.close()
        while time.monotonic() < until and not all(inlet.drained for inlet in self._inlets.values()):
            time.sleep(TICK_SECONDS)
        for peer, inlet in self._peers.items():
            _say(socket, peer, inlet.place().encode())
            _say(socket, peer, Bye().encode())
        self._hang_up(socket)

    def _hang_up(self, socket: "zmq.Socket[Any]") -> None:
        """Wait for the answers: TCP takes back what it has sent if we leave while there is something to read."""
        left, until = set(self._peers), time.monotonic() + HANG_UP_SECONDS
        while left and (rest := until - time.monotonic()) > 0.0:
            if socket.poll(round(rest * 1000)):
                peer, *frames = socket.recv_multipart()
                if frames == [Bye().encode()]:
                    left.discard(peer)

    def _look(self, socket: "zmq.Socket[Any]") -> None:
        now = time.monotonic()
        for inlet in self._inlets.values():
            if inlet.stopped:
                inlet.end()
            else:
                inlet.look(now)
        if now >= self._beat:
            self._beat = now + BEAT_SECONDS
            for peer, inlet in self._peers.items():
                _say(socket, peer, inlet.place().encode())

    def _take(self, socket: "zmq.Socket[Any]") -> None:
        """Whatever has come."""
        for _ in range(GREED):
            try:
                peer, *frames = socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return
            self._obey(socket, peer.bytes, frames)

    def _obey(self, socket: "zmq.Socket[Any]", peer: bytes, frames: list[zmq.Frame]) -> None:
        """One message; of what it cannot be, no more than a number is kept."""
        try:
            if len(frames) != 1:
                raise WireError("not one frame")
            message = from_satellite(frames[0].bytes)
        except WireError as error:
            self._count(error)
            if frames and frames[0].bytes[:1] == b"H":
                _say(socket, peer, Refused(str(error)).encode())
            return
        if isinstance(message, Hello):
            _say(socket, peer, self._answer(peer, frames[0], message))
            return
        inlet = self._peers.get(peer)
        if inlet is None or inlet.stopped:
            _say(socket, peer, Refused("this box does not know you any more: say hello").encode())
        else:
            self._pass_on(inlet, peer, message)
            if isinstance(message, Bye):
                _say(socket, peer, message.encode())

    def _pass_on(self, inlet: Inlet, peer: bytes, message: Audio | Status | Bye) -> None:
        now = time.monotonic()
        if isinstance(message, Audio):
            inlet.hear(message, now)
        elif isinstance(message, Status):
            inlet.note(message, now)
        else:
            del self._peers[peer]
            inlet.leave("its satellite has ended")

    def _answer(self, peer: bytes, frame: zmq.Frame, hello: Hello) -> bytes:
        refusal, now = self._refusal(frame, hello), time.monotonic()
        if refusal:
            return Refused(refusal).encode()
        inlet = self._inlets[hello.name]
        self._peers = {known: each for known, each in self._peers.items() if each is not inlet} | {peer: inlet}
        inlet.greet(peer, hello.session, now)
        return inlet.place(welcome=True).encode()

    def _refusal(self, frame: zmq.Frame, hello: Hello) -> str:
        """Why this satellite cannot be taken; empty if it can."""
        inlet = self._inlets.get(hello.name)
        if self._admission is not None and (owner := frame.get("User-Id")) != hello.name:
            return f"your key is that of {owner!r}, not of {hello.name!r}: give --name {owner}, or another --key"
        if inlet is None or inlet.stopped:
            return f"no [[source]] here is for a satellite named {hello.name!r}: give another --name, or add one"
        if hello.rate != inlet.rate:
            return f"you send {hello.rate} samples a second, this box wants {inlet.rate}: give --rate {inlet.rate}"
        if inlet.taken(hello.session, time.monotonic()):
            return f"another satellite named {hello.name!r} is here: give each a name, and a [[source]], of its own"
        return ""

    def _count(self, error: WireError) -> None:
        self.malformed += 1
        if self.malformed == 1:
            _LOG.warning("%s: a wrong message was dropped (%s); more are only counted", self._address, error)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._wanted() and time.monotonic() < until:
            time.sleep(TICK_SECONDS)


class Ports:
    """The ports of one box: sources with the same address share one."""

    def __init__(self, admission: Admission | None) -> None:
        self._admission = admission
        self._ports: dict[str, Port] = {}

    def open(self, config: SourceConfig, ring: RingBuffer, rate: int) -> Inlet:
        """A source for a `zmq+tcp://` URL, not started yet; `rate` is the ring's, in Hz."""
        address = config.endpoint
        port = self._ports.setdefault(address, Port(address, self._admission))
        return Inlet(config, ring, rate, port.admit)


def _say(socket: "zmq.Socket[Any]", peer: bytes, message: bytes) -> None:
    """To a peer that may have gone, or may not read: then it is dropped."""
    try:
        socket.send_multipart([peer, message], zmq.DONTWAIT)
    except zmq.ZMQError as error:
        _LOG.debug("not said: %s", error)
