"""What systemd is told by a service of Type=notify (sd_notify(3)); without systemd nothing happens."""

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from typing import Self

FEEDS_A_PERIOD = 4
"""How often the watchdog is fed in the time after which it bites."""


class Notifier:
    """Sends datagrams and never waits: one that cannot be taken now is dropped, and the next one says more."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._opened = contextlib.ExitStack()
        self._socket: socket.socket | None = None
        address = environment.get("NOTIFY_SOCKET", "")
        if address[:1] in ("/", "@"):
            self._socket = self._opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            self._socket.setblocking(False)
            self._address = f"\0{address[1:]}" if address[0] == "@" else address
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds = int(environment.get("WATCHDOG_USEC", "0")) / 1e6 if for_us else 0.0
        self._next_feed = 0.0  # monotonic seconds

    def tell(self, **words: object) -> None:
        """As `tell(READY=1, STATUS="listening")`."""
        if self._socket is not None:
            text = "\n".join(f"{key}={value}" for key, value in words.items())
            with contextlib.suppress(OSError):  # nobody reads it now, or it is full: not a reason to stop hearing
                self._socket.sendto(text.encode(), self._address)

    def feed(self) -> None:
        """Say that all is well; most calls come too early to be sent."""
        now = time.monotonic()
        if self.watchdog_seconds and now >= self._next_feed:
            self._next_feed = now + self.watchdog_seconds / FEEDS_A_PERIOD
            self.tell(WATCHDOG=1)

    def close(self) -> None:
        """Close the socket."""
        self._opened.close()
        self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
