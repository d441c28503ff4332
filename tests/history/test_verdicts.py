"""What people say of events stays with them: the last word counts, whoever has the journal open."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sed.errors import SinkError, UsageError
from sed.history.reader import History
from sed.history.verdicts import NoSuchEvent, Verdict, Verdicts
from sed.journal import Journal
from tests.messages import message


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        opened.append(message(name="A"))
        yield opened


def said(path: Path, event: str = "A") -> Verdict | None:
    found = History(path).event(event)
    assert found is not None
    return found.verdict


def test_the_last_one_counts(journal: Journal) -> None:
    verdicts = Verdicts(journal.path)
    assert said(journal.path) is None
    verdicts.give("A", "wrong", by="Ida", comment="a blackbird")
    given = verdicts.give("A", "other", "car_horn")
    assert said(journal.path) == given
    assert (given.verdict, given.label, given.by, given.comment) == ("other", "car_horn", None, None)
    assert abs(given.at - datetime.now(UTC)) < timedelta(minutes=5)


def test_another_label_that_is_the_same_is_right(journal: Journal) -> None:
    given = Verdicts(journal.path).give("A", "other", "siren")
    assert (given.verdict, given.label) == ("right", None)
    assert said(journal.path) == given


def test_it_survives_a_restart_and_the_events_end(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.append(message(name="A"))
    given = Verdicts(path).give("A", "wrong", by="Ida", comment="ein Käuzchen")  # nobody has it open
    with Journal(path) as journal:
        journal.close_abandoned()
        assert said(path) == given
    assert said(path) == given


def test_it_can_be_taken_back(journal: Journal) -> None:
    verdicts = Verdicts(journal.path)
    verdicts.give("A", "right")
    assert verdicts.withdraw("A")
    assert said(journal.path) is None
    assert not verdicts.withdraw("A")
    assert not verdicts.withdraw("nobody's")


def test_another_process_may_give_it_while_the_journal_is_open(journal: Journal) -> None:
    code = (
        "import sys; from pathlib import Path; from sed.history.verdicts import Verdicts; "
        "Verdicts(Path(sys.argv[1])).give('A', 'right')"
    )
    subprocess.run([sys.executable, "-c", code, str(journal.path)], check=True, timeout=240)
    assert said(journal.path).verdict == "right"  # type: ignore[union-attr]
    assert journal.append(message("end", name="A")) == 2


def test_many_threads_give_them_while_events_are_written(journal: Journal) -> None:
    for n in range(20):
        journal.append(message(name=f"{n}"))
    verdicts = Verdicts(journal.path)
    threads = [
        threading.Thread(target=lambda own=own: [verdicts.give(f"{n}", own) for n in range(20)])
        for own in ("right", "wrong", "right")
    ]
    for thread in threads:
        thread.start()
    for _ in range(20):
        journal.append(message())
    for thread in threads:
        thread.join(60.0)
    assert {said(journal.path, f"{n}") is not None for n in range(20)} == {True}


@pytest.mark.parametrize(
    ("verdict", "label", "complaint"),
    [
        ("maybe", None, "verdict: need one of right, wrong, other, got 'maybe'"),
        ("other", None, "verdict: need a label with 'other', and with nothing else, got 'other'"),
        ("right", "siren", "verdict: need a label with 'other', and with nothing else, got 'right'"),
        ("other", "", "need a label of letters, digits, _ and -, such as car_horn, got ''"),
        ("other", "car horn", "need a label of letters"),
        ("other", "a" * 65, "need a label of letters"),
        ("other", "../a", "need a label of letters"),
    ],
)
def test_wrong_verdicts(journal: Journal, verdict: str, label: str | None, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Verdicts(journal.path).give("A", verdict, label)
    assert said(journal.path) is None


@pytest.mark.parametrize("comment", ["a" * 1_001, "two\nlines", "\x1b[2J", "\ud800"])
def test_comments_are_one_line(journal: Journal, comment: str) -> None:
    with pytest.raises(UsageError, match=r"need one line of 1,000 characters at most"):
        Verdicts(journal.path).give("A", "right", comment=comment)


@pytest.mark.parametrize("event", ["B", "", "a'; DROP TABLE verdict; --", "\ud800"])
def test_no_such_event(journal: Journal, event: str) -> None:
    with pytest.raises(NoSuchEvent, match=r"not in the journal .*journal\.db; 'earwitness events' lists those"):
        Verdicts(journal.path).give(event, "right")


def test_a_journal_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no such file"):
        Verdicts(tmp_path / "j.db").give("A", "right")
    assert list(tmp_path.iterdir()) == []
