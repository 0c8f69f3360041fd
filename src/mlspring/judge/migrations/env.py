"""Run revisions on the connection that the store opened; called by alembic, never by hand."""

from alembic import context

from mlspring.judge.tables import Base

connection = context.config.attributes["connection"]
# SQLite cannot alter a column, so revisions rebuild a table ("batch") where they must.
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
