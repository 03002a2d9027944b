"""Alembic runs on the connection that `callback.store.schema` opened, in its transaction."""

from alembic import context

from callback.store.tables import metadata
from sms.outbox import metadata as sms_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[metadata, sms_metadata],
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
)
context.run_migrations()
