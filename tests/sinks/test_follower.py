"""The thread that follows the journal."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sed.errors import SinkError
from sed.journal import Journal
from sed.sinks import follower
from sed.sinks.follower import IDLE_SECONDS, Follower
from tests.broker import PATIENCE_SECONDS, eventually
from tests.messages import message


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


class Reader:
    """Takes what is in the journal, a row a turn; `error` is raised instead."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.seqs, self.error = journal, list[int](), ""

    def has_read(self, seq: int) -> bool:
        return seq in self.seqs

    def turn(self) -> float:
        if self.error:
            raise SinkError(self.error)
        rows = self.journal.rows(after=max(self.seqs, default=0), limit=1)
        self.seqs += [row.seq for row in rows]
        return 0.0 if rows else 60.0


def test_every_message_is_followed_at_once(journal: Journal) -> None:
    reader = Reader(journal)
    following = Follower("reader", journal, reader.turn)
    delays = []
    for _ in range(20):
        seq, began = journal.append(message()), time.monotonic()
        eventually(partial(reader.has_read, seq))
        delays.append(time.monotonic() - began)
    assert following.close(PATIENCE_SECONDS)
    assert reader.seqs == list(range(1, 21))
    assert sorted(delays)[10] < IDLE_SECONDS / 5  # woken, not polled


def test_the_last_turn_sees_what_came_before_the_close(journal: Journal) -> None:
    reader = Reader(journal)
    following = Follower("reader", journal, reader.turn)
    journal.append(message())
    assert following.close(PATIENCE_SECONDS)
    assert reader.seqs == [1]


def test_an_error_is_told_once_and_the_turn_taken_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0.01)
    reader = Reader(journal)
    reader.error = "disk full"
    journal.append(message())
    following = Follower("reader", journal, reader.turn)
    eventually(lambda: "disk full" in caplog.text)
    time.sleep(0.1)
    reader.error = ""
    eventually(lambda: reader.seqs == [1])
    assert following.close(PATIENCE_SECONDS)
    assert [record.message for record in caplog.records] == ["disk full"]


def test_closing_does_not_wait_for_ever(journal: Journal) -> None:
    go_on = threading.Event()

    def stuck() -> float:
        go_on.wait(PATIENCE_SECONDS)
        return 0.0

    following = Follower("stuck", journal, stuck)
    assert not following.close(timeout=0.05)
    go_on.set()
    assert following.close(PATIENCE_SECONDS)
