"""What is dropped from a journal that has become too old or too big; what was not told yet is counted by sink."""

import sqlite3
from collections import Counter

from sed.history.table import forget

_CHUNK = 64  # messages discarded at a time when the journal is too big


def discard_older(db: sqlite3.Connection, horizon: float) -> Counter[str]:
    """Drop messages from the oldest on, up to the first that was appended since `horizon`; the untold ones by sink."""
    (oldest,) = db.execute("SELECT at FROM event ORDER BY seq LIMIT 1").fetchone()
    if oldest >= horizon:
        return Counter()
    (fresh,) = db.execute("SELECT seq FROM event WHERE at >= ? ORDER BY seq LIMIT 1", (horizon,)).fetchone()
    return _discard_before(db, fresh)


def discard_beyond(db: sqlite3.Connection, max_bytes: int) -> Counter[str]:
    """Drop the oldest messages until the rest fits into `max_bytes`; the newest always stays."""
    unsent: Counter[str] = Counter()
    while _bytes(db) > max_bytes:
        first, last = db.execute("SELECT min(seq), max(seq) FROM event").fetchone()
        if first == last:
            break
        unsent += _discard_before(db, min(first + _CHUNK, last))
    return unsent


def _discard_before(db: sqlite3.Connection, seq: int) -> Counter[str]:
    unsent = db.execute("SELECT sink, count(*) FROM delivery WHERE seq < ? GROUP BY sink", (seq,)).fetchall()
    db.execute("DELETE FROM delivery WHERE seq < ?", (seq,))
    forget(db, seq)
    db.execute("DELETE FROM event WHERE seq < ?", (seq,))
    return Counter(dict(unsent))


def _bytes(db: sqlite3.Connection) -> int:
    """What the tables take up, without the pages that are free to be used again."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * size)
