"""Who watches live: everybody gets what the feeds have, ten times a second, and who is slow misses some of it."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import cast

from sed.message import Message
from sed.web.feed import Feed

TURN_SECONDS = 0.1
"""How often sound is told."""

BEAT_SECONDS = 1.0
"""How often the states are, when nothing changes."""

CLIENTS = 16
"""Who may watch at once."""

QUEUE = 50
"""Turns that wait for a slow client, five seconds; then it misses the oldest."""

RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a browser comes again."""


class FullError(Exception):
    """There are as many clients as there may be."""


class Client:
    """One who watches; all of it in the server's thread."""

    def __init__(self, source: str | None) -> None:
        """`source` is the only one it wants to hear of; None: all."""
        self._source = source
        self._waiting: deque[bytes] = deque([RETRY])
        self._come = asyncio.Event()
        self._missed, self._over = 0, False

    def put(self, told: list[tuple[str | None, bytes]]) -> None:
        """What happened in one turn, with the source that it is about."""
        chunk = b"".join(text for source, text in told if self._source in (None, source) or source is None)
        if not chunk:
            return
        if len(self._waiting) == QUEUE:
            self._waiting.popleft()
            self._missed += 1
        self._waiting.append(chunk)
        self._come.set()

    def end(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._come.set()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """What there is to send, until `end`."""
        while not self._over:
            self._come.clear()
            while self._waiting and not self._over:
                yield self._waiting.popleft()
                if self._missed:
                    missed, self._missed = self._missed, 0
                    yield event("lost", {"messages": missed})
            if not self._over:
                await self._come.wait()


class Hub:
    """Asks the feeds while anybody watches, and never otherwise."""

    def __init__(self, feeds: Mapping[str, Feed], state: Callable[[], Message], pictured: Callable[[], bool]) -> None:
        """`feeds` by source; `state` tells how all is now, `pictured` whether spectrograms may be shown."""
        self._feeds, self._state, self._pictured = feeds, state, pictured
        self._clients: set[Client] = set()
        self._turning: asyncio.Task[None] | None = None
        self._news: list[tuple[str | None, bytes]] = []

    def __len__(self) -> int:
        return len(self._clients)

    def enter(self, source: str | None = None) -> Client:
        """One more client, which gets the state at once. Raises FullError."""
        if len(self._clients) >= CLIENTS:
            raise FullError
        client = Client(source)
        client.put([(None, event("state", self._state()))])
        self._clients.add(client)
        if self._turning is None:
            self._turning = asyncio.get_running_loop().create_task(self._turn())
        return client

    def leave(self, client: Client) -> None:
        """It watches no more."""
        self._clients.discard(client)

    def tell(self, name: str, content: Message) -> None:
        """News from this server itself, with the next turn."""
        if self._clients:
            self._news.append((None, event(name, content)))

    def close(self) -> None:
        """Nobody watches any more."""
        for client in self._clients:
            client.end()

    async def _turn(self) -> None:
        known, due = dict[str, object](), 0.0
        try:
            while self._clients:
                for feed in list(self._feeds.values()):
                    feed.watch(self._pictured())
                await asyncio.sleep(TURN_SECONDS)
                told, self._news = self._news + self._heard(), []
                state, now = self._state(), time.monotonic()
                if now >= due or _lasting(state) != known:
                    known, due = _lasting(state), now + BEAT_SECONDS
                    told.append((None, event("state", state)))
                for client in self._clients:
                    client.put(told)
        finally:
            self._turning = None
            for feed in list(self._feeds.values()):
                feed.rest()

    def _heard(self) -> list[tuple[str | None, bytes]]:
        return [
            (feed.origin.source, event(name, content))
            for feed in list(self._feeds.values())
            for name, content in feed.taken()
        ]


def _lasting(state: Message) -> Message:
    """What of a state is news when it changes."""
    sources = [{**source, "level_dbfs": None} for source in cast(list[Message], state["sources"])]
    return {**state, "time": None, "sources": sources}


def event(name: str, content: Message) -> bytes:
    """As server-sent events have it (html.spec.whatwg.org, 9.2)."""
    return f"event: {name}\ndata: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
