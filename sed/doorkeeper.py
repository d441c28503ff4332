"""Who may come in to a CURVE server: asked by ZeroMQ itself over ZAP (its RFC 27), answered from a list of keys."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from sed.curve import DOMAIN, Keys, PublicKey, read_keys, read_public_keys

CHECK_MS = 100
"""How soon the end is seen."""

STRANGERS = 100
"""Keys that are told of when they are turned away; more are only counted."""

_ZAP = "inproc://zeromq.zap.01"
_FAILURES = zmq.Event.HANDSHAKE_FAILED_PROTOCOL | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """A server's own keys, and those of whom it lets in."""

    keys: Keys
    allowed: tuple[PublicKey, ...]

    @classmethod
    def read(cls, secret: Path, allowed: Path) -> Self:
        """From a secret key's file, and a file or folder of public keys. Raises ConfigError."""
        return cls(read_keys(secret), read_public_keys(allowed))


class Doorkeeper:
    """Lets in who has one of the allowed keys, from its own thread; one for each context.

    Whoever comes in is known by the key's name, as `User-Id` of a frame. Whoever is turned away is counted, and told
    once: ZeroMQ's clients try again and again. (One whose key is not allowed does not: it has to connect anew.)
    """

    def __init__(self, socket: zmq.Socket[Any], admission: Admission, where: str) -> None:
        """Make `socket`, which is not bound yet, a server of that admission; `where` is its name in the log."""
        self.turned_away = 0
        """Attempts, those of one client that tries again included."""
        self._names = {key.text: key.name for key in admission.allowed}
        self._where, self._told, self._closing = where, set[str](), threading.Event()
        admission.keys.serve(socket)
        self._guarded = socket
        self._questions = socket.context.socket(zmq.REP, socket_class=zmq.Socket)
        self._questions.linger = 0
        self._questions.bind(_ZAP)
        self._failures = socket.get_monitor_socket(_FAILURES)
        self._thread = threading.Thread(target=self._attend, name=f"doorkeeper {where}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let nobody in any more; call it in the socket's own thread, before the socket is closed."""
        self._closing.set()
        self._thread.join()
        self._guarded.disable_monitor()
        for socket in (self._failures, self._questions):
            socket.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Let nobody in any more."""
        self.close()

    def _attend(self) -> None:
        poller = zmq.Poller()
        poller.register(self._questions, zmq.POLLIN)
        poller.register(self._failures, zmq.POLLIN)
        while not self._closing.is_set():
            ready = dict(poller.poll(CHECK_MS))
            if self._questions in ready:
                self._answer(self._questions.recv_multipart())
            if self._failures in ready:
                recv_monitor_message(self._failures)
                self._turn_away("", "without the server's public key or without keys of its own")

    def _answer(self, question: list[bytes]) -> None:
        """Frames: version, request, domain, address, identity, mechanism, credentials (here the client's key)."""
        version, request, domain, address, _, mechanism, *credentials = question
        key = z85.encode(credentials[0]).decode() if mechanism == b"CURVE" and credentials else ""
        name = self._names.get(key) if domain == DOMAIN else None
        verdict = (b"400", b"not an allowed key") if name is None else (b"200", b"OK")
        self._questions.send_multipart([version, request, *verdict, (name or "").encode(), b""])
        if name is None:
            self._turn_away(key, f"from {address.decode(errors='replace')}: its public key {key} is not allowed")

    def _turn_away(self, key: str, why: str) -> None:
        self.turned_away += 1
        if key not in self._told and len(self._told) < STRANGERS:
            self._told.add(key)
            _LOG.warning("%s: a client was turned away %s (told once)", self._where, why)
