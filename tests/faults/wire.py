"""The wire between a daemon and its broker: it can keep what the broker confirms to itself."""

import contextlib
import socket
import threading
from typing import BinaryIO, Self

from tests.broker import PATIENCE_SECONDS

PUBACK = 4


class Wire:
    """Relays connections to a port of the loopback while a `with` lasts; `port` is its own."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.withholds = False
        """Whether PUBACKs are kept back."""
        self.withheld = 0
        self.cut = False
        """Whether it lets nobody through."""
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, name="wire")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE_SECONDS)
        self._server.close()
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = None if self.cut else self._beyond()
            if far is None:
                near.close()
                continue
            self._open |= {near, far}
            for ends in ((near, far), (far, near)):
                self._threads.append(threading.Thread(target=self._relay, args=ends, name="relay"))
                self._threads[-1].start()

    def _beyond(self) -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            return None

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        """Packet by packet; whichever end goes takes the other with it."""
        with contextlib.suppress(OSError), source.makefile("rb") as stream:
            while packet := _packet(stream):
                if self.withholds and packet[0] >> 4 == PUBACK:
                    self.withheld += 1
                else:
                    target.sendall(packet)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)


def _packet(stream: BinaryIO) -> bytes:
    """The next MQTT control packet; nothing at the end."""
    head, length = stream.read(1), 0
    for place in range(4):
        head += (byte := stream.read(1))
        if not byte:
            return b""
        length += (byte[0] & 0x7F) << 7 * place
        if byte[0] < 0x80:
            break
    return head + stream.read(length)
