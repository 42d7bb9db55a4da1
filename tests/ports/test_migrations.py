from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from scanward.adapters.local import sql_migrate
from scanward.adapters.local.sql_engine import Database, open_database
from scanward.adapters.local.sql_tables import SCHEMAS, metadata
from scanward.errors import Misconfigured, Unavailable

pytestmark = pytest.mark.integration


def _described(database: Database) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with database.reading() as connection:
        inspector = inspect(connection)
        for schema in SCHEMAS:
            for table in sorted(set(inspector.get_table_names(schema=schema)) - {"alembic_version"}):
                columns = inspector.get_columns(table, schema=schema)
                found[f"{schema}.{table}"] = {
                    "columns": [
                        (one["name"], str(one["type"]), one["nullable"], one["default"]) for one in columns
                    ],
                    "key": inspector.get_pk_constraint(table, schema=schema)["constrained_columns"],
                    "unique": sorted(
                        one["column_names"] for one in inspector.get_unique_constraints(table, schema=schema)
                    ),
                    "foreign": [
                        (one["constrained_columns"], one["referred_table"])
                        for one in inspector.get_foreign_keys(table, schema=schema)
                    ],
                    "indexes": sorted(
                        (one["name"], one["column_names"])
                        for one in inspector.get_indexes(table, schema=schema)
                    ),
                }
    return found


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    migrated = _described(database)
    with database.writing() as connection:
        metadata.drop_all(connection)
    assert _described(database) == {}
    with database.writing() as connection:
        metadata.create_all(connection)
    assert _described(database) == migrated
    assert set(migrated) == {str(table) for table in metadata.sorted_tables}


def test_the_newest_revision_is_the_last_of_each_chain(database: Database) -> None:
    for schema in SCHEMAS:
        chain = ScriptDirectory.from_config(sql_migrate.configuration(schema))
        assert chain.get_current_head() == sql_migrate.NEWEST[schema]
        assert sql_migrate.revision(database, schema) == sql_migrate.NEWEST[schema]


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = _described(database)
    sql_migrate.migrate(database)
    assert _described(database) == before


@pytest.mark.parametrize("url", ["mysql://x/y", "no url", "sqlite:///x"])
def test_a_url_of_another_database_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="SCANWARD_DATABASE_URL"):
        open_database(tmp_path, url)


def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    database = open_database(tmp_path, "postgresql://a:secret@127.0.0.1:1/x")
    with pytest.raises(Unavailable) as caught:
        sql_migrate.migrate(database)
    assert "secret" not in caught.value.message
