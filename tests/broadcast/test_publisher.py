"""The PUB socket with real subscribers: those that are late, slow, strange, or not let in."""

import contextlib
import resource
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from sed.broadcast.bulletin import Bulletin
from sed.broadcast.feed import Feed
from sed.broadcast.publisher import Publisher
from sed.curve import Keys
from sed.doorkeeper import Admission
from sed.errors import SinkError
from sed.journal import SourceState
from tests.broadcast.feeds import LABELS, RULES, STATE, origin, scores
from tests.broker import eventually, free_port
from tests.messages import message


class Tower:
    """A publisher of one source, and its feed."""

    def __init__(self, endpoint: str = "", admission: Admission | None = None) -> None:
        self.endpoint = endpoint or f"tcp://127.0.0.1:{free_port()}"
        self.states: list[SourceState] = [STATE]
        self.feed = Feed(origin(), "cafe", lambda: self.publisher.wake())
        self.feed.open = True
        self.publisher = Publisher(
            self.endpoint, admission, {"yard": self.feed}, lambda: self.states, lambda source: RULES
        )

    def __enter__(self) -> "Tower":
        return self

    def __exit__(self, *exc: object) -> None:
        self.publisher.close()


@contextmanager
def subscribed(
    endpoint: str, topic: str = "", keys: Keys | None = None, server: Keys | None = None, buffer: int = 1_000
) -> Iterator[Any]:
    """A subscriber of ZeroMQ's own, ours apart."""
    with zmq.Context() as context, context.socket(zmq.SUB) as sub:
        sub.linger, sub.rcvtimeo, sub.rcvhwm = 0, 120_000, buffer
        if keys and server:
            keys.call(sub, server.public)
        sub.subscribe(topic.encode())
        sub.connect(endpoint)
        yield sub


def next_of(sub: Any, kind: str) -> Bulletin:
    while True:
        bulletin = Bulletin.received(sub.recv_multipart())
        if bulletin.kind == kind:
            return bulletin


def test_whoever_comes_late_learns_what_the_scores_mean() -> None:
    with Tower() as tower, subscribed(tower.endpoint, "hello/") as sub:
        hello = next_of(sub, "hello")
    assert (hello.node, hello.source) == ("gate", "yard")
    assert hello.content() == {
        "model": "toy", "labels": list(LABELS), "on": [0.6, 0.7], "alert": [True, False],
        "sample_rate": 16_000, "hop": 640, "ahead": 1_632,
    }  # fmt: skip


def test_what_is_told_comes_in_order_and_with_nothing_lost() -> None:
    with Tower() as tower, subscribed(tower.endpoint) as sub:
        next_of(sub, "hello")  # now we are known
        sent = message()
        for n in range(100):
            tower.feed.scores(scores(640 * n))
        tower.feed.told(sent)
        heard = [next_of(sub, "scores") for _ in range(100)]
        assert [told.seq for told in heard] == list(range(100))
        assert [float(told.rows()[0, 0]) for told in heard] == list(range(100))
        assert next_of(sub, "event").content() == sent


def test_a_new_state_is_told_at_once_and_an_old_one_again_and_again() -> None:
    with Tower() as tower, subscribed(tower.endpoint, "state/") as sub:
        first, second = next_of(sub, "state"), next_of(sub, "state")
        assert first.content() == second.content() == {"state": "hearing", "dropped_samples": 5, "model": "toy"}
        tower.states = [SourceState("yard", "lost", -120.0, 7, "toy"), SourceState("cellar", "lost", -120.0, 0, "toy")]
        while (told := next_of(sub, "state").content())["state"] == "hearing":
            pass
        assert told == {"state": "lost", "dropped_samples": 7, "model": "toy"}


def test_the_last_words_are_sent() -> None:
    with Tower() as tower, subscribed(tower.endpoint, "event/") as sub:
        with subscribed(tower.endpoint) as other:
            next_of(other, "hello")
        eventually(lambda: _heard(tower, sub))
        last = message(name="LAST")
        tower.feed.told(last)
        tower.publisher.close()
        while (event := next_of(sub, "event").content())["id"] != "LAST":
            pass
        assert event == last


def _heard(tower: Tower, sub: Any) -> bool:
    tower.feed.told(message())
    return bool(sub.poll(50))


def memory() -> int:
    """Resident, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_a_client_that_never_reads_costs_no_memory_and_holds_up_nobody() -> None:
    """10,000 messages of 16 kB are 160 MB; a thousand of them may wait for it."""
    with Tower() as tower, subscribed(tower.endpoint) as sub, subscribed(tower.endpoint, buffer=10) as deaf:
        next_of(sub, "hello")
        next_of(deaf, "hello")
        before = memory()
        for first in range(0, 10_000, 100):
            for n in range(first, first + 100):
                tower.feed.scores(scores(640 * n, rows=2_000))
            tower.publisher.wake()
            assert [next_of(sub, "scores").seq for _ in range(100)] == list(range(first, first + 100))
        assert tower.feed.dropped == 0
        assert memory() - before < 60e6
        heard = [next_of(deaf, "scores").seq for _ in range(50)]
        assert heard == list(range(50))  # the rest would be lost for it, and no one else


def test_noise_at_the_port_harms_nobody() -> None:
    with Tower() as tower, subscribed(tower.endpoint) as sub:
        next_of(sub, "hello")
        port = int(tower.endpoint.rpartition(":")[2])
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100_000, b"\x00" * 10):
            with socket.create_connection(("127.0.0.1", port)) as stranger, contextlib.suppress(OSError):
                stranger.sendall(noise)
        tower.feed.told(message(name="A"))
        assert next_of(sub, "event").content()["id"] == "A"


SERVER, FRIEND, STRANGER = Keys.new("server"), Keys.new("friend"), Keys.new("stranger")


@pytest.mark.parametrize(
    ("keys", "server"),
    [(STRANGER, SERVER), (FRIEND, STRANGER), (None, None)],
    ids=["wrong key", "wrong server", "none"],
)
def test_with_keys_only_the_allowed_hear_anything(
    keys: Keys | None, server: Keys | None, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Tower(admission=Admission(SERVER, (FRIEND.public,))) as tower,
        subscribed(tower.endpoint, keys=keys, server=server) as uninvited,
        subscribed(tower.endpoint, keys=FRIEND, server=SERVER) as sub,
    ):
        eventually(lambda: caplog.messages)
        next_of(sub, "hello")
        tower.feed.told(message(name="A"))
        assert next_of(sub, "event").content()["id"] == "A"
        assert not uninvited.poll(200)
    assert len([line for line in caplog.messages if "turned away" in line]) == 1


def test_over_a_socket_file(tmp_path: Path) -> None:
    path = tmp_path / "ear"
    with Tower(f"ipc://{path}") as tower, subscribed(tower.endpoint) as sub:
        next_of(sub, "hello")
        assert stat.S_ISSOCK(path.stat().st_mode)


def test_a_file_that_is_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("dear diary")
    with pytest.raises(SinkError, match=r"zmq.publish: .*/diary: there already, and no socket; choose another path"):
        Tower(f"ipc://{tmp_path}/diary")
    assert (tmp_path / "diary").read_text() == "dear diary"


@pytest.mark.parametrize("admission", [None, Admission(SERVER, (FRIEND.public,))], ids=["open", "with keys"])
def test_a_port_that_is_taken(admission: Admission | None) -> None:
    with Tower() as tower, pytest.raises(SinkError, match=r"tcp://127.0.0.1:\d+: address already in use; choose an"):
        Tower(tower.endpoint, admission)


def test_the_port_is_free_again_when_it_is_closed() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    for _ in range(3):
        with Tower(endpoint) as tower, subscribed(endpoint) as sub:
            next_of(sub, "hello")
            began = time.monotonic()
            tower.publisher.close()
            assert time.monotonic() - began < 30.0
