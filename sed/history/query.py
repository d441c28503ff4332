"""The questions to the table of whole events; each is answered from an index, however long the history."""

import math
from dataclasses import dataclass
from itertools import product

from sed.history.event import COLUMNS, milliseconds
from sed.history.filter import Filter
from sed.history.table import SCORES

FEW = 5_000
"""Events with a score that high are looked through and sorted; where there are more, the newest are found soon."""

Cursor = tuple[int, int]
"""Onset in ms since 1970, and seq: the place after which a page begins."""


@dataclass(frozen=True, slots=True)
class Query:
    """SQL and what stands for its question marks."""

    sql: str
    values: tuple[object, ...] = ()


def page(which: Filter, after: Cursor | None, limit: int, few: bool) -> Query:
    """`limit` events at most, newest onset first, as rows of seq, onset and COLUMNS.

    `few`: there are no more than FEW events whose score is high enough.
    """
    streams = _streams(which, after, limit, few)
    places = " UNION ALL ".join(f"SELECT * FROM ({stream.sql})" for stream in streams)  # noqa: S608 - ours
    sql = (
        f"SELECT found.seq, found.onset, {COLUMNS} "  # noqa: S608 - names of ours
        f"FROM ({places} ORDER BY onset DESC, seq DESC LIMIT ?) AS found "
        "CROSS JOIN history AS h ON h.seq = found.seq LEFT JOIN verdict AS v ON v.event = h.seq "
        "ORDER BY found.onset DESC, found.seq DESC"
    )
    return Query(sql, (*(value for stream in streams for value in stream.values), limit))


def few_score(which: Filter) -> Query:
    """Counts the events whose score is high enough, up to one more than FEW."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM history INDEXED BY history_score WHERE score >= ? LIMIT ?)"
    return Query(sql, (_score(which), FEW + 1))


def one(event: str) -> Query:
    """The event of an id, as a row of COLUMNS."""
    sql = f"SELECT {COLUMNS} FROM history AS h LEFT JOIN verdict AS v ON v.event = h.seq WHERE h.id = ?"  # noqa: S608
    return Query(sql, (event,))


def counts(which: Filter, every: int) -> Query:
    """How many events begin in each slot of `every` ms, with label and source: slot, label, source, count."""
    conditions = [
        *_bounds(which, None), *_among("h.label", which.labels), *_among("h.source", which.sources), *_said(which),
    ]  # fmt: skip
    table = "verdict AS v CROSS JOIN history AS h ON h.seq = v.event" if _by_verdict(which) else "history AS h"
    sql = (
        f"SELECT h.onset / ? AS slot, h.label, h.source, count(*) FROM {table}{_where(conditions)} "  # noqa: S608
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return Query(sql, (every, *_values(conditions)))


def _streams(which: Filter, after: Cursor | None, limit: int, few: bool) -> list[Query]:
    """Places (seq, onset), each stream newest first: their newest together are the page's."""
    bounds, said = _bounds(which, after), _said(which)
    among = [*_among("h.label", which.labels), *_among("h.source", which.sources)]
    if _by_verdict(which):
        return [_stream("verdict AS v CROSS JOIN history AS h ON h.seq = v.event", [*said, *among, *bounds], limit)]
    if few:
        return [_stream("history AS h INDEXED BY history_score", [*bounds, *among, *said], limit)]
    streams = []
    for label, source in product(dict.fromkeys(which.labels or ("",)), dict.fromkeys(which.sources or ("",))):
        own = [*_among("h.label", (label,) if label else ()), *_among("h.source", (source,) if source else ())]
        index = {(0, 0): "onset", (1, 0): "label", (0, 1): "source", (1, 1): "both"}[bool(label), bool(source)]
        streams.append(_stream(f"history AS h INDEXED BY history_{index}", [*own, *bounds, *said], limit))
    return streams


def _stream(table: str, conditions: list[Query], limit: int) -> Query:
    sql = f"SELECT h.seq, h.onset FROM {table}{_where(conditions)} ORDER BY h.onset DESC, h.seq DESC LIMIT ?"  # noqa: S608
    return Query(sql, (*_values(conditions), limit))


def _bounds(which: Filter, after: Cursor | None) -> list[Query]:
    """Time and score."""
    conditions = []
    if which.since is not None:
        conditions.append(Query("h.onset >= ?", (milliseconds(which.since),)))
    ends = [] if which.until is None else [(milliseconds(which.until), 0)]
    if ends or after is not None:
        conditions.append(Query("(h.onset, h.seq) < (?, ?)", min([*ends, *([after] if after else [])])))
    if which.min_score:
        conditions.append(Query("h.score >= ?", (_score(which),)))
    return conditions


def _said(which: Filter) -> list[Query]:
    if which.verdict is None or which.verdict == "given":
        return []
    if which.verdict == "none":
        return [Query("NOT EXISTS (SELECT 1 FROM verdict WHERE event = h.seq)")]
    return [Query("v.verdict = ?", (which.verdict,))]


def _by_verdict(which: Filter) -> bool:
    """Whether to begin with the verdicts: people give few."""
    return which.verdict not in (None, "none")


def _among(column: str, values: tuple[str, ...]) -> list[Query]:
    if not values:
        return []
    if len(values) == 1:
        return [Query(f"{column} = ?", values)]
    return [Query(f"{column} IN ({', '.join('?' * len(values))})", values)]


def _where(conditions: list[Query]) -> str:
    return f" WHERE {' AND '.join(condition.sql for condition in conditions)}" if conditions else ""


def _values(conditions: list[Query]) -> tuple[object, ...]:
    return tuple(value for condition in conditions for value in condition.values)


def _score(which: Filter) -> int:
    return math.ceil(round((which.min_score or 0.0) * SCORES, 6))
