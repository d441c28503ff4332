"""A journal that cannot be written for a while, and one that never can again."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sed import backlog
from sed.backlog import Backlog
from sed.errors import SinkError
from sed.journal import Journal
from sed.message import Message
from tests.messages import message


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


def fill(journal: Journal) -> None:
    """Let the disk be full: SQLite may take no further page, and its free ones are used up."""
    pages = journal._file.read("PRAGMA page_count")[0][0]
    journal._file.read(f"PRAGMA max_page_count = {pages}")


def free(journal: Journal) -> None:
    journal._file.read("PRAGMA max_page_count = 1000000")


def long_message() -> Message:
    return message(model="x" * 10_000)  # needs pages of its own


def names(journal: Journal) -> list[object]:
    return [row.message["id"] for row in journal.rows(limit=10_000)]


def test_a_disk_that_is_full_for_a_while_costs_nothing_and_is_told_once(
    journal: Journal, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, sent = Backlog("yard", journal), [long_message() for _ in range(6)]
    waiting.append(sent[0])
    fill(journal)
    for each in sent[1:5]:
        waiting.append(each)
    waiting.retry()
    assert names(journal) == [sent[0]["id"]]
    free(journal)
    waiting.retry()  # too early
    assert len(names(journal)) == 1
    monkeypatch.setattr(waiting, "_retry_at", 0.0)
    waiting.retry()
    assert names(journal) == [each["id"] for each in sent[:5]]
    waiting.append(sent[5])
    waiting.close()
    assert names(journal) == [each["id"] for each in sent]
    assert waiting.discarded == 0
    first, second = caplog.records
    pattern = r"source yard: journal .*: database or disk is full; free some space there, .*; events wait in memory"
    assert re.fullmatch(pattern, first.message)
    assert (second.levelno, second.message) == (
        logging.WARNING,
        "source yard: the journal takes events again, 0 were lost",
    )


def test_memory_has_a_bound_and_what_is_given_up_is_counted(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "LIMIT", 3)
    waiting, sent = Backlog("yard", journal), [long_message() for _ in range(5)]
    fill(journal)
    for each in sent:
        waiting.append(each)
    assert waiting.discarded == 2
    free(journal)
    waiting.close()
    assert names(journal) == [each["id"] for each in sent[2:]]
    assert waiting.discarded == 2


def test_what_is_left_at_the_end_is_counted_and_said(journal: Journal) -> None:
    waiting = Backlog("yard", journal)
    fill(journal)
    waiting.append(long_message())
    waiting.append(long_message())
    with pytest.raises(SinkError, match=r"database or disk is full; .*; 2 messages are lost$"):
        waiting.close()
    assert waiting.discarded == 2
    waiting.close()
