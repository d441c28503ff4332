"""The tracker against drawings, a slow batch reference, and a case with known answers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from sed.metadata import Rule
from sed.postprocess import Rejection, Tracker
from sed.signals import Event, Floats, Scores

RATE, HOP = 16_000, 640
PERIOD = HOP / RATE
AHEAD = 2_272


def track(
    columns: Mapping[str, Floats],
    rules: Mapping[str, Rule],
    sizes: Sequence[int] = (10**6,),
    hop: int = HOP,
    see: Callable[[Rejection], None] | None = None,
) -> tuple[list[Event], Tracker]:
    """All messages for whole recordings of scores, handed over in chunks of `sizes` rows, over and over."""
    values = np.stack([columns[label] for label in columns], axis=1).astype(np.float32)
    tracker = Tracker(tuple(columns), rules, RATE, see)
    events: list[Event] = []
    start, n = 0, 0
    while start < len(values):
        rows = values[start : start + sizes[n % len(sizes)]]
        events += tracker.update(Scores(start * hop, hop, rows, AHEAD))
        start, n = start + len(rows), n + 1
    return events + tracker.close(), tracker


def spans(events: list[Event], hop: int = HOP) -> list[str]:
    return [f"{e.onset // hop}-{(e.offset or 0) // hop}" for e in events if e.phase == "end"]


def curve(drawing: str) -> Floats:
    """`#` is on, `-` lies between `off` and `on`, `_` is off."""
    return np.array([{"#": 0.9, "-": 0.5, "_": 0.1}[c] for c in drawing], np.float32)


def rows(n: float) -> float:
    return n * PERIOD


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ("__####__", ["2-6"]),  # plain
        ("__##-##_", ["2-7"]),  # a dip above `off` does not split
        ("__##_##_", ["2-7"]),  # a gap of max_gap is filled
        ("__##__##", ["2-4", "6-8"]),  # a longer one is not
        ("__#_____", []),  # shorter than min_duration
        ("__#_#___", ["2-5"]),  # long enough once the gap is filled
        ("__--____", []),  # never reached `on`
        ("__#-____", ["2-4"]),  # above `off` counts as duration
        ("____##", ["4-6"]),  # ends with the sound
        ("_____#", []),
        ("######", ["0-6"]),
        ("________", []),
    ],
)
def test_drawings(scores: str, expected: list[str]) -> None:
    rule = Rule(on=0.8, off=0.3, min_duration=rows(2), max_gap=rows(1))
    for sizes in ([1], [3], [100]):
        assert spans(track({"x": curve(scores)}, {"x": rule}, sizes)[0]) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ("__--##__", ["2-6"]),  # it rose above `off` two rows before
        ("_----##_", ["2-7"]),  # but no further back than max_rise
        ("-_--##__", ["2-6"]),
        ("__-#____", ["2-4"]),  # what rose counts as duration
        ("#__--##_", ["3-7"]),
        ("##--_-##", ["0-4", "5-8"]),
        ("##-#-_-#", ["0-5", "6-8"]),
        ("--##____", ["0-4"]),
        ("__----__", []),
    ],
)
def test_onsets_go_back_to_the_rise(scores: str, expected: list[str]) -> None:
    rule = Rule(on=0.8, off=0.3, min_duration=rows(2), max_gap=0.0, max_rise=rows(3))
    for sizes in ([1], [3], [100]):
        assert spans(track({"x": curve(scores)}, {"x": rule}, sizes)[0]) == expected


def batch(scores: Floats, rule: Rule) -> tuple[list[tuple[int, int]], list[tuple[str, int, int, float]]]:
    """Smooth, threshold with hysteresis, fill gaps, move onsets back, drop short, drop in cooldown: one pass each.

    Returns the events, and what was dropped with its reason and its highest score.
    """
    smooth = scipy.ndimage.median_filter(scores, rule.median, mode="nearest")
    active = np.zeros(len(smooth) + 2, bool)
    for n, score in enumerate(smooth, start=1):
        active[n] = score >= rule.on or (active[n - 1] and score >= rule.off)
    edges = np.flatnonzero(np.diff(active))
    runs = [(int(a), int(b)) for a, b in zip(edges[0::2], edges[1::2], strict=True)]
    filled: list[tuple[int, int]] = []
    for run in runs:
        if filled and (run[0] - filled[-1][1]) * PERIOD <= rule.max_gap + 1e-9:
            filled[-1] = (filled[-1][0], run[1])
        else:
            filled.append(run)
    told: list[tuple[int, int]] = []
    dropped: list[tuple[str, int, int, float]] = []
    before = 0
    for reached, offset in filled:
        onset = reached
        while (
            onset > before and smooth[onset - 1] >= rule.off and (reached - onset + 1) * PERIOD <= rule.max_rise + 1e-9
        ):
            onset -= 1
        before = offset
        peak = float(smooth[onset:offset].max())
        if (offset - onset) * PERIOD < rule.min_duration - 1e-9:
            dropped.append(("short", onset, offset, peak))
        elif not told or (reached - told[-1][1]) * PERIOD >= rule.cooldown - 1e-9:
            told.append((onset, offset))
        else:
            dropped.append(("cooldown", onset, offset, peak))
    return told, dropped


random_rules = st.builds(
    lambda on, off, min_duration, max_gap, max_rise, cooldown, median: Rule(
        on=on,
        off=on * off,
        min_duration=min_duration,
        max_gap=max_gap,
        max_rise=max_rise,
        cooldown=cooldown,
        median=2 * median + 1,
    ),
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.01, rows(1), rows(2), rows(5)]),
    st.sampled_from([0.0, 0.01, rows(1), rows(3)]),
    st.sampled_from([0.0, 0.01, rows(1), rows(4), 60.0]),
    st.sampled_from([0.0, 0.05, rows(4), rows(9)]),
    st.integers(0, 3),
)
random_scores = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0]), min_size=1, max_size=60)


@given(scores=random_scores, rule=random_rules, sizes=st.lists(st.integers(1, 25), min_size=1, max_size=10))
def test_streaming_equals_batch_for_any_chunking(scores: list[float], rule: Rule, sizes: list[int]) -> None:
    values = np.array(scores, np.float32)
    seen: list[Rejection] = []
    events, tracker = track({"x": values}, {"x": rule}, sizes, see=seen.append)
    told, dropped = batch(values, rule)
    assert spans(events) == [f"{a}-{b}" for a, b in told]
    assert [(r.reason, r.onset // HOP, r.offset // HOP, r.score) for r in seen] == dropped
    assert tracker.rejected == Counter((r.label, r.reason) for r in seen)
    starts, ends = ([e for e in events if e.phase == phase] for phase in ("start", "end"))
    assert [e.id for e in starts] == [e.id for e in ends]
    assert all(s.detected <= e.detected and s.score <= e.score for s, e in zip(starts, ends, strict=True))


@given(
    scores=st.lists(random_scores, min_size=3, max_size=3), sizes=st.lists(st.integers(1, 25), min_size=1, max_size=10)
)
def test_messages_come_in_the_same_order_for_any_chunking(scores: list[list[float]], sizes: list[int]) -> None:
    shortest = min(map(len, scores))
    columns = {f"label{n}": np.array(row[:shortest], np.float32) for n, row in enumerate(scores)}
    rules = {label: Rule(on=0.6, off=0.4, min_duration=rows(2), max_gap=rows(1)) for label in columns}

    def told(sizes: Sequence[int]) -> list[tuple[object, ...]]:
        events, _ = track(columns, rules, sizes)
        return [(e.label, e.phase, e.onset, e.offset, e.score, e.detected) for e in events]

    assert told(sizes) == told([1])


def test_golden_case() -> None:
    """Ten seconds at hop 512: three labels, noise of sd 0.1, threshold 0.5, gaps up to 5 frames, 8 frames at least."""
    hop, frames = 512, 320
    active = {
        "Speech": ([(20, 120)], 0.8),
        "Music": ([(50, 250)], 0.7),
        "Dog": ([(40, 55), (100, 110), (200, 215)], 0.75),
    }
    rule = Rule(on=0.5, off=0.5, max_gap=5 * hop / RATE, min_duration=8 * hop / RATE)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        columns: dict[str, Floats] = {}
        for label, (where, height) in active.items():
            clean = np.zeros(frames)
            for onset, offset in where:
                clean[onset:offset] = height
            columns[label] = np.clip(clean + rng.normal(0.0, 0.1, frames), 0.0, 1.0).astype(np.float32)
        events, _ = track(columns, dict.fromkeys(columns, rule), [7], hop)
        found = {label: [e for e in events if e.label == label and e.phase == "end"] for label in columns}
        assert [len(found[label]) for label in columns] == [1, 1, 3], seed
        for label, (where, _) in active.items():
            for event, (onset, offset) in zip(found[label], where, strict=True):
                assert abs(event.onset // hop - onset) <= 1, (seed, label)
                assert event.offset is not None
                assert abs(event.offset // hop - offset) <= 1, (seed, label)


def test_start_leaves_with_the_row_that_makes_it_certain() -> None:
    rule = Rule(on=0.8, off=0.3, min_duration=rows(3), max_gap=rows(2))
    tracker = Tracker(("x",), {"x": rule}, RATE)
    told = [tracker.update(Scores(n * HOP, HOP, curve(c)[:, None], AHEAD)) for n, c in enumerate("_####____")]
    assert [[e.phase for e in events] for events in told] == [[], [], [], ["start"], [], [], [], ["end"], []]
    (start,), (end,) = told[3], told[7]
    assert start.offset is None
    assert (start.onset, start.detected) == (HOP, 4 * HOP + AHEAD)
    assert (end.offset, end.detected) == (5 * HOP, 8 * HOP + AHEAD)


def test_score_is_the_highest_so_far() -> None:
    values = np.array([0.6, 0.7, 0.95, 0.6, 0.0], np.float32)
    events, _ = track({"x": values}, {"x": Rule(on=0.5, off=0.5, min_duration=rows(2), max_gap=0.0)}, [1])
    assert [round(e.score, 4) for e in events] == [0.7, 0.95]


def test_rejected_candidates_are_counted_by_reason() -> None:
    rule = Rule(on=0.8, off=0.3, min_duration=rows(2), max_gap=0.0, cooldown=rows(4))
    seen: list[Rejection] = []
    events, tracker = track({"x": curve("_#__##__##____##_#_")}, {"x": rule}, see=seen.append)
    assert spans(events) == ["4-6", "14-16"]
    assert dict(tracker.rejected) == {("x", "short"): 2, ("x", "cooldown"): 1}
    assert [(r.reason, r.onset // HOP, r.offset // HOP) for r in seen] == [
        ("short", 1, 2),
        ("cooldown", 8, 10),
        ("short", 17, 18),
    ]
    assert {round(r.score, 4) for r in seen} == {0.9}


def test_a_candidate_is_not_shown_before_it_has_ended() -> None:
    seen: list[Rejection] = []
    tracker = Tracker(("x",), {"x": Rule(on=0.8, off=0.3, min_duration=rows(3), max_gap=rows(1))}, RATE, seen.append)
    shown = []
    for n, c in enumerate("_##___"):
        tracker.update(Scores(n * HOP, HOP, curve(c)[:, None], AHEAD))
        shown.append(len(seen))
    assert shown == [0, 0, 0, 0, 1, 1]


def test_a_label_without_alert_tells_nothing() -> None:
    events, _ = track({"x": curve("__####__"), "y": curve("__####__")}, {"x": Rule(alert=False), "y": Rule()})
    assert {e.label for e in events} == {"y"}


def test_after_a_close_scores_may_begin_anywhere() -> None:
    tracker = Tracker(("x",), {"x": Rule(on=0.8, off=0.3, max_gap=rows(3))}, RATE)
    tracker.update(Scores(0, HOP, curve("__##")[:, None], AHEAD))
    assert spans(tracker.close()) == ["2-4"]
    tracker.update(Scores(100 * HOP, HOP, curve("##__")[:, None], AHEAD))
    assert spans(tracker.close()) == ["100-102"]
    assert tracker.close() == []


def changed_at(drawing: str, row: int, before: Rule, after: Rule, sizes: Sequence[int] = (1,)) -> list[Event]:
    """The messages when the rule changes just before `row`."""
    values, events, start, n = curve(drawing)[:, None], [], 0, 0
    tracker = Tracker(("a",), {"a": before}, RATE)
    while start < len(values):
        if start == row:
            tracker.change({"a": after})
        end = start + sizes[n % len(sizes)]
        chunk = values[start : min(end, row) if start < row else end]
        events += tracker.update(Scores(start * HOP, HOP, chunk, AHEAD))
        start, n = start + len(chunk), n + 1
    return events + tracker.close()


LOOSE, STRICT = Rule(on=0.4, off=0.3, max_gap=0.0), Rule(on=0.8, off=0.3, max_gap=0.0)


@pytest.mark.parametrize(
    ("scores", "after", "expected"),
    [
        ("_--__--_", STRICT, ["1-3"]),  # from the change on, `-` begins nothing
        ("_--__##_", STRICT, ["1-3", "5-7"]),
        ("_-------", STRICT, ["1-8"]),  # an open event goes on, above its new `off`
        ("_-------", STRICT.model_copy(update={"off": 0.7}), ["1-4"]),  # and ends below it
        ("_-------", LOOSE.model_copy(update={"alert": False}), ["1-4"]),
        ("_-------", LOOSE.model_copy(update={"median": 3}), ["1-4", "4-8"]),
        ("_--__--_", LOOSE, ["1-3", "5-7"]),
    ],
)
@pytest.mark.parametrize("sizes", [(1,), (3,), (8,)])
def test_a_change_of_rules_holds_from_the_next_scores_on(
    scores: str, after: Rule, expected: list[str], sizes: tuple[int, ...]
) -> None:
    assert spans(changed_at(scores, 4, LOOSE, after, sizes)) == expected


def test_a_label_that_is_switched_on_is_followed_from_then_on() -> None:
    silent = LOOSE.model_copy(update={"alert": False})
    assert spans(changed_at("_-----_", 4, silent, LOOSE)) == ["4-6"]


def test_a_cooldown_outlives_a_change() -> None:
    cool = LOOSE.model_copy(update={"cooldown": rows(10)})
    assert spans(changed_at("_--__--_", 4, cool, cool.model_copy(update={"on": 0.45}))) == ["1-3"]


@pytest.mark.parametrize(
    ("drawing", "quiet"), [("____", True), ("__-", False), ("__-_", True), ("_##", False), ("##_", False)]
)
def test_it_is_quiet_while_nothing_could_become_an_event(drawing: str, quiet: bool) -> None:
    tracker = Tracker(("a", "b"), {"a": Rule(on=0.8, off=0.4, max_gap=0.2), "b": Rule()}, RATE)
    values = np.stack([curve(drawing), np.zeros(len(drawing), np.float32)], axis=1)
    assert tracker.quiet
    tracker.update(Scores(0, HOP, values, AHEAD))
    assert tracker.quiet is quiet
