"""The database of a fleet: SQLite, or PostgreSQL."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sed.errors import ConfigError, SinkError
from sed.fleet import migration

CONNECT_SECONDS = 5
SILENCE_MS = 10_000
"""A server that acknowledges nothing for so long is gone."""
LOCK_SECONDS = 1
"""What somebody else holds is asked for again later."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_POSTGRESQL = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": SILENCE_MS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "earwitness",
    "options": f"-c lock_timeout={LOCK_SECONDS}s",
}


class Store:
    """A database that has the tables of `sed.fleet.schema`, while used as a context; `name` has no password."""

    def __init__(self, engine: Engine) -> None:
        """`engine` is SQLAlchemy's, and closed with the store."""
        self.engine = engine
        url = engine.url
        self.name = str(URL.create(url.get_backend_name(), url.username, None, url.host, url.port, url.database))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close all connections."""
        self.close()


def open_store(url: str, password: str | None = None, upgrade: bool = False) -> Store:
    """`sqlite:///PATH` or `postgresql://USER@HOST/NAME`; only with `upgrade` are tables made or brought up to date.

    Raises SinkError if it cannot be reached or, without `upgrade`, has no tables or old ones; ConfigError for another
    kind of URL, and for tables of a newer version or of another program.
    """
    store = Store(_engine(_address(url, password), upgrade))
    try:
        with explained(store.name):
            (migration.upgrade if upgrade else migration.check)(store.engine, store.name)
    except BaseException:
        store.close()
        raise
    return store


@contextlib.contextmanager
def explained(name: str) -> Iterator[None]:
    """What a database complains of as one line, a SinkError; `name` says which database."""
    try:
        yield
    except SQLAlchemyError as error:
        raise SinkError(f"database {name}: {reason(error)}") from error


def reason(error: SQLAlchemyError) -> str:
    """The first line of what the database said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _address(url: str, password: str | None) -> URL:
    kind, _, rest = url.partition("://")
    if kind not in _DRIVERS:
        raise ConfigError("database: should be sqlite:///PATH or postgresql://USER@HOST/NAME")
    try:
        address = make_url(f"{_DRIVERS[kind]}://{rest}")
    except (ArgumentError, ValueError):  # the URL may hold a password: it is not shown
        raise ConfigError("database: should be sqlite:///PATH or postgresql://USER@HOST/NAME") from None
    return address.set(password=password) if password is not None and kind != "sqlite" else address


def _engine(address: URL, make: bool) -> Engine:
    if address.get_backend_name() == "postgresql":
        return create_engine(address, connect_args=_POSTGRESQL, pool_pre_ping=True)
    path = Path(address.database or "").absolute()
    if make:
        with contextlib.suppress(OSError):  # SQLite says so itself
            path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise SinkError(f"database {address}: no collector has been here yet; run 'earwitness collect' first")
    engine = create_engine(address, connect_args={"timeout": LOCK_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers do not wait for the writer, and what is committed outlives a power cut."""
    connection.isolation_level = None  # else the driver begins and commits as it likes
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """`immediate` is for who reads before it writes: two of those would refuse each other."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql(
        f"PRAGMA busy_timeout = {(migration.PATIENT_SECONDS if immediate else LOCK_SECONDS) * 1000}"
    )
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
