"""Brings a database to the tables that this version knows, by the steps in `migrations/`."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from sed.errors import ConfigError, SinkError

PATIENT_SECONDS = 30
"""Another collector may be at it."""
LOCK = 0x6561725F776974  # any number that is ours alone
STEPS = Path(__file__).parent / "migrations"

_LOG = logging.getLogger(__name__)


def upgrade(engine: Engine, name: str) -> None:
    """Take all steps that are missing, in one transaction; whoever does the same elsewhere waits meanwhile.

    `name` is what the database is called in errors and in the log. Raises ConfigError if a newer version was here, or
    another program.
    """
    steps, head = _steps()
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENT_SECONDS}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        found = _version(connection, steps, name)
        if found == head:
            return
        _LOG.info("database %s: brought from version %s to %s", name, found or "none", head)
        steps.attributes["connection"] = connection
        command.upgrade(steps, "head")


def check(engine: Engine, name: str) -> None:
    """For those who only read. Raises SinkError if steps are missing, ConfigError as `upgrade` does."""
    steps, head = _steps()
    with engine.connect() as connection:
        found = _version(connection, steps, name)
    if found is None:
        raise SinkError(f"database {name}: no collector has been here yet; run 'earwitness collect' first")
    if found != head:
        raise SinkError(f"database {name}: of version {found}, this one reads {head}; restart 'earwitness collect'")


def _steps() -> tuple[Config, str]:
    """Alembic's configuration, and the newest version there is."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    steps = Config()
    steps.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    return steps, ScriptDirectory.from_config(steps).get_current_head() or ""


def _version(connection: Connection, steps: Config, name: str) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None and set(inspect(connection).get_table_names()) & {"event", "box", "source", "refusal"}:
        raise ConfigError(f"database {name}: has tables of another program; name a database of its own")
    known = {step.revision for step in ScriptDirectory.from_config(steps).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigError(f"database {name}: written by a newer earwitness (version {found}); upgrade this one")
    return found
