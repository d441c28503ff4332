"""The PUB socket, and the one thread that uses it."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import zmq

from sed.broadcast.feed import Feed
from sed.doorkeeper import Admission, Doorkeeper
from sed.errors import SinkError
from sed.journal import SourceState
from sed.metadata import Rule
from sed.signals import State

TURN_SECONDS = 0.1
"""How soon scores, levels and states are sent; an event is at once."""

BEAT_SECONDS = 1.0
"""How often each source's state is told, and what its scores mean."""

QUEUE = 1_000
"""Messages that wait for a slow subscriber, some 300 bytes each; then it misses what comes."""

LAST_WORDS_MS = 100
"""How long what was said last may take to be sent."""

LONGEST_REQUEST = 4_096
"""Bytes of a subscription; who sends more is hung up on."""

_HEARTBEAT_MS, _GONE_MS = 5_000, 20_000
_JOIN_SECONDS = 2.0


class Publisher:
    """Tells what waits in the feeds, until it is closed. Nobody ever waits for a subscriber."""

    def __init__(
        self,
        endpoint: str,
        admission: Admission | None,
        feeds: Mapping[str, Feed],
        states: Callable[[], Iterable[SourceState]],
        rules: Callable[[str], Mapping[str, Rule]],
    ) -> None:
        """Bind, for all without an `admission`; `states` are those of the sources now, `rules` those of a source.

        Raises SinkError if the endpoint cannot be had.
        """
        self._feeds, self._states, self._rules = feeds, states, rules
        self._told: dict[str, State] = {}
        self._beat = 0.0  # monotonic seconds
        self._woken, self._closing = threading.Event(), False
        self._context = zmq.Context()
        self._socket = _socket(self._context, endpoint)
        self._doorkeeper = Doorkeeper(self._socket, admission, f"zmq {endpoint}") if admission else None
        try:
            _bind(self._socket, endpoint)
        except SinkError:
            self._hang_up()
            raise
        self._thread = threading.Thread(target=self._publish, name="publisher", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something urgent."""
        self._woken.set()

    def close(self) -> None:
        """Tell what is left; the endpoint is free when this returns."""
        self._closing = True
        self.wake()
        self._thread.join(_JOIN_SECONDS)
        self._hang_up()

    def _publish(self) -> None:
        while not self._closing:
            self._woken.wait(TURN_SECONDS)
            self._woken.clear()
            self._turn(time.monotonic())
        self._turn(time.monotonic())

    def _turn(self, now: float) -> None:
        beat = now >= self._beat
        if beat:
            self._beat = now + BEAT_SECONDS
        states = {state.source: state for state in self._states()}
        for source, feed in list(self._feeds.items()):
            for bulletin in feed.taken():
                self._socket.send_multipart(bulletin.frames())
            if beat:
                self._socket.send_multipart(feed.bulletin("hello", self._hello(feed)).frames())
            state = states.get(source)
            if state is not None and (beat or state.state != self._told.get(source)):
                self._told[source] = state.state
                self._socket.send_multipart(feed.bulletin("state", _told(state)).frames())

    def _hello(self, feed: Feed) -> dict[str, object]:
        metadata, rules = feed.origin.metadata, self._rules(feed.origin.source)
        return {
            "model": metadata.name,
            "labels": metadata.labels,
            "on": [rules[label].on for label in metadata.labels],
            "alert": [rules[label].alert for label in metadata.labels],
            "sample_rate": metadata.frontend.sample_rate,
            "hop": metadata.hop,
            "ahead": metadata.ahead,
        }

    def _hang_up(self) -> None:
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        self._socket.close()
        self._context.term()


def _told(state: SourceState) -> dict[str, object]:
    """As over MQTT."""
    return {"state": state.state, "dropped_samples": state.dropped_samples, "model": state.model}


def _socket(context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str) -> "zmq.Socket[bytes]":
    socket = context.socket(zmq.PUB)
    socket.sndhwm, socket.linger = QUEUE, LAST_WORDS_MS
    socket.maxmsgsize = LONGEST_REQUEST
    socket.heartbeat_ivl, socket.heartbeat_timeout = _HEARTBEAT_MS, _GONE_MS
    socket.ipv6 = "[" in endpoint
    return socket


def _bind(socket: "zmq.Socket[bytes]", endpoint: str) -> None:
    path = Path(endpoint.removeprefix("ipc://"))
    if endpoint.startswith("ipc://") and path.exists() and not path.is_socket():  # ZeroMQ would delete it
        raise SinkError(f"zmq.publish: {path}: there already, and no socket; choose another path")
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        reason = zmq.strerror(error.errno or 0).lower()
        raise SinkError(f"zmq.publish: {endpoint}: {reason}; choose another, or end what uses it") from error
