"""What comes, what was lost, and why nothing comes, from real sockets."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import zmq

from sed.broadcast.bulletin import Bulletin
from sed.curve import Keys, write_keys
from sed.doorkeeper import Admission, Doorkeeper
from sed.errors import ConfigError, UsageError
from sed.listen import subscriber as module
from sed.listen.subscriber import Access, Subscriber
from tests.broker import PATIENCE_SECONDS, eventually, free_port
from tests.listen.told import STATE, told

OURS, SERVER = Keys.new("ours"), Keys.new("server")


@contextmanager
def publishing(port: int = 0, *allowed: Keys) -> Iterator[tuple[Any, str]]:
    """A publisher of ZeroMQ's own, and where it is."""
    with zmq.Context() as context, context.socket(zmq.PUB) as pub:
        pub.linger, door = 0, None
        if allowed:
            door = Doorkeeper(pub, Admission(SERVER, tuple(keys.public for keys in allowed)), "test")
        url = f"tcp://127.0.0.1:{port or free_port()}"
        pub.bind(url)
        try:
            yield pub, url
        finally:
            if door is not None:
                door.close()


def hears(pub: Any, subscriber: Subscriber, topic: str = "hello/yard") -> None:
    """Returns once what is sent arrives."""
    seq = iter(range(10_000))

    def arrived() -> bool:
        pub.send_multipart(told("hello", {}, next(seq), topic.partition("/")[2], session="before").frames())
        return next(subscriber.bulletins(0.02), None) is not None

    eventually(arrived)
    rest(subscriber)


def rest(subscriber: Subscriber, seconds: float = 0.2) -> list[Bulletin]:
    return list(subscriber.bulletins(seconds))


def sent(subscriber: Subscriber, count: int) -> list[Bulletin]:
    """So many, and any that come too many; without those by which `hears` knew that they come."""
    coming = (bulletin for bulletin in subscriber.bulletins(PATIENCE_SECONDS) if bulletin.session != "before")
    return [*islice(coming, count), *(bulletin for bulletin in rest(subscriber) if bulletin.session != "before")]


def test_a_jump_in_the_numbers_of_a_topic_is_a_loss() -> None:
    with publishing() as (pub, url), Subscriber(url) as subscriber:
        hears(pub, subscriber)
        before = subscriber.lost.total()
        for source, seqs in {"yard": [7, 8, 11, 12, 20], "street": [0, 1]}.items():
            for seq in seqs:
                pub.send_multipart(told("state", STATE, seq, source).frames())
        assert len(sent(subscriber, 7)) == 7
        assert subscriber.lost[("gate", "state/yard")] == 2 + 7  # those before the first are not ours
        assert subscriber.lost.total() - before == 9


def test_numbers_that_begin_anew_are_no_loss() -> None:
    with publishing() as (pub, url), Subscriber(url) as subscriber:
        hears(pub, subscriber)
        for session, seq in [("a", 50), ("a", 51), ("b", 4), ("b", 5), ("b", 0), ("b", 1)]:
            pub.send_multipart(told("state", STATE, seq, session=session).frames())
        assert len(sent(subscriber, 6)) == 6
        assert subscriber.lost[("gate", "state/yard")] == 0


def test_one_source_is_not_another_whose_name_begins_alike() -> None:
    with publishing() as (pub, url), Subscriber(url, "yard") as subscriber:
        hears(pub, subscriber)
        for source in ("yard2", "street", "yard", "yar"):
            pub.send_multipart(told("state", STATE, source=source).frames())
        assert [bulletin.source for bulletin in sent(subscriber, 1)] == ["yard"]


def test_what_is_none_of_ours_is_counted() -> None:
    with publishing() as (pub, url), Subscriber(url) as subscriber:
        hears(pub, subscriber)
        for frames in (
            [b"scores/"],
            [b"scores/yard", b"{}", b""],
            [b"state/yard", b"\xff", b""],
            [b"weather", b"rain"],
        ):
            pub.send_multipart(frames)
        pub.send_multipart(told("state", STATE).frames())
        assert [bulletin.kind for bulletin in sent(subscriber, 1)] == ["state"]
        assert subscriber.strange == 3  # the weather was not subscribed to


def test_a_huge_message_is_refused_and_it_goes_on(impatient: None) -> None:
    with publishing() as (pub, url), Subscriber(url) as subscriber:
        hears(pub, subscriber)
        pub.send_multipart([b"state/yard", b"{}", b"x" * 2_000_000])
        rest(subscriber)
        hears(pub, subscriber)


def test_a_publisher_that_goes_and_comes_back() -> None:
    port = free_port()
    with Subscriber(f"tcp://127.0.0.1:{port}") as subscriber:
        for _ in range(2):
            with publishing(port) as (pub, _):
                hears(pub, subscriber)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.1)


def trouble(subscriber: Subscriber, words: str) -> None:
    """Returns once it says so."""
    eventually(lambda: not rest(subscriber, 0.05) and words in subscriber.trouble)


def test_why_nothing_comes(impatient: None) -> None:
    port = free_port()
    url = f"tcp://127.0.0.1:{port}"
    with Subscriber(url, "cellar") as subscriber:
        assert subscriber.trouble == ""  # not yet
        trouble(subscriber, f"no publisher at {url}: is the daemon running, and [zmq] publish set?")
        with publishing(port) as (pub, _):
            trouble(subscriber, f"connected to {url}, but nothing comes from a source 'cellar': is that its name?")
            hears(pub, subscriber, "hello/cellar")
        trouble(subscriber, f"the publisher at {url} has gone; trying again")
    with publishing() as (_, url), Subscriber(url) as subscriber:
        trouble(subscriber, "but nothing comes: is it an earwitness that publishes there?")


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (None, "does not understand us: does it want --key and --server-key, are they right?"),
        (Access(OURS, OURS.public), "does not understand us: does it want --key and --server-key, are they right?"),
        (Access(Keys.new(), SERVER.public), "turns us away: our public key is not among its allowed_keys"),
    ],
    ids=["no key", "wrong server key", "wrong key"],
)
def test_why_a_publisher_with_keys_tells_nothing(impatient: None, access: Access | None, words: str) -> None:
    with publishing(0, OURS) as (_, url), Subscriber(url, access=access) as subscriber:
        trouble(subscriber, words)


def test_a_key_that_is_allowed_later_is_tried_again(impatient: None, tmp_path: Path) -> None:
    port = free_port()
    key, _ = write_keys(tmp_path / "ours", OURS)
    _, server = write_keys(tmp_path / "server", SERVER)
    with Subscriber(f"tcp://127.0.0.1:{port}", access=Access.read(key, server)) as subscriber:
        with publishing(port, Keys.new()):
            trouble(subscriber, "turns us away")
        with publishing(port, OURS) as (pub, _):
            hears(pub, subscriber)
            assert "turns us away" not in subscriber.trouble


def test_keys_go_together(tmp_path: Path) -> None:
    assert Access.read(None, None) is None
    with pytest.raises(UsageError, match="--key and --server-key go together"):
        Access.read(tmp_path / "a.key", None)
    with pytest.raises(ConfigError, match="no such file"):
        Access.read(tmp_path / "a.key", tmp_path / "b.pub")


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:5556", "mqtt://localhost", "tcp://localhost", "tcp://a:b", "tcp://a:99999", "tcp://a:0", "ipc://", ""],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match=r"should be tcp://HOST:PORT, as tcp://127.0.0.1:5556, or ipc://PATH"):
        Subscriber(url)


def test_what_zeromq_does_not_take_is_told() -> None:
    with pytest.raises(UsageError, match=r"listen: ipc://a+: file name too long"):
        Subscriber(f"ipc://{'a' * 200}")


def test_it_never_waits_longer_than_it_is_told() -> None:
    with publishing() as (_, url), Subscriber(url) as subscriber:
        began = time.monotonic()
        assert rest(subscriber, 0.3) == []
        assert 0.3 <= time.monotonic() - began < 30.0
