"""The journal's table of whole events: the start and the end of each in one row, for those who look back."""

import json
import math
import sqlite3
from datetime import datetime

from sed.message import Message

TABLES = """
CREATE TABLE history (
    seq INTEGER PRIMARY KEY, last INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, open INTEGER NOT NULL,
    node TEXT NOT NULL, source TEXT NOT NULL, label TEXT NOT NULL,
    onset INTEGER NOT NULL, offset INTEGER, duration INTEGER, detected INTEGER,
    score INTEGER NOT NULL, level INTEGER NOT NULL, lost INTEGER NOT NULL, model TEXT NOT NULL, clip TEXT);
CREATE INDEX history_onset ON history (onset, score);
CREATE INDEX history_label ON history (label, onset, score);
CREATE INDEX history_source ON history (source, onset, score);
CREATE INDEX history_both ON history (label, source, onset, score);
CREATE INDEX history_score ON history (score);
CREATE TABLE verdict (
    event INTEGER PRIMARY KEY, verdict TEXT NOT NULL, label TEXT, at INTEGER NOT NULL, by TEXT, comment TEXT);
CREATE INDEX verdict_verdict ON verdict (verdict);
CREATE TRIGGER verdict_goes_with_its_event AFTER DELETE ON history BEGIN
    DELETE FROM verdict WHERE event = old.seq;
END;
"""  # seq, last: of its first and last message; times in ms since 1970, duration in ms; event: history.seq

SCORES = 10_000
"""What a score of 1 is in the table: a message has four digits of it."""

LEVELS = 10
"""What 1 dB is in the table: a message has one digit of it."""

_COLUMNS = (
    *("seq", "last", "id", "open", "node", "source", "label", "onset", "offset", "duration", "detected"),
    *("score", "level", "lost", "model", "clip"),
)
_REMEMBER = f"""
INSERT INTO history ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
ON CONFLICT (id) DO UPDATE SET
    last = excluded.last, open = excluded.open, offset = excluded.offset, duration = excluded.duration,
    score = max(score, excluded.score), level = max(level, excluded.level), lost = lost + excluded.lost,
    clip = excluded.clip
"""  # noqa: S608 - names of ours


def remember(db: sqlite3.Connection, seq: int, at: float, message: Message) -> None:
    """Put a message that was appended as `seq`, at `at` in UNIX seconds, into its event's row.

    A message may come from a journal that a disk has spoilt: what is no time is left out, no number is 0.
    """
    get = message.get
    onset = _moment(get("onset"))
    values = (
        seq, seq, _text(get("id")), get("phase") == "start", _text(get("node")), _text(get("source")),
        _text(get("label")), round(at * 1_000) if onset is None else onset, _moment(get("offset")),
        None if get("duration") is None else _number(get("duration"), 1_000), _moment(get("detected_at")),
        _number(get("score"), SCORES), _number(get("level_dbfs"), LEVELS), _number(get("lost_samples"), 1),
        _text(get("model")), None if get("clip") is None else _text(get("clip")),
    )  # fmt: skip
    db.execute(_REMEMBER, values)


def forget(db: sqlite3.Connection, seq: int) -> None:
    """Drop the events whose messages are all before `seq`, and what was said of them; before the messages go."""
    db.execute("DELETE FROM history WHERE last < ? AND id IN (SELECT id FROM event WHERE seq < ?)", (seq, seq))


def fill(db: sqlite3.Connection) -> None:
    """Fill the tables from the messages of a journal that had none; messages that are damaged stay out."""
    for seq, at, text in db.execute("SELECT seq, CAST(at AS REAL), CAST(message AS TEXT) FROM event ORDER BY seq"):
        try:
            message = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(message, dict):
            remember(db, seq, at, message)


def _moment(text: object) -> int | None:
    """RFC 3339 as milliseconds since 1970; None for what cannot be meant."""
    try:
        moment = datetime.fromisoformat(str(text))
        return round(moment.timestamp() * 1_000) if moment.tzinfo and 1970 < moment.year < 9999 else None
    except (ValueError, OverflowError):
        return None


def _number(value: object, scale: int) -> int:
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e12:
        return round(value * scale)
    return 0


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()  # half a surrogate pair cannot be stored
