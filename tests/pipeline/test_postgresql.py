"""The whole line on PostgreSQL: the same code, by a setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from scanward import wiring
from scanward.entrypoints import worker
from tests.faults.objects import ct
from tests.faults.site import assert_whole, send, settings
from tests.ports.postgresql import Server, running

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def test_workers_take_objects_through_the_line_and_nothing_of_a_patient_is_in_schema_deid(
    server: Server, tmp_path: Path
) -> None:
    url = server.new_database()
    site = settings(tmp_path, database_url=url, workers=2)
    ports = wiring.open_ports(site)
    contents = {str(number): ct(number) for number in range(60)}
    send(ports, contents.values(), contents)
    worker.run(site, ports, until_idle=True)
    assert_whole(ports, contents, contents)
    assert not list(site.data.glob("*.sqlite*"))
    engine = create_engine(url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names(schema="deid")
        rows = {
            table: [tuple(row) for row in connection.execute(text(f"SELECT * FROM deid.{table}"))]  # noqa: S608 - the schema's own names
            for table in tables
        }
    engine.dispose()
    assert sorted(tables) == ["alembic_version", "changes", "instances", "models", "series", "studies"]
    assert len(rows["instances"]) == len(rows["models"]) == len(contents)
    for value in ("Planted", "MRN1", "ACC4711", "1.2.826.0.1.3680043.8.498.7", "19700102"):
        assert value not in repr(rows)
