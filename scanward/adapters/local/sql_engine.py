"""One database, two engines: SQLite in two files, or PostgreSQL by URL; what differs stands on this page.

SQLite runs in write-ahead mode with every commit synced and freed pages overwritten (`secure_delete`), so
that a value that was removed is in no file any more. Each file is written in transactions of its own: in this
mode a commit over two attached files is not atomic.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, Table, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from scanward.adapters.local.disk import sync_folder
from scanward.adapters.local.sql_tables import DEID, RAW
from scanward.errors import Misconfigured, OutOfSpace, Unavailable

_BUSY_SECONDS = 30.0
_WRITING = "scanward_writing"


class Database:
    """Connections to the catalog, in transactions that either read or write."""

    def __init__(self, engine: Engine) -> None:
        """Take over an engine made by `open_sqlite` or `open_postgresql`."""
        self._engine = engine
        self._writing = engine.execution_options(**{_WRITING: True})

    @property
    def is_sqlite(self) -> bool:
        """Return whether the files are SQLite's."""
        return self._engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a read transaction. Raises Unavailable."""
        with _database_errors(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, *locked: Table) -> Iterator[Connection]:
        """Yield a connection in a transaction, durable when this returns; writers of `locked` take turns.

        SQLite has one writer at a time anyway, and its transaction begins as one: none fails half-way.
        Raises Unavailable or OutOfSpace; nothing is changed then.
        """
        with _database_errors(), self._writing.begin() as connection:
            if locked and not self.is_sqlite:
                names = ", ".join(f"{table.schema}.{table.name}" for table in locked)
                connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
            yield connection

    def rewrite(self, most_bytes: int) -> bool:
        """Write SQLite's files anew, so that nothing of deleted rows stays; False if one is larger than that.

        `secure_delete` overwrites what is freed, but not what a page kept when its cells moved to another.
        Raises Unavailable.
        """
        if not self.is_sqlite:
            return True
        with self._without_transaction() as cursor:
            done = [_rewrite(cursor, schema, most_bytes) for schema in (RAW, DEID)]
        return all(done)

    def truncate_logs(self) -> bool:
        """Empty SQLite's write-ahead logs, which hold what was deleted; False if a reader was in the way."""
        if not self.is_sqlite:
            return True
        with self._without_transaction() as cursor:
            busy = [_pragma(cursor, f"{schema}.wal_checkpoint(TRUNCATE)") for schema in (RAW, DEID)]
        return not any(busy)

    @contextlib.contextmanager
    def _without_transaction(self) -> Iterator[DBAPICursor]:
        with _database_errors():
            connection = self._engine.raw_connection()
            try:
                yield connection.cursor()
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(folder: Path, url: str) -> Database:
    """Open the catalog: PostgreSQL if `url` names one, else SQLite in `folder`. Raises Misconfigured."""
    return Database(open_postgresql(url) if url else open_sqlite(folder))


def open_sqlite(folder: Path) -> Engine:
    """Return an engine over `catalog.sqlite` and `deid.sqlite` in a folder, made if missing (mode 0600)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    catalog, deid = folder / "catalog.sqlite", folder / "deid.sqlite"
    for path in (catalog, deid):
        path.touch(mode=0o600, exist_ok=True)
    sync_folder(folder)
    # Both files are attached by their schema's name, as SQLite calls the file that it opens first "main".
    engine = create_engine(
        "sqlite://", poolclass=QueuePool, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}
    )
    event.listen(engine, "connect", lambda connection, _record: _prepare(connection, catalog, deid))
    event.listen(engine, "begin", _begin)
    return engine


def open_postgresql(url: str) -> Engine:
    """Return an engine on a PostgreSQL server, by the driver of the extra `postgres`."""
    try:
        address = make_url(url)
        if address.get_backend_name() not in {"postgresql", "postgres"}:
            raise Misconfigured(
                "SCANWARD_DATABASE_URL must begin with postgresql:// (or be empty for SQLite)."
            )
        return create_engine(address.set(drivername="postgresql+pg8000"), pool_pre_ping=True)
    except ArgumentError:
        raise Misconfigured("SCANWARD_DATABASE_URL is no URL of a database.") from None
    except ImportError:
        raise Misconfigured("PostgreSQL needs its driver: install scanward[postgres].") from None


def _prepare(connection: sqlite3.Connection, catalog: Path, deid: Path) -> None:
    connection.isolation_level = None  # Transactions begin where `_begin` says so, not where sqlite3 guesses.
    connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    for schema, path in ((RAW, catalog), (DEID, deid)):
        connection.execute(f"ATTACH DATABASE ? AS {schema}", (str(path),))
        connection.execute(f"PRAGMA {schema}.journal_mode = WAL")
        connection.execute(f"PRAGMA {schema}.synchronous = FULL")
        connection.execute(f"PRAGMA {schema}.secure_delete = ON")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _rewrite(cursor: DBAPICursor, schema: str, most_bytes: int) -> bool:
    pages, of_bytes = (_pragma(cursor, f"{schema}.{name}") for name in ("page_count", "page_size"))
    if pages * of_bytes > most_bytes:
        return False
    cursor.execute(f"VACUUM {schema}")
    return True


def _pragma(cursor: DBAPICursor, name: str) -> int:
    cursor.execute(f"PRAGMA {name}")
    return int(cursor.fetchall()[0][0])


@contextlib.contextmanager
def _database_errors() -> Iterator[None]:
    """Pass on no text of the driver: it holds statements and their values."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(error.orig) from None
    except sqlite3.Error as error:
        raise _translated(error) from None
    except SQLAlchemyError as error:
        raise Unavailable(f"The catalog's database could not be used ({type(error).__name__}).") from None


def _translated(cause: Any) -> Exception:  # noqa: ANN401 - each driver has its own tree of errors
    code = getattr(cause, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return OutOfSpace("The disk of the catalog is full; free space and try again.")
    name = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
    return Unavailable(f"The catalog's database could not be used ({name}).")
