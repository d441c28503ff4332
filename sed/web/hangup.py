"""Connections that do not hold anybody up: bounded in number, and in how long they may do nothing."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 64

REQUEST_SECONDS = 30.0
"""How long a whole request may take to come; what was refused is read on meanwhile, or its answer would be lost."""

WRITE_SECONDS = 30.0
"""How long somebody may read nothing of an answer."""


class Connection(H11Protocol):
    """Uvicorn's own, which would wait for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request: asyncio.TimerHandle | None = None
        self._write: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One too many is hung up on."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
        else:
            self._await_request()

    def data_received(self, data: bytes) -> None:
        """The clock runs until a request is whole, and from where the next one begins."""
        super().data_received(data)
        self._await_request()

    def pause_writing(self) -> None:
        """The other side does not read."""
        super().pause_writing()
        self._write = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        _cancel(self._write)

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nothing to wait for."""
        super().connection_lost(exc)
        _cancel(self._request)
        _cancel(self._write)

    def _await_request(self) -> None:
        whole = self.cycle is not None and not self.cycle.more_body
        if whole and (not self.cycle.response_complete or not self.conn.trailing_data[0]):
            _cancel(self._request)
            self._request = None
        elif self._request is None:
            self._request = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
