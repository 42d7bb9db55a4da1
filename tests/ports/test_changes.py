"""The change feed on both databases: order, versions, and that it is written with what it tells."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import column, table, text, update

from scanward.adapters.local import sql_migrate
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_changes import SqlChanges
from scanward.adapters.local.sql_engine import Database, open_database
from scanward.adapters.local.sql_tables import removals
from scanward.errors import NotFound
from scanward.ports.changes import Action
from scanward.ports.object_store import Zone
from tests.ports.values import delivered, received, refusal

pytestmark = pytest.mark.integration


@pytest.fixture
def catalog(database: Database) -> SqlCatalog:
    return SqlCatalog(database)


@pytest.fixture
def feed(database: Database) -> SqlChanges:
    return SqlChanges(database)


def told(feed: SqlChanges, zone: Zone) -> list[tuple[str, str, str]]:
    return [(one.action.value, one.study_uid, one.instance_uid) for one in feed.since(zone, 0, 1000)]


def test_the_same_bytes_again_change_nothing(catalog: SqlCatalog, feed: SqlChanges) -> None:
    for _ in range(2):
        catalog.receive([received(1), received(1)], [refusal(1)])
        catalog.deliver([delivered(1)])
    assert told(feed, Zone.RAW) == [("stored", "1.2.3", "1.2.3.4.1"), ("quarantined", "", "")]
    assert told(feed, Zone.DEID) == [("de-identified", "2.25.1", "2.25.2.1")]
    assert (feed.last(Zone.RAW), feed.last(Zone.DEID)) == (2, 1)


def test_a_newer_version_is_told_after_the_older_one_where_that_was(
    catalog: SqlCatalog, feed: SqlChanges
) -> None:
    catalog.receive([received(1, "a"), received(1, "b")])
    catalog.receive([received(1, "c", study="1.2.9")])
    assert told(feed, Zone.RAW) == [
        ("stored", "1.2.3", "1.2.3.4.1"),
        ("superseded", "1.2.3", "1.2.3.4.1"),
        ("stored", "1.2.3", "1.2.3.4.1"),
        ("superseded", "1.2.3", "1.2.3.4.1"),
        ("stored", "1.2.9", "1.2.3.4.1"),
    ]


def test_an_output_of_another_profile_is_told_and_one_of_an_older_version_is_not(
    catalog: SqlCatalog, feed: SqlChanges
) -> None:
    catalog.receive([received(1, "old"), received(1, "new")])
    catalog.deliver([delivered(1, "new")])
    catalog.deliver([delivered(1, "old")])
    catalog.deliver([delivered(1, "new", output="other profile")])
    assert [action for action, _, _ in told(feed, Zone.DEID)] == [
        "de-identified",
        "superseded",
        "de-identified",
    ]


def test_nothing_is_told_of_an_object_that_is_gone(catalog: SqlCatalog, feed: SqlChanges) -> None:
    never = delivered(7)
    assert catalog.deliver([never]) == [never.raw_key]
    assert feed.since(Zone.DEID, 0) == []


def test_whoever_follows_eight_writers_misses_nothing(catalog: SqlCatalog, feed: SqlChanges) -> None:
    def send(writer: int) -> None:
        for number in range(10):
            catalog.receive([received(writer * 100 + number)])

    threads = [threading.Thread(target=send, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < 80 and (
        any(one.is_alive() for one in threads) or feed.last(Zone.RAW) > (seen or [0])[-1]
    ):
        seen += [one.sequence for one in feed.since(Zone.RAW, seen[-1] if seen else 0)]
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert seen == sorted(set(seen))


def test_quarantine_has_no_feed(feed: SqlChanges) -> None:
    with pytest.raises(NotFound):
        feed.since(Zone.QUARANTINE, 0)


def test_the_feed_begins_with_what_an_older_release_kept(tmp_path: Path, database_url: str) -> None:
    database = open_database(tmp_path, database_url)
    sql_migrate.migrate(database)
    catalog = SqlCatalog(database)
    catalog.receive([received(1, "old"), received(1, "new"), received(2)])
    catalog.deliver([delivered(2)])
    with database.writing() as connection:
        for schema in ("raw", "deid"):
            connection.execute(text(f"DROP TABLE {schema}.changes"))
            connection.execute(
                update(table("alembic_version", column("version_num"), schema=schema)).values(
                    version_num="0002"
                )
            )
            connection.execute(text(f"DROP INDEX {schema}.{schema}_instances_patient_id"))
        connection.execute(text("DROP INDEX deid.deid_instances_sequence"))
        removals.drop(connection)
    sql_migrate.migrate(database)
    feed = SqlChanges(database)
    assert [one.instance_uid for one in feed.since(Zone.RAW, 0)] == ["1.2.3.4.1", "1.2.3.4.2"]
    assert {one.action for one in feed.since(Zone.RAW, 0)} == {Action.STORED}
    assert [one.action for one in feed.since(Zone.DEID, 0)] == [Action.DEIDENTIFIED]
    database.close()
