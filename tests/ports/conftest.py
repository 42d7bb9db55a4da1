from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scanward.adapters.local.secrets import FileSecrets
from scanward.adapters.local.sql_engine import Database, open_database
from scanward.adapters.local.sql_migrate import migrate
from tests.ports.postgresql import Server, running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the setting of each database that a site may have."""
    if request.param == "sqlite":
        return ""
    server: Server = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path, database_url)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def site_secrets(tmp_path: Path) -> FileSecrets:
    return FileSecrets(tmp_path / "keys" / "site.key")
