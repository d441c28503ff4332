"""What Alembic runs: on the connection it is given (sed/fleet/migration.py)."""

from alembic import context

from sed.fleet.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
