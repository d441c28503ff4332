"""What is told live: in its place, nothing while nobody watches, and never more than can wait."""

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.message import Message
from sed.signals import Block, Floats, Frames
from sed.web.feed import LIMIT, Feed
from sed.web.hub import CLIENTS, QUEUE, Client, FullError, Hub
from sed.web.strip import FLOOR_DB, STEP_DB
from tests.broadcast.feeds import origin, scores
from tests.messages import message
from tests.toy import RATE

MELS = np.random.default_rng(3).uniform(-100.0, 50.0, (200, 64)).astype(np.float32)


def watched() -> Feed:
    feed = Feed(origin())
    feed.watch(pictured=True)
    return feed


def frames(start: int, values: Floats) -> Frames:
    return Frames(160 * start, 160, values)


def mels(told: Message) -> Floats:
    data = np.frombuffer(base64.b64decode(str(told["mel"])), np.uint8).reshape(-1, 64)
    return (FLOOR_DB + STEP_DB * data).astype(np.float32)


def test_nothing_is_kept_while_nobody_watches() -> None:
    feed = Feed(origin())
    for each in (feed, (rested := watched())):
        rested.rest()
        each.frames(frames(0, MELS))
        each.scores(scores())
        each.told(message())
        each.block(Block(0, np.ones(RATE, np.float32)))
        assert list(each.taken()) == []


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_whatever_the_pieces_a_strip_is_whole_and_in_its_place(sizes: list[int]) -> None:
    feed, at = watched(), 100
    for size in sizes:
        feed.frames(frames(at, MELS[at % 100 : at % 100 + size]))
        at += size
    ((name, told),) = feed.taken()
    assert (name, told["source"], told["mel_at"]) == ("sound", "yard", "2026-01-01T00:00:01.000Z")
    assert len(mels(told)) == sum(sizes)
    np.testing.assert_allclose(mels(told)[: sizes[0]], MELS[: sizes[0]], atol=STEP_DB / 2 + 1e-3)


def test_what_lies_outside_is_cut_and_never_wraps() -> None:
    feed = watched()
    feed.frames(frames(0, np.array([[-300.0] * 64, [300.0] * 64], np.float32)))
    ((_, told),) = feed.taken()
    np.testing.assert_allclose(mels(told)[:, 0], [FLOOR_DB, FLOOR_DB + 255 * STEP_DB])


def test_a_loss_begins_another_strip() -> None:
    feed = watched()
    feed.frames(frames(0, MELS[:10]))
    feed.frames(frames(60, MELS[:5]))
    told = [content for _, content in feed.taken()]
    assert [(len(mels(each)), each["mel_at"]) for each in told] == [
        (10, "2026-01-01T00:00:00.000Z"),
        (5, "2026-01-01T00:00:00.600Z"),
    ]


def test_a_spectrogram_is_sound_and_stays_here_where_sound_must() -> None:
    feed = Feed(origin())
    feed.watch(pictured=False)
    feed.frames(frames(0, MELS[:10]))
    feed.scores(scores())
    ((_, told),) = feed.taken()
    assert set(told) == {"source", "scores", "scores_at"}


def test_scores_and_level() -> None:
    feed = watched()
    feed.scores(scores(0, rows=2))
    feed.block(Block(0, np.full(1_600, 0.1, np.float32)))
    ((_, told),) = feed.taken()
    assert list(base64.b64decode(str(told["scores"]))) == [0, 0, 255, 128]
    assert told["level_dbfs"] == pytest.approx(-20.0, abs=0.1)


def test_nobody_comes_for_it_and_memory_stays_small() -> None:
    feed = watched()
    for n in range(3 * LIMIT):
        feed.frames(frames(n, MELS[:1]))
    ((_, told),) = feed.taken()
    assert len(mels(told)) == LIMIT
    assert told["mel_at"] == origin().clock.stamp(160 * 2 * LIMIT)


def state() -> Message:
    return {"time": "now", "sources": [{"name": "yard", "level_dbfs": -30.0, "state": "hearing"}]}


def parsed(chunk: bytes) -> list[tuple[str, Any]]:
    texts = [text.split("\n") for text in chunk.decode().strip().split("\n\n")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in texts]


def test_who_is_slow_misses_the_oldest_and_is_told_so() -> None:
    async def scene() -> list[bytes]:
        client = Client(None)
        for n in range(QUEUE + 10):
            client.put([("yard", f"event: sound\ndata: {n}\n\n".encode())])
        read = []
        async for chunk in client.chunks():
            read.append(chunk)
            if len(read) == QUEUE + 1:
                client.end()
        return read

    told = asyncio.run(scene())
    assert len(told) == QUEUE + 1
    assert parsed(told[1]) == [("lost", {"messages": 11})]  # the first that was lost is `retry`
    assert parsed(told[-1]) == [("sound", QUEUE + 9)]


def test_all_hear_the_same_and_then_nobody_asks_the_feeds() -> None:
    feed = Feed(origin())

    async def scene() -> list[list[bytes]]:
        hub = Hub({"yard": feed}, state, lambda: True)
        clients = [hub.enter(), hub.enter("yard"), hub.enter("street")]
        await asyncio.sleep(0)
        feed.told(message())
        hub.tell("verdict", {"id": "1"})
        heard: list[list[bytes]] = []
        for client in clients:
            chunks = client.chunks()
            heard.append([await anext(chunks), await anext(chunks), await anext(chunks)])
            hub.leave(client)
        await asyncio.sleep(0.3)
        assert len(hub) == 0
        return heard

    heard = asyncio.run(scene())
    assert heard[0] == heard[1]
    assert [name for name, _ in parsed(heard[0][1])] == ["state"]
    assert sorted(name for name, _ in parsed(heard[0][2])) == ["event", "state", "verdict"]
    assert sorted(name for name, _ in parsed(heard[2][2])) == ["state", "verdict"]
    feed.told(message())
    assert list(feed.taken()) == []


def test_no_more_than_so_many() -> None:
    async def scene() -> None:
        hub = Hub({}, state, lambda: True)
        clients = [hub.enter() for _ in range(CLIENTS)]
        with pytest.raises(FullError):
            hub.enter()
        hub.leave(clients[0])
        hub.enter()
        hub.close()

    asyncio.run(scene())
