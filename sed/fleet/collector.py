"""Gathers what a fleet tells into a database: nothing is acknowledged to the broker before it is committed."""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from sed.config import FleetConfig, MqttConfig
from sed.errors import SinkError
from sed.fleet.intake import Intake, Receipt
from sed.fleet.ledger import Page, forget, forget_refusals, write
from sed.fleet.reading import Reader
from sed.fleet.store import Store, open_store, reason
from sed.fleet.tally import Tally

BATCH = 500
"""Messages in one transaction at most."""
LINGER_SECONDS = 0.05
"""So long the first message of a batch waits for others to go with it."""
PATIENCE_SECONDS = 0.25
FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 15.0
FORGET_ROWS = 500
"""Deleted at a time, between two batches: a few milliseconds."""
FORGET_SECONDS = 600.0

_LOG = logging.getLogger(__name__)


class Collector:
    """One of any number that collect the same fleet.

    `ready` is called when the database is open, `turned` a few times a second from then on.
    """

    def __init__(
        self,
        mqtt: MqttConfig,
        fleet: FleetConfig,
        ready: Callable[[], None] = lambda: None,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is connected before `run`."""
        self._mqtt, self._fleet, self._ready, self._turned = mqtt, fleet, ready, turned
        self._reader, self._tally = Reader(), Tally()
        self.stopping = False
        self._trouble: str | None = None  # as the log has it
        self._tries = 0
        self._next_forget = monotonic()

    def stop(self) -> None:
        """Let `run` finish its batch and return; may be called from a signal's handler."""
        self.stopping = True

    def run(self, leaving: bool = False) -> None:
        """Collect until stopped, through outages of broker and database; who is `leaving`, until nothing is left.

        Raises ConfigError for a database that is not ours or too new, and for certificates that cannot be used.
        """
        with Intake(self._mqtt, self._fleet, leaving) as intake:  # from now on the broker keeps what comes
            if (store := self._opened()) is None:
                return
            with store:
                _LOG.info("database %s: open", store.name)
                self._ready()
                while not self.stopping:
                    self._turn(intake, store)
                    if leaving and not self.stopping:
                        self.stopping = intake.left()
                self._commit(store, [], self._reader.read([], last=True))

    def _opened(self) -> Store | None:
        """None if stopped before it could be."""
        while not self.stopping:
            try:
                store = open_store(self._fleet.database, self._fleet.secret(), upgrade=True)
            except SinkError as error:
                self._wait(str(error))
            else:
                self._well(store)
                return store
        return None

    def _turn(self, intake: Intake, store: Store) -> None:
        receipts = intake.take(BATCH, PATIENCE_SECONDS, LINGER_SECONDS)
        page = self._reader.read(receipts)
        while not self._commit(store, receipts, page):
            if self.stopping:
                return  # the broker still has them
            self._wait(self._trouble or "")
        intake.acknowledge(receipts)
        self._forget(store)
        if line := self._tally.line(intake.dropped):
            _LOG.info("%s", line)
        self._turned()

    def _commit(self, store: Store, receipts: list[Receipt], page: Page) -> bool:
        """Whether the database has it now; if not, `_trouble` says why."""
        try:
            if page.rows:
                self._write(store, page)
        except SQLAlchemyError as error:
            self._say(f"database {store.name}: {reason(error)}")
            return False
        self._tally.committed(receipts, page, datetime.now(UTC))
        self._well(store)
        return True

    def _write(self, store: Store, page: Page) -> None:
        try:
            with store.engine.begin() as connection:
                write(connection, page)
        except StatementError as error:
            if not _about_values(error):
                raise
            self._write_singly(store, page)

    def _write_singly(self, store: Store, page: Page) -> None:
        """What the contract lets pass and the database does not is counted, too, and holds nobody up."""
        with store.engine.begin() as connection:
            for row, single in page.singly():
                try:
                    with connection.begin_nested():
                        write(connection, single)
                except StatementError as error:
                    if not _about_values(error):
                        raise
                    self._reader.refuse(row["node"], "the database refuses it", repr(row).encode(), datetime.now(UTC))
                    _LOG.error("database %s: %s; a message of %s is left out", store.name, reason(error), row["node"])

    def _forget(self, store: Store) -> None:
        """Delete a little of what is too old."""
        if self._fleet.keep is None or monotonic() < self._next_forget:
            return
        before = datetime.now(UTC) - timedelta(seconds=self._fleet.keep)
        try:
            with store.engine.begin() as connection:
                more = forget(connection, before, FORGET_ROWS) == FORGET_ROWS
                if not more:
                    forget_refusals(connection, before)
        except SQLAlchemyError as error:
            more = False
            _LOG.warning("database %s: %s; what is too old is deleted later", store.name, reason(error))
        if not more:
            self._next_forget = monotonic() + FORGET_SECONDS

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            _LOG.warning("%s (trying again; the broker keeps what comes)", trouble)
        self._trouble = trouble

    def _wait(self, trouble: str) -> None:
        """Until the next attempt: longer each time, and not as long for all collectors."""
        self._say(trouble)
        longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(self._tries, 10))
        self._tries += 1
        until = monotonic() + random.uniform(longest / 2, longest)  # noqa: S311 - nobody gains from guessing it
        while monotonic() < until and not self.stopping:
            self._turned()
            time.sleep(min(PATIENCE_SECONDS, max(0.0, until - monotonic())))

    def _well(self, store: Store) -> None:
        if self._trouble is not None:
            _LOG.warning("database %s: answers", store.name)
        self._trouble, self._tries = None, 0


def _about_values(error: StatementError) -> bool:
    """Whether the same row would be refused for ever; all else may be well later."""
    return isinstance(error, (DataError, IntegrityError)) or not isinstance(error, DBAPIError)
