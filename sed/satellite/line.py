"""One connection of a satellite to a box, from its first word to its break."""

from types import TracebackType
from typing import Any, Self

import zmq
from zmq.utils.monitor import recv_monitor_message

from sed.curve import Keys, PublicKey
from sed.satellite.wire import LONGEST_REASON, Bye, Place, Refused, WireError, from_box

QUEUE = 100
"""Messages that ZeroMQ may hold either way, four seconds of sound: what is beyond waits in the outbox."""

LINGER_SECONDS = 0.2
"""How long a last word may take to leave."""

_TROUBLES = {
    zmq.Event.CLOSED: "nobody listens there",
    zmq.Event.HANDSHAKE_FAILED_AUTH: "the box does not know our key: give it the .pub file that belongs to --key",
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL: "the box has another key than --server-key says",
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL: "the box has no keys, and we have: give it some, or leave --key out",
    zmq.Event.DISCONNECTED: "the connection broke off",
}
_WITHOUT_KEYS = dict.fromkeys(_TROUBLES, "the box wants keys: give --key and --server-key") | {
    event: _TROUBLES[event] for event in (zmq.Event.CLOSED, zmq.Event.DISCONNECTED)
}


class Line:
    """A socket that connects once; whoever wants to try again opens another."""

    def __init__(self, context: "zmq.Context[Any]", address: str, keys: tuple[Keys, PublicKey] | None) -> None:
        """`keys` are ours and the box's; None leaves the connection open to read for all."""
        self.trouble = ""
        """Why nothing more will come over it; empty while it holds."""
        self._socket = context.socket(zmq.DEALER, socket_class=zmq.Socket)
        self._socket.linger = round(LINGER_SECONDS * 1000)
        self._socket.reconnect_ivl = -1
        self._socket.sndhwm = self._socket.rcvhwm = QUEUE
        self._socket.maxmsgsize = 64 + LONGEST_REASON
        self._troubles = _WITHOUT_KEYS
        if keys is not None:
            self._troubles = _TROUBLES
            keys[0].call(self._socket, keys[1])
        self._events = self._socket.get_monitor_socket(sum(_TROUBLES))
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._events, zmq.POLLIN)
        self._socket.connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Break it off."""
        self._socket.disable_monitor()
        self._events.close()
        self._socket.close()

    def say(self, message: bytes) -> bool:
        """Send it, unless too much is on its way already: then False, and never a wait."""
        try:
            self._socket.send(message, zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def hear(self, timeout: float) -> list[Place | Refused | Bye]:
        """What the box has said; waits `timeout` seconds for a first word."""
        words: list[Place | Refused | Bye] = []
        ready = dict(self._poller.poll(round(timeout * 1000)))
        while self._events in ready and not self.trouble and self._events.poll(0):
            self.trouble = self._troubles.get(recv_monitor_message(self._events)["event"], "")
        try:  # the trouble first: what had come before it is still heard
            while ready and len(words) < QUEUE:
                words.append(from_box(self._socket.recv(zmq.DONTWAIT)))
        except zmq.Again:
            pass
        except WireError as error:
            self.trouble = f"what answers there is no earwitness box ({error})"
        return words
