"""Every page is answered from an index, whatever is asked for: SQLite itself says how it goes about it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sed.history import query
from sed.history.filter import Filter
from sed.history.query import Query
from sed.journal import Journal

WHEN = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "j.db"
    Journal(path).close()
    return path


def tree(path: Path, question: Query) -> list[tuple[int, str]]:
    """Each step, and the one that it is a part of."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute(f"EXPLAIN QUERY PLAN {question.sql}", question.values)
        return [(parent, step) for _, parent, _, step in rows]


def plan(path: Path, question: Query) -> list[str]:
    return [step for _, step in tree(path, question)]


@pytest.mark.parametrize("after", [None, (1_795_000_000_000, 7)])
@pytest.mark.parametrize(
    ("which", "indices"),
    [
        (Filter(), ["history_onset"]),
        (Filter(since=WHEN), ["history_onset (onset>?"]),
        (Filter(labels=("a",)), ["history_label (label=?"]),
        (Filter(labels=("a", "b"), min_score=0.5), ["history_label (label=?"] * 2),
        (Filter(sources=("x",), until=WHEN), ["history_source (source=?"]),
        (Filter(labels=("a", "b"), sources=("x", "y")), ["history_both (label=? AND source=?"] * 4),
        (Filter(verdict="none", min_score=0.5), ["history_onset"]),
    ],
)
def test_places_are_found_in_order_without_sorting(
    path: Path, which: Filter, indices: list[str], after: tuple[int, int] | None
) -> None:
    """Each place comes from an index that holds the score, too; the table is looked into for the page's rows only."""
    steps = tree(path, query.page(which, after, 101, few=False))
    used = [(parent, step) for parent, step in steps if "COVERING INDEX history_" in step]
    assert len(used) == len(indices)
    for (parent, step), index in zip(used, indices, strict=True):
        assert index in step
        assert (parent, "USE TEMP B-TREE FOR ORDER BY") not in steps  # but of equal onsets: the right part only
    found = [step for _, step in steps if step.startswith(("SEARCH h", "SCAN h"))]
    assert set(found) - {step for _, step in used} == {"SEARCH h USING INTEGER PRIMARY KEY (rowid=?)"}


def test_few_high_scores_are_found_by_score(path: Path) -> None:
    which = Filter(min_score=0.99, labels=("a",))
    assert any("history_score (score>?" in step for step in plan(path, query.page(which, None, 101, few=True)))
    assert "COVERING INDEX history_score (score>?" in " ".join(plan(path, query.few_score(which)))


def test_verdicts_are_found_by_themselves(path: Path) -> None:
    steps = plan(path, query.page(Filter(verdict="wrong"), None, 101, few=False))
    assert any("INDEX verdict_verdict (verdict=?)" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN h")]


def test_one_event_and_a_days_counts(path: Path) -> None:
    assert any("(id=?)" in step for step in plan(path, query.one("A")))
    steps = plan(path, query.counts(Filter(since=WHEN, until=WHEN.replace(day=21)), 3_600_000))
    assert any("history_onset (onset>? AND onset<?)" in step for step in steps)
