"""What a summary counts, against the same counted one by one in Python."""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from sed.archive.engine import Outcome
from sed.archive.summary.calendar import MOST_COLUMNS, calendar
from sed.archive.summary.failures import MOST_EXAMPLES, MOST_KINDS, OTHER, failures, kind
from sed.archive.summary.positions import COLUMNS, by_position
from sed.archive.summary.standouts import MOST, standouts
from sed.archive.summary.tally import QUARTER, count
from sed.formats import Detection
from sed.metadata import Rule
from tests.archive.scanned import detection, outcome, write_scan

LABELS = ("siren", "gun_shot", "dog")
BEGIN = datetime(2026, 3, 28, 20, 7, 11, tzinfo=UTC)  # the night in which Europe's clocks go forward

_outcomes = st.lists(
    st.builds(
        lambda number, at, seconds, known, onsets: outcome(
            f"{number}.wav",
            *(
                detection(f"{number}.wav", share * seconds, LABELS[n % 3], 0.5 + share / 2, -90.0 + 80.0 * share)
                for n, share in enumerate(onsets)
            ),
            begins=BEGIN + timedelta(seconds=at) if known else None,
            seconds=seconds,
        ),
        st.integers(0, 10**9),
        st.floats(0.0, 3e5),
        st.floats(0.1, 10_000.0),
        st.booleans(),
        st.lists(st.floats(0.0, 1.0, width=16), max_size=6),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.recording.name,
)


@settings(max_examples=20)
@given(_outcomes, _outcomes)
def test_hours_and_days_are_those_of_the_zone(first: list[Outcome], second: list[Outcome]) -> None:
    zone = ZoneInfo("Europe/Berlin")
    with tempfile.TemporaryDirectory() as folder:
        tally = count(write_scan(Path(folder), first, second))
    outcomes = [*first, *second]
    events = [(d.label, o.begins, d) for o in outcomes for d in o.detections]
    assert tally.events == Counter(label for label, _, _ in events)
    assert tally.seconds == pytest.approx(sum(o.duration for o in outcomes))
    assert tally.dated == sum(o.begins is not None for o in outcomes)
    assert {label: int(scores.sum()) for label, scores in tally.scores.items()} == dict(tally.events)
    known = [(label, (b + timedelta(seconds=d.onset)).astimezone(zone)) for label, b, d in events if b is not None]
    assert tally.timed == len(known)
    found = calendar(tally, zone)
    assert (found is None) == (tally.dated == 0)
    if found is None:
        return
    hours, days = Counter((label, at.hour) for label, at in known), Counter((at.date(), at.hour) for _, at in known)
    grid = np.sum([np.zeros((24, len(found.starts))), *map(found.by_step, tally.quarters.values())], axis=0)
    for label, own in tally.quarters.items():
        assert found.by_hour(own).tolist() == [hours[label, hour] for hour in range(24)]
    if found.step == "day":
        starts = [start.item() for start in found.starts]
        assert {(starts[day], hour): grid[hour, day] for hour, day in np.argwhere(grid).tolist()} == days
    np.testing.assert_allclose(found.by_hour(tally.heard), _heard_by_hour(outcomes, zone), atol=1e-3)


def _heard_by_hour(outcomes: Sequence[Outcome], zone: ZoneInfo) -> list[float]:
    """Seconds of sound in each hour of the day, quarter by quarter."""
    hours = [0.0] * 24
    for one in (one for one in outcomes if one.begins is not None):
        assert one.begins is not None
        at, end = one.begins.timestamp(), one.begins.timestamp() + one.duration
        while at < end:
            until = min(end, (at // QUARTER + 1) * QUARTER)
            hours[datetime.fromtimestamp(at, zone).hour] += until - at
            at = until
    return hours


def test_an_hour_that_is_twice_in_a_night(tmp_path: Path) -> None:
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, and an hour later 02:30 again
    outcomes = [outcome(f"{n}", detection(f"{n}", 1.0), begins=autumn + timedelta(hours=n)) for n in range(3)]
    tally = count(write_scan(tmp_path, outcomes))
    found = calendar(tally, ZoneInfo("Europe/Berlin"))
    assert found is not None
    assert np.flatnonzero(found.by_hour(tally.quarters["tone"])).tolist() == [2, 3]
    assert found.by_hour(tally.quarters["tone"])[2] == 2
    assert found.span == "25 Oct 2026"


@pytest.mark.parametrize(
    ("days", "step", "columns", "first"),
    [
        (0, "day", 1, "28 Mar"),
        (61, "day", 62, "28 Mar"),
        (62, "week", 10, "23 Mar"),  # the Monday before
        (1_000, "month", 34, "Mar 2026"),
        (20_000, "year", 55, "2026"),
    ],
)
def test_steps_grow_with_the_span(tmp_path: Path, days: int, step: str, columns: int, first: str) -> None:
    ends = [outcome(f"{n}", begins=BEGIN + timedelta(days=n)) for n in {0, days}]
    found = calendar(count(write_scan(tmp_path, ends)), UTC)
    assert found is not None
    assert (found.step, len(found.starts), found.name(0)) == (step, columns, first)
    assert len(found.starts) <= MOST_COLUMNS
    assert found.first == date(2026, 3, 28)


def test_broken_clocks_are_on_no_picture(tmp_path: Path) -> None:
    strange = [datetime(1969, 7, 20, tzinfo=UTC), datetime(2400, 1, 1, tzinfo=UTC)]
    outcomes = [outcome(f"{n}", detection(f"{n}", 1.0), begins=begins) for n, begins in enumerate(strange)]
    tally = count(write_scan(tmp_path, outcomes))
    assert (tally.events.total(), tally.timed, calendar(tally, UTC)) == (2, 0, None)


@settings(max_examples=20)
@given(_outcomes, _outcomes)
def test_positions_follow_the_tables(first: list[Outcome], second: list[Outcome]) -> None:
    outcomes = [*first, *second]
    total = sum(one.duration for one in outcomes)
    expected, begin = np.zeros((len(LABELS), COLUMNS)), 0.0
    for one in outcomes:
        for d in one.detections:
            expected[LABELS.index(d.label), min(COLUMNS - 1, int((begin + d.onset) / total * COLUMNS))] += 1
        begin += one.duration
    unique = len({one.recording.name for one in outcomes}) == len(outcomes)
    with tempfile.TemporaryDirectory() as folder:
        found = by_position(write_scan(Path(folder), first, second), LABELS, total)
    assert found.sum() == expected.sum()
    if unique:  # rounding may put an event that stands on an edge to either side
        assert np.abs(np.cumsum(found - expected, axis=1)).max() <= 1.0


@settings(max_examples=20)
@given(st.lists(_outcomes, min_size=1, max_size=3))
def test_standouts_are_those_of_a_full_sort(parts: list[list[Outcome]]) -> None:
    rules = {label: Rule(on=0.3 + 0.1 * n) for n, label in enumerate(LABELS)}
    with tempfile.TemporaryDirectory() as folder:
        loudest, doubtful = standouts(write_scan(Path(folder), *parts), LABELS, rules)
    events = [d for part in parts for one in part for d in one.detections]
    for label in LABELS:
        own, on = [d for d in events if d.label == label], rules[label].on
        levels = {n: float(np.float32(d.level_dbfs)) for n, d in enumerate(own)}
        closeness = {n: on - float(np.float32(d.score)) for n, d in enumerate(own)}
        assert [s.level_dbfs for s in loudest if s.label == label] == pytest.approx(_highest(own, levels))
        assert [on - s.score for s in doubtful if s.label == label] == pytest.approx(_highest(own, closeness))


def _highest(own: Sequence[Detection], ranks: Mapping[int, float]) -> list[float]:
    """The highest few, one a file."""
    best: dict[str, float] = {}
    for n, one in enumerate(own):
        best[one.filename] = max(best.get(one.filename, -np.inf), ranks[n])
    return sorted(best.values(), reverse=True)[: MOST // len(LABELS)]


def test_many_labels_share_one_sheet(tmp_path: Path) -> None:
    labels = [f"label {n}" for n in range(MOST + 8)]
    write_scan(tmp_path, [outcome(f"{n}", *(detection(f"{n}", 1.0, label) for label in labels)) for n in range(3)])
    loudest, _ = standouts(tmp_path, labels, {})
    assert [one.label for one in loudest] == labels[:MOST]


def test_errors_by_kind(tmp_path: Path) -> None:
    bad = [
        outcome(f"b{n}.wav", status="failed", error=f"the data ends early, after {n}.25 s: 4% of it") for n in range(9)
    ]
    slow = [outcome("slow.wav", status="timed_out", error="took longer than 60 s; see --time-limit")]
    found = failures(write_scan(tmp_path, [outcome("good.wav"), *bad], slow))
    assert [(one.status, one.kind, one.count) for one in found] == [
        ("failed", "the data ends early, after … s: …% of it", 9),
        ("timed_out", "took longer than … s; see --time-limit", 1),
    ]
    assert found[0].examples == [
        (f"b{n}.wav", f"the data ends early, after {n}.25 s: 4% of it") for n in range(MOST_EXAMPLES)
    ]


def test_kinds_without_end_are_counted_together(tmp_path: Path) -> None:
    words = ["".join(chr(97 + n // 26**k % 26) for k in range(3)) for n in range(2 * MOST_KINDS)]
    found = failures(write_scan(tmp_path, [outcome(word, status="failed", error=word) for word in words]))
    assert (len(found), found[-1].kind, found[-1].count) == (MOST_KINDS + 1, OTHER, MOST_KINDS)


def test_what_is_quoted_makes_no_new_kind() -> None:
    assert kind("cannot be fetched ([Errno 2] No such file: '/a/b 7.wav')") == kind(
        "cannot be fetched ([Errno 2] No such file: '/c.wav')"
    )
