"""The server's thread: one event loop, from the first request to the last."""

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sed.config import HttpConfig
from sed.errors import SinkError

if TYPE_CHECKING:
    import uvicorn

    from sed.web.app import Answers

BACKLOG = 64
"""Connections that wait to be taken."""

THREADS = 4
"""That read the journal and the disk for requests."""

NICE = 5
"""How far the thread, and all that it begins, steps back behind those that detect (nice(2))."""

CLOSE_SECONDS = 0.45
"""How long its end may take in all."""

_GRACE_SECONDS = 0.1


class Server(threading.Thread):
    """Listens from the beginning; answers as soon as all is loaded, some tenths of a second later."""

    def __init__(self, config: HttpConfig, make: "Callable[[], Answers]") -> None:
        """`make` is called in the thread. Raises SinkError if the port cannot be had."""
        super().__init__(name="http", daemon=True)
        self._make = make
        self._socket = _listening(config)
        self._finish: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def close(self) -> None:
        """Answer no more; the port is free when this returns."""
        self._closing = True
        with contextlib.suppress(RuntimeError):  # the loop may be over
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._finish)
        self.join(CLOSE_SECONDS)
        self._socket.close()

    def run(self) -> None:
        """Load, serve, and leave nothing behind."""
        with contextlib.suppress(OSError):  # a system call filter may forbid it
            os.nice(NICE)  # of this thread alone, on Linux
        import uvicorn

        from sed.web.hangup import Connection

        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # what clients do wrong is no news
        answers = self._make()
        config = uvicorn.Config(
            answers.application, http=Connection, loop="asyncio", ws="none", lifespan="off", log_config=None,
            access_log=False, server_header=False, proxy_headers=False, backlog=BACKLOG,
            timeout_graceful_shutdown=_GRACE_SECONDS,  # type: ignore[arg-type]  # asyncio takes parts of a second too
        )  # fmt: skip
        try:
            asyncio.run(self._serve(uvicorn.Server(config), answers))
        finally:
            answers.end()

    async def _serve(self, server: "uvicorn.Server", answers: "Answers") -> None:
        import anyio

        def finish() -> None:
            answers.end()
            server.should_exit = True

        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        self._finish, self._loop = finish, asyncio.get_running_loop()
        if self._closing:
            return
        await server.serve([self._socket])
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def _listening(config: HttpConfig) -> socket.socket:
    family = socket.AF_INET6 if ip_address(config.address).version == 6 else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((config.address, config.port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        reason = (error.strerror or str(error)).lower()
        advice = "set another http.port or http.address, or end what uses it"
        raise SinkError(f"http: {config.address} port {config.port}: {reason}; {advice}") from error
    return made
