"""The catalog as rows: read in one moment's state while others write, and put back on either database.

Tables are taken as the database has them, not as this release names them: nothing that a migration added is
forgotten, and an older backup is put back into tables of its own revision, which are then upgraded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, MetaData, Table, func, insert, select, text

from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.backup_format import BLOB_TABLES, Row
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_migrate import NEWEST, configuration, revision
from scanward.adapters.local.sql_tables import DEID, RAW, SCHEMAS
from scanward.errors import BadInput, Misconfigured
from scanward.ports.object_store import Zone

_ROWS_AT_ONCE: Final = 200
_REVISION: Final = re.compile(r"\d{4}", re.ASCII)
_VERSIONS: Final = "alembic_version"

Uids = tuple[str, str, str]
"""Study, series and instance."""


class CatalogRows:
    """All rows of a catalog."""

    def __init__(self, database: Database) -> None:
        """Use a database."""
        self._database = database

    def revisions(self) -> dict[str, str]:
        """Return the revision of each schema."""
        return {schema: revision(self._database, schema) for schema in SCHEMAS}

    @contextmanager
    def snapshot(self) -> Iterator[Iterator[tuple[Table, Iterator[list[Row]]]]]:
        """Yield each table with its rows, some at a time, all as they are at this moment."""
        with self._database.reading() as connection:
            self._pin(connection)
            found = _tables(connection)
            yield ((table, _rows(connection, table)) for table in found)

    def knows(self, zone: Zone, key: str) -> bool:
        """Return whether a row names an object now."""
        name = next(name for name, its in BLOB_TABLES.items() if its is zone)
        column = tables.metadata.tables[".".join(name)].c.key
        with self._database.reading() as connection:
            return connection.scalar(select(column).where(column == key)) is not None

    def originals(self, zone: Zone, key: str) -> list[Uids]:
        """Return the UIDs of the originals that an object is, or was made of."""
        columns = tables.instances.c
        wanted = select(columns.study_uid, columns.series_uid, columns.instance_uid)
        if zone is Zone.DEID:
            outputs = tables.deid_instances.c
            wanted = wanted.join(tables.deid_instances, outputs.sequence == columns.sequence)
            wanted = wanted.where(outputs.key == key)
        else:
            wanted = wanted.where(columns.key == key)
        with self._database.reading() as connection:
            return [(study, series, instance) for study, series, instance in connection.execute(wanted)]

    def require_empty(self) -> None:
        """Raise Misconfigured if there are rows."""
        with self._database.reading() as connection:
            for table in _tables(connection):
                if connection.scalar(select(func.count()).select_from(table)):
                    raise Misconfigured("The catalog's database holds rows; a restore never overwrites.")

    def make_tables(self, revisions: Mapping[str, str]) -> None:
        """Make the tables of some revisions. Raises Misconfigured where they are newer than this release."""
        from alembic import command  # noqa: PLC0415 - it takes long to import

        for schema in SCHEMAS:
            wanted = str(revisions.get(schema, ""))
            if not _REVISION.fullmatch(wanted) or wanted > NEWEST[schema]:
                raise Misconfigured("The backup was made by a newer release of Scanward; install that one.")
            with self._database.writing() as connection:
                if not self._database.is_sqlite:
                    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
                config = configuration(schema)
                config.attributes.update(connection=connection, version_table_schema=schema)
                command.upgrade(config, wanted)

    @contextmanager
    def loading(self) -> Iterator[Loading]:
        """Yield what takes rows, in one transaction over all tables."""
        with self._database.writing() as connection:
            loading = Loading(connection)
            yield loading
            if not self._database.is_sqlite:
                loading.advance()

    def clear(self) -> None:
        """Remove all rows again."""
        with self._database.writing() as connection:
            for table in reversed(_tables(connection)):
                connection.execute(table.delete())

    def close(self) -> None:
        """Empty SQLite's logs into their files, and close."""
        self._database.truncate_logs()
        self._database.close()

    def _pin(self, connection: Connection) -> None:
        """Let a transaction see one moment of both schemas."""
        if not self._database.is_sqlite:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            return
        # A read transaction of SQLite sees each file as it is when it first looks at it: nobody writes
        # between both looks.
        with self._database.writing():
            for schema in SCHEMAS:
                connection.execute(text(f"SELECT count(*) FROM {schema}.{_VERSIONS}"))  # noqa: S608 - ours


class Loading:
    """Takes rows into tables that are there."""

    def __init__(self, connection: Connection) -> None:
        """Write on a connection."""
        self._connection = connection
        self._tables = {(str(table.schema), table.name): table for table in _tables(connection)}

    def rows(self, name: tuple[str, str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows. Raises BadInput where there is no such table or column."""
        table = self._tables.get(name)
        if table is None or not set(columns) <= set(table.c.keys()):
            raise BadInput("The backup holds a table that its revision does not have.")
        if rows:
            self._connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])

    def advance(self) -> None:
        """Let PostgreSQL's sequences go on behind the rows that are there."""
        for table in self._tables.values():
            for column in table.primary_key:
                where, name = f"{table.schema}.{table.name}", {"column": column.name}
                counter = self._connection.scalar(
                    text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": where, **name}
                )
                newest = self._connection.scalar(select(func.max(column))) if counter else None
                if newest is not None:
                    self._connection.execute(
                        text("SELECT setval(:counter, :newest)"), {"counter": counter, "newest": newest}
                    )


def _tables(connection: Connection) -> list[Table]:
    """Return all tables of both schemas, each behind those that it refers to."""
    found = MetaData()
    for schema in (RAW, DEID):
        found.reflect(connection, schema=schema)
    return [table for table in found.sorted_tables if table.name != _VERSIONS]


def _rows(connection: Connection, table: Table) -> Iterator[list[Row]]:
    order = select(table).order_by(*table.primary_key)
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(order)
    for some in found.partitions():
        yield [tuple(row) for row in some]
