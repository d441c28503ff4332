"""Who comes in to a CURVE server, and what is said about those who do not."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import zmq

from sed.curve import Keys, PublicKey
from sed.doorkeeper import STRANGERS, Admission, Doorkeeper
from tests.broker import eventually

SERVER, FRIEND, STRANGER = Keys.new("server"), Keys.new("friend"), Keys.new("stranger")


@pytest.fixture
def context() -> Iterator["zmq.Context[zmq.Socket[bytes]]"]:
    with zmq.Context() as made:
        yield made


@contextmanager
def serving(context: Any, *allowed: PublicKey) -> Iterator[tuple[Any, Doorkeeper, str]]:
    """A server that pulls, who lets these in, and where it is."""
    with context.socket(zmq.PULL) as server, Doorkeeper(server, Admission(SERVER, allowed), "yard") as door:
        port = server.bind_to_random_port("tcp://127.0.0.1")
        yield server, door, f"tcp://127.0.0.1:{port}"


@contextmanager
def pushing(context: Any, url: str, keys: Keys | None, server: Keys = SERVER) -> Iterator[Any]:
    with context.socket(zmq.PUSH) as client:
        client.linger = 0
        if keys is not None:
            keys.call(client, server.public)
        client.connect(url)
        client.send(b"hello")
        yield client


def test_who_has_an_allowed_key_comes_in_and_is_known_by_name(context: Any) -> None:
    with serving(context, FRIEND.public) as (server, door, url), pushing(context, url, FRIEND):
        frame = server.recv(copy=False)
        assert (frame.bytes, frame.get("User-Id")) == (b"hello", "friend")
        assert door.turned_away == 0


WRONG = {"a stranger": (STRANGER, SERVER), "a wrong server key": (FRIEND, STRANGER), "no key": (None, SERVER)}


@pytest.mark.parametrize("name", WRONG)
def test_whoever_else_gets_nothing_across_and_is_told_of_once(
    context: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    keys, server_keys = WRONG[name]
    with serving(context, FRIEND.public) as (server, door, url), ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(pushing(context, url, keys, server_keys))
        eventually(lambda: door.turned_away >= 3)
        with pushing(context, url, FRIEND):
            assert server.recv() == b"hello"  # of the friend: the others were earlier
        assert not server.poll(0)
    (line,) = caplog.messages
    assert line.startswith("yard: a client was turned away ")
    assert (f"its public key {STRANGER.public.text} is not allowed" in line) == (keys is STRANGER)


def test_many_strangers_fill_neither_memory_nor_log(
    context: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sed.doorkeeper.STRANGERS", 3)
    assert STRANGERS == 100
    with serving(context, FRIEND.public) as (_, door, url), ExitStack() as opened:
        for _ in range(6):
            opened.enter_context(pushing(context, url, Keys.new()))
        eventually(lambda: door.turned_away == 6)
    assert len(caplog.messages) == 3


def test_without_a_doorkeeper_nobody_comes_in(context: Any) -> None:
    with context.socket(zmq.PULL) as server:
        SERVER.serve(server)
        url = f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}"
        with pushing(context, url, FRIEND):
            assert not server.poll(300)
