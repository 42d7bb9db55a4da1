"""Bring both schemas to the newest revision when the catalog is opened, by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_levels import refill
from scanward.adapters.local.sql_tables import DEID, RAW, SCHEMAS
from scanward.errors import Misconfigured
from scanward.ports.object_store import Zone

NEWEST = {RAW: "0003", DEID: "0003"}

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x5CA97A2D
_BEFORE_LEVELS = "0001"


def migrate(database: Database) -> None:
    """Upgrade what is older than this release. Raises Misconfigured if the catalog is newer."""
    for schema in SCHEMAS:
        if revision(database, schema) != NEWEST[schema]:
            _upgrade(database, schema)


def revision(database: Database, schema: str) -> str:
    """Return the revision of a schema, "" before the first."""
    with database.reading() as connection:
        return _revision(connection, schema)


def configuration(schema: str) -> Config:
    """Return Alembic's configuration for a schema's chain of revisions."""
    from alembic.config import Config  # noqa: PLC0415 - as in `_upgrade`

    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", _escaped(_FOLDER))
    config.set_main_option("version_locations", _escaped(_FOLDER / schema))
    return config


def _revision(connection: Connection, schema: str) -> str:
    if not inspect(connection).has_table("alembic_version", schema=schema):
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {schema}.alembic_version")).scalar()  # noqa: S608 - ours
    return str(found or "")


def _upgrade(database: Database, schema: str) -> None:
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        found = _revision(connection, schema)
        if found > NEWEST[schema]:
            raise Misconfigured("The catalog was made by a newer release of Scanward; install that one.")
        # Alembic takes longer to import than all else here, and is needed once in a catalog's life.
        from alembic import command  # noqa: PLC0415 - see above

        config = configuration(schema)
        config.attributes.update(connection=connection, version_table_schema=schema)
        command.upgrade(config, "head")
        if found == _BEFORE_LEVELS:
            refill(connection, Zone.RAW if schema == RAW else Zone.DEID)


def _escaped(folder: Path) -> str:
    return str(folder).replace("%", "%%")
