"""When events become rows that others can read: told by the database itself, at every commit.

A trigger notes each row that appears or ends with its transaction, and has PostgreSQL notify of that transaction: the
word goes out after the commit, the disk waited for. A connection of our own listens, and looks at the clock.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Self

import psycopg

WATCH = """
CREATE UNLOGGED TABLE arrival (id text, ended boolean, transaction text, writer integer);
CREATE FUNCTION note_arrival() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO arrival VALUES (NEW.id, NEW.ended_at IS NOT NULL, pg_current_xact_id()::text, pg_backend_pid());
    PERFORM pg_notify('arrivals', pg_current_xact_id()::text);
    RETURN NULL;
END $$;
CREATE TRIGGER appears AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION note_arrival();
CREATE TRIGGER ends AFTER UPDATE ON event FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION note_arrival();
"""


class Arrivals:
    """Listens from when the tables are there, while used as a context."""

    def __init__(self, looking: psycopg.Connection[Any], listening: psycopg.Connection[Any]) -> None:
        """Both commit every statement."""
        self._looking, self._listening = looking, listening
        self._committed: dict[str, float] = {}  # Unix time by transaction
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="arrivals")

    def each(self) -> Iterator[tuple[str, bool, float]]:
        """Event, whether its end was in it, and when others could read it (Unix time)."""
        for name, ended, transaction in self._looking.execute("SELECT id, ended, transaction FROM arrival"):
            yield name, ended, self._committed[transaction]

    def writers(self) -> Counter[int]:
        """Rows by the connection that wrote them."""
        return Counter(dict(self._looking.execute("SELECT writer, count(*) FROM arrival GROUP BY writer").fetchall()))

    @property
    def commits(self) -> int:
        """How many there were."""
        return len(self._committed)

    def __enter__(self) -> Self:
        self._looking.execute(WATCH)
        self._listening.execute("LISTEN arrivals")
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hear no more."""
        self._over.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._over.is_set():
            for told in self._listening.notifies(timeout=0.5):
                self._committed.setdefault(told.payload, time.time())
