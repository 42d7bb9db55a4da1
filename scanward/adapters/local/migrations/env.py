"""Run by Alembic: the connection and the schema come from `scanward.adapters.local.sql_migrate`."""

from __future__ import annotations

from alembic import context

_attributes = context.config.attributes
context.configure(
    connection=_attributes["connection"],
    version_table_schema=_attributes["version_table_schema"],
    transactional_ddl=True,
)
context.run_migrations()
