"""`/stream`: server-sent events for who watches live."""

import asyncio
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sed.web.hub import Client, FullError, Hub
from sed.web.refusal import refusals


class EventStream(Response):
    """Goes on until the client leaves or the hub ends it."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, client: Client) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._hub, self._client = hub, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """All of it; who does not read is waited for here, and hung up on elsewhere."""
        leaving = asyncio.create_task(self._leave(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._client.chunks()) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()
            self._hub.leave(self._client)

    async def _leave(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._client.end()


def live(hub: Hub) -> APIRouter:
    """The stream."""
    router = APIRouter(tags=["now"])

    @router.get(
        "/stream",
        response_class=EventStream,
        status_code=200,
        responses={200: {"content": {"text/event-stream": {}}}, **refusals({503: "Too many watch already"})},
    )
    async def stream(source: Annotated[str | None, Query(max_length=200)] = None) -> Response:
        """States, levels, scores, log-mel columns and events as they come, ten times a second; of one source, or all.

        Events: `state`, `sound`, `event`, `verdict`, and `lost` for who reads too slowly.
        """
        try:
            return EventStream(hub, hub.enter(source))
        except FullError as error:
            raise HTTPException(503, "too many watch already; close another page", {"retry-after": "10"}) from error

    return router
