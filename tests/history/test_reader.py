"""Looking back at whole events: joined, filtered, in pages; bounded by a slow reading of the same messages."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.errors import DamagedError, SinkError, UsageError
from sed.history.event import WholeEvent
from sed.history.filter import Filter
from sed.history.reader import Count, History
from sed.history.verdicts import Verdicts
from sed.journal import Journal
from sed.message import rfc3339
from tests.messages import message

BEGIN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as opened:
        yield opened


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def append(journal: Journal, name: str, minutes: float, *, ended: bool = True, **changes: Any) -> None:
    """An event of two seconds."""
    onset = rfc3339(at(minutes))
    journal.append(message(name=name, onset=onset, **changes))
    if ended:
        offset = rfc3339(at(minutes) + timedelta(seconds=2))
        journal.append(message("end", name=name, onset=onset, offset=offset, duration=2.0, **changes))


def ids(history: History, which: Filter | None = None) -> str:
    return " ".join(event.id for event in history.walk(which or Filter()))


def test_start_and_end_are_one_event(journal: Journal) -> None:
    journal.append(message(name="A", score=0.8, level_dbfs=-30.1, lost_samples=5, clip="A.flac"))
    journal.append(message("end", name="A", score=0.9123, level_dbfs=-23.1, lost_samples=7, clip="A.flac"))
    (event,) = History(journal.path).events().events
    assert event == WholeEvent(
        id="A", node="gate", source="yard", label="siren", onset=datetime(2026, 11, 20, 2, 59, 1, tzinfo=UTC),
        offset=datetime(2026, 11, 20, 2, 59, 2, 500_000, tzinfo=UTC), duration=1.5, score=0.9123, level_dbfs=-23.1,
        lost_samples=12, model="earwitness-1", clip="A.flac",
        detected_at=datetime(2026, 11, 20, 2, 59, 3, tzinfo=UTC), open=False, verdict=None,
    )  # fmt: skip
    document = event.document()
    assert (document["onset"], document["offset"]) == ("2026-11-20T02:59:01.000Z", "2026-11-20T02:59:02.500Z")


def test_an_event_is_there_from_its_start_on(journal: Journal) -> None:
    append(journal, "A", 1, ended=False)
    event = History(journal.path).event("A")
    assert event is not None
    assert (event.open, event.offset, event.duration) == (True, None, None)
    assert History(journal.path).event("B") is None
    assert History(journal.path).event("\ud800") is None


def test_an_abandoned_event_is_over_and_nobody_knows_when(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        append(journal, "A", 1, ended=False, clip="A.flac")
    with Journal(tmp_path / "j.db") as journal:
        journal.close_abandoned()
    (event,) = History(tmp_path / "j.db").events().events  # read while nobody has it open
    assert (event.open, event.offset, event.duration, event.clip) == (False, None, None, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["j.db", "j.db.lock"]


def test_an_end_whose_start_was_discarded_is_an_event(journal: Journal) -> None:
    journal.append(message("end", name="A"))
    assert ids(History(journal.path)) == "A"


def test_newest_onset_first_whatever_the_order_of_telling(journal: Journal) -> None:
    for name, minutes in (("B", 2), ("A", 1), ("D", 4), ("C", 3), ("C2", 3)):
        append(journal, name, minutes)
    assert ids(History(journal.path)) == "D C2 C B A"


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Filter(), "D C B A"),
        (Filter(labels=("siren",)), "B A"),
        (Filter(labels=("siren", "gun_shot")), "C B A"),
        (Filter(labels=("siren", "siren")), "B A"),
        (Filter(labels=(*map(str, range(19)), "siren"), sources=(*map(str, range(19)), "yard")), "A"),
        (Filter(labels=("horn",)), ""),
        (Filter(sources=("street",)), "D B"),
        (Filter(sources=("street", "yard"), labels=("siren",)), "B A"),
        (Filter(labels=("siren",), sources=("street",)), "B"),
        (Filter(since=at(2)), "D C B"),
        (Filter(since=at(2), until=at(4)), "C B"),
        (Filter(until=at(2)), "A"),
        (Filter(since=at(2).astimezone()), "D C B"),
        (Filter(min_score=0.7), "C B"),
        (Filter(min_score=0.70001), "C"),
        (Filter(min_score=0.7, sources=("street",)), "B"),
        (Filter(verdict="right"), "A"),
        (Filter(verdict="wrong"), "B"),
        (Filter(verdict="other"), "C"),
        (Filter(verdict="given"), "C B A"),
        (Filter(verdict="none"), "D"),
        (Filter(verdict="given", labels=("siren",), until=at(2)), "A"),
        (Filter(verdict="none", labels=("siren",)), ""),
    ],
)
def test_filters(journal: Journal, which: Filter, found: str) -> None:
    append(journal, "A", 1, score=0.6)
    append(journal, "B", 2, score=0.7, source="street")
    append(journal, "C", 3, score=0.8, label="gun_shot")
    append(journal, "D", 4, score=0.5, label="glass_break", source="street")
    verdicts, history = Verdicts(journal.path), History(journal.path)
    verdicts.give("A", "right")
    verdicts.give("B", "wrong")
    verdicts.give("C", "other", "car_horn")
    assert ids(history, which) == found
    assert sum(count.count for count in history.counts(which)) == len(found.split())


EVENTS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 4), st.booleans()),
    max_size=8,
)
WHICH = st.builds(
    Filter,
    labels=st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
    sources=st.sampled_from([(), ("x",), ("x", "y")]),
    since=st.sampled_from([None, at(1), at(2)]),
    until=st.sampled_from([None, at(3), at(5)]),
    min_score=st.sampled_from([None, 0.0, 0.5, 1.0]),
    verdict=st.sampled_from([None, "wrong", "given", "none"]),
)


@given(events=EVENTS, which=WHICH, limit=st.integers(1, 5), few=st.sampled_from([0, 5_000]))
@settings(max_examples=25)
def test_pages_together_are_all_that_fit(
    tmp_path_factory: pytest.TempPathFactory, events: list[Any], which: Filter, limit: int, few: int
) -> None:
    """However many a page holds, and whichever index answers."""
    path = tmp_path_factory.mktemp("pages") / "j.db"
    with Journal(path) as journal, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sed.history.reader.FEW", few)
        for n, (minutes, label, source, score, wrong) in enumerate(events):
            append(journal, f"{n}", minutes, ended=n % 2 == 0, label=label, source=source, score=score / 4)
            if wrong:
                Verdicts(path).give(f"{n}", "wrong")
        found, after = list[str](), None
        while True:
            page = History(path).events(which, limit, after)
            assert len(page.events) <= limit
            found += [event.id for event in page.events]
            if (after := page.next) is None:
                break
    assert found == slowly(events, which)


def slowly(events: list[Any], which: Filter) -> list[str]:
    fitting = []
    for n, (minutes, label, source, score, wrong) in enumerate(events):
        fits = (
            (not which.labels or label in which.labels)
            and (not which.sources or source in which.sources)
            and (which.since is None or at(minutes) >= which.since)
            and (which.until is None or at(minutes) < which.until)
            and score / 4 >= (which.min_score or 0.0)
            and (which.verdict is None or wrong == (which.verdict != "none"))
        )
        if fits:
            fitting.append((minutes, n))
    return [str(n) for _, n in sorted(fitting, reverse=True)]


def test_a_page_goes_on_where_the_last_one_ended_though_new_events_come(journal: Journal) -> None:
    for n in range(4):
        append(journal, f"{n}", n)
    first = History(journal.path).events(limit=2)
    append(journal, "new", 10)
    second = History(journal.path).events(limit=2, after=first.next)
    assert [event.id for event in (*first.events, *second.events)] == ["3", "2", "1", "0"]
    assert second.next is None


def test_a_place_beyond_the_filter_leads_to_nothing_more(journal: Journal) -> None:
    for n in range(4):
        append(journal, f"{n}", n)
    page = History(journal.path).events(Filter(until=at(1)), after="9000000000000-9")
    assert [event.id for event in page.events] == ["0"]


def test_counts_are_by_slot_label_and_source(journal: Journal) -> None:
    for n, (minutes, label) in enumerate([(0, "siren"), (59, "siren"), (59, "gun_shot"), (60, "siren")]):
        append(journal, f"{n}", minutes, label=label)
    history = History(journal.path)
    assert history.counts(every=3_600.0) == (
        Count(at(0), "gun_shot", "yard", 1),
        Count(at(0), "siren", "yard", 2),
        Count(at(60), "siren", "yard", 1),
    )
    assert Counter({c.begin: c.count for c in history.counts(Filter(labels=("siren",)))}) == {
        datetime(2026, 11, 20, tzinfo=UTC): 3
    }


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda h: h.events(limit=0), "limit: need a number from 1 to 1000, got 0"),
        (lambda h: h.events(limit=1_001), "limit: need"),
        (lambda h: h.events(after="next"), "after: need the 'next' of the page before, got 'next'"),
        (lambda h: h.events(after="9" * 400 + "-1"), "after: need the 'next'"),
        (lambda h: h.counts(every=1.0), "every: need seconds from 60 on, got 1"),
        (lambda h: h.counts(every=float("nan")), "every: need"),
    ],
)
def test_wrong_questions(journal: Journal, ask: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        ask(History(journal.path))


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        ({"labels": ("",)}, r"label: need no empty ones, got \(''"),
        ({"sources": tuple(map(str, range(21)))}, "source: need 20 at most, got 21"),
        ({"since": datetime(2026, 1, 1)}, "since: need a time with a zone, got 2026-01-01T00:00:00"),
        ({"until": datetime(1, 1, 1, tzinfo=UTC)}, "until: need a time from 1970 on"),
        ({"since": at(1), "until": at(1)}, "since: need a time before until"),
        ({"min_score": 1.5}, "min_score: need a number from 0 to 1, got 1.5"),
        ({"min_score": float("nan")}, "min_score: need a number from 0 to 1"),
        ({"verdict": "maybe"}, "verdict: need one of right, wrong, other, given, none, got 'maybe'"),
    ],
)
def test_wrong_filters(made: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Filter(**made)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"j\.db: no such file; 'earwitness run' makes it"):
        History(tmp_path / "j.db").events()
    (tmp_path / "j.db").write_bytes(b"rubbish" * 1_000)
    with pytest.raises(DamagedError, match=r"j\.db: file is not a database"):
        History(tmp_path / "j.db").events()
    (tmp_path / "empty.db").touch()
    with pytest.raises(SinkError, match="a database of another program"):
        History(tmp_path / "empty.db").events()


def test_many_threads_look_back_while_events_are_written(journal: Journal) -> None:
    troubles: list[Exception] = []

    def look() -> None:
        try:
            for _ in range(20):
                found = [event.id for event in History(journal.path).walk()]
                assert found == sorted(found, reverse=True)
        except Exception as error:  # noqa: BLE001 - told below
            troubles.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(30):
        append(journal, f"{n:03}", n)
    for thread in threads:
        thread.join(60.0)
    assert troubles == []
    assert len(ids(History(journal.path)).split()) == 30
