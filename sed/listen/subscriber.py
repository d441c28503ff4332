"""A SUB socket: what a publisher tells, what of it was lost on the way, and why nothing comes."""

import math
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import zmq
from zmq.utils.monitor import recv_monitor_message

from sed.broadcast.bulletin import KINDS, Bulletin
from sed.curve import Keys, PublicKey, read_keys, read_public_key
from sed.errors import UsageError

QUIET_SECONDS = 3.0
"""A publisher tells something every second: after so long something is wrong."""

RETRY_SECONDS = 3.0
"""After which one is asked again that ZeroMQ has given up: it did not let us in, or broke the rules."""

LONGEST = 1_000_000
"""Bytes of a frame."""

TOPICS = 10_000
"""Whose losses are counted; a publisher with more is none of ours."""

_HEARTBEAT_MS, _GONE_MS = 5_000, 20_000
_FIRST_RETRY_MS, _LONGEST_RETRY_MS = 100, 1_000


@dataclass(frozen=True, slots=True)
class Access:
    """What a publisher wants that does not let everyone in."""

    keys: Keys
    server: PublicKey

    @classmethod
    def read(cls, key: Path | None, server_key: Path | None) -> Self | None:
        """From our secret key's file and the server's public one; None without. Raises UsageError, ConfigError."""
        if (key is None) != (server_key is None):
            raise UsageError("--key and --server-key go together: our own secret key, and the publisher's public one")
        return cls(read_keys(key), read_public_key(server_key)) if key and server_key else None


class Subscriber:
    """Connected, or trying to be, while used as a context; for one thread."""

    def __init__(self, url: str, source: str | None = None, access: Access | None = None) -> None:
        """Of one source, or of all. Raises UsageError for a URL that cannot be."""
        match = re.fullmatch(r"(?:tcp://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})|ipc://.+)", url)
        if match is None or not 1 <= int(match[1] or 1) <= 65_535:
            raise UsageError(f"listen: {url}: should be tcp://HOST:PORT, as tcp://127.0.0.1:5556, or ipc://PATH")
        self.lost: Counter[tuple[str, str]] = Counter()
        """Messages, by node and topic."""
        self.strange = 0
        """Messages that are none of ours."""
        self._url, self._source = url, source
        self._last: dict[tuple[str, str], tuple[str, int]] = {}
        self._heard = time.monotonic()
        self._trouble = f"no publisher at {url}: is the daemon running, and [zmq] publish set?"
        self._retry_at = math.inf  # monotonic seconds
        self._context = zmq.Context()
        self._socket = _socket(self._context, access)
        for kind in KINDS:
            self._socket.subscribe(f"{kind}/{source or ''}".encode())
        self._events = self._socket.get_monitor_socket()
        self._poller = zmq.Poller()
        for each in (self._socket, self._events):
            self._poller.register(each, zmq.POLLIN)
        self._connect()

    def bulletins(self, seconds: float) -> Iterator[Bulletin]:
        """Those that come within so many seconds; never ends sooner."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            if now >= self._retry_at:
                self._socket.disconnect(self._url)
                self._connect()
            ready = dict(self._poller.poll(round(1000 * (min(until, self._retry_at) - now)) + 1))
            if self._events in ready:
                self._connection(recv_monitor_message(self._events)["event"])
            if self._socket in ready and (bulletin := self._received()):
                yield bulletin

    @property
    def trouble(self) -> str:
        """Why nothing comes, in one line; empty while something does."""
        if time.monotonic() - self._heard < QUIET_SECONDS:
            return ""
        if self._trouble:
            return self._trouble
        if self._source is not None:
            return f"connected to {self._url}, but nothing comes from a source {self._source!r}: is that its name?"
        return f"connected to {self._url}, but nothing comes: is it an earwitness that publishes there?"

    def close(self) -> None:
        """Disconnect."""
        self._socket.disable_monitor()
        self._events.close()
        self._socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        self.close()

    def _connect(self) -> None:
        self._retry_at = math.inf
        try:
            self._socket.connect(self._url)
        except zmq.ZMQError as error:
            self.close()
            raise UsageError(f"listen: {self._url}: {zmq.strerror(error.errno or 0).lower()}") from error

    def _connection(self, event: int) -> None:
        if event == zmq.Event.HANDSHAKE_SUCCEEDED:
            self._trouble = ""
        elif event == zmq.Event.CONNECT_RETRIED:
            self._retry_at = math.inf
        elif event == zmq.Event.HANDSHAKE_FAILED_AUTH:
            self._trouble = f"{self._url} turns us away: our public key is not among its allowed_keys"
        elif event in (zmq.Event.HANDSHAKE_FAILED_PROTOCOL, zmq.Event.HANDSHAKE_FAILED_NO_DETAIL):
            self._trouble = f"{self._url} does not understand us: does it want --key and --server-key, are they right?"
        elif event == zmq.Event.DISCONNECTED:
            self._trouble = self._trouble or f"the publisher at {self._url} has gone; trying again"
            self._retry_at = (
                time.monotonic() + RETRY_SECONDS
            )  # unless ZeroMQ itself does, as it does not after refusals

    def _received(self) -> Bulletin | None:
        try:
            bulletin = Bulletin.received(self._socket.recv_multipart())
        except ValueError:
            self.strange += 1
            return None
        if self._source not in (None, bulletin.source):  # a subscription is a prefix
            return None
        self._heard = time.monotonic()
        self._count(bulletin)
        return bulletin

    def _count(self, bulletin: Bulletin) -> None:
        key = (bulletin.node, bulletin.topic)
        session, seq = self._last.get(key, (None, 0))
        if session == bulletin.session and bulletin.seq > seq:
            self.lost[key] += bulletin.seq - seq - 1
        if len(self._last) < TOPICS or key in self._last:
            self._last[key] = (bulletin.session, bulletin.seq)


def _socket(context: "zmq.Context[zmq.Socket[bytes]]", access: Access | None) -> "zmq.Socket[Any]":
    socket = context.socket(zmq.SUB)
    socket.linger, socket.maxmsgsize, socket.ipv6 = 0, LONGEST, True
    socket.heartbeat_ivl, socket.heartbeat_timeout = _HEARTBEAT_MS, _GONE_MS
    socket.reconnect_ivl, socket.reconnect_ivl_max = _FIRST_RETRY_MS, _LONGEST_RETRY_MS
    if access is not None:
        access.keys.call(socket, access.server)
    return socket
