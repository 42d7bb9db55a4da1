from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, Text, update

from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import Database, open_database
from scanward.adapters.local.sql_executions import SqlExecutions
from scanward.adapters.local.sql_migrate import migrate
from scanward.errors import Fault, Misconfigured, NotFound
from scanward.ports.catalog import Receipt, Received
from scanward.ports.executions import Status
from scanward.ports.object_store import Zone
from scanward.settings import Duplicates
from tests.ports.values import delivered, instance, key, received, refusal

pytestmark = pytest.mark.integration


@pytest.fixture
def catalog(database: Database) -> SqlCatalog:
    return SqlCatalog(database)


def test_each_object_gets_a_receipt_with_its_execution(catalog: SqlCatalog, database: Database) -> None:
    receipts = catalog.receive([received(1), received(2)], [refusal(1)])
    assert [receipt.name for receipt in receipts] == ["file-1.dcm", "file-2.dcm", "bad-1.txt"]
    assert receipts[2].error == "Invalid DICOM file"
    assert not receipts[2].execution_id
    executions = SqlExecutions(database)
    for receipt in receipts[:2]:
        execution = executions.describe(receipt.execution_id)
        assert (execution.status, execution.raw_key, execution.modality) == (
            Status.RUNNING,
            receipt.key,
            "CT",
        )


def test_the_same_bytes_again_are_a_duplicate_with_the_execution_that_is_there(catalog: SqlCatalog) -> None:
    first = catalog.receive([received(1)])[0]
    again = catalog.receive([received(1), received(1)])
    assert [receipt.duplicate for receipt in again] == [True, True]
    assert {receipt.execution_id for receipt in again} == {first.execution_id}
    assert len(catalog.instances(Zone.RAW, "1.2.3")) == 1


def test_the_same_bytes_twice_in_one_batch_are_one_object(catalog: SqlCatalog) -> None:
    first, second = catalog.receive([received(1), received(1)])
    assert not first.duplicate
    assert second.duplicate
    assert first.execution_id == second.execution_id


def test_other_bytes_under_one_uid_supersede_with_history(catalog: SqlCatalog, database: Database) -> None:
    first = catalog.receive([received(1, "old")])[0]
    second = catalog.receive([received(1, "new")])[0]
    assert not first.superseded
    assert second.superseded
    assert [kept.key for kept in catalog.instances(Zone.RAW, "1.2.3")] == [key("new")]
    assert {execution.raw_key for execution in SqlExecutions(database).list()} == {key("old"), key("new")}


def test_superseding_within_one_batch_keeps_the_last(catalog: SqlCatalog) -> None:
    catalog.receive([received(1, "a"), received(1, "b"), received(1, "c")])
    assert [kept.key for kept in catalog.instances(Zone.RAW, "1.2.3")] == [key("c")]


def test_a_refusal_again_keeps_the_first_reason(catalog: SqlCatalog) -> None:
    for _ in range(2):
        receipts = catalog.receive([], [refusal(1), refusal(1)])
        assert [receipt.key for receipt in receipts] == [key("bad 1")] * 2
    assert catalog.known_keys(Zone.QUARANTINE, key("bad 1")[:2]) == {key("bad 1")}


def test_eight_senders_of_one_object_make_one_execution(catalog: SqlCatalog, database: Database) -> None:
    receipts: list[Receipt] = []
    start = threading.Barrier(8)

    def send() -> None:
        start.wait()
        receipts.extend(catalog.receive([received(1), received(2)]))

    _together(send, 8)
    assert len({receipt.execution_id for receipt in receipts}) == 2
    assert sum(not receipt.duplicate for receipt in receipts) == 2
    assert len(SqlExecutions(database).list()) == 2


def test_eight_versions_at_once_leave_one_current(catalog: SqlCatalog) -> None:
    start = threading.Barrier(8)
    versions = iter(range(8))

    def send() -> None:
        version = next(versions)
        start.wait()
        catalog.receive([received(1, f"version {version}")])

    _together(send, 8)
    assert len(catalog.instances(Zone.RAW, "1.2.3")) == 1


def test_a_delivery_is_found_in_its_zone_and_only_there(catalog: SqlCatalog) -> None:
    catalog.receive([received(1)])
    catalog.deliver([delivered(1)])
    catalog.deliver([delivered(1)])
    kept = catalog.instances(Zone.DEID, "2.25.1")
    assert [(one.key, one.checksum) for one in kept] == [(delivered(1).key, key("sum"))]
    assert kept[0].instance == delivered(1).instance
    with pytest.raises(NotFound):
        catalog.instances(Zone.RAW, "2.25.1")
    with pytest.raises(NotFound):
        catalog.instances(Zone.DEID, "1.2.3")
    with pytest.raises(NotFound):
        catalog.instances(Zone.QUARANTINE, "1.2.3")


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_the_last_arrived_is_current_whichever_is_delivered_first(
    catalog: SqlCatalog, order: tuple[str, str]
) -> None:
    catalog.receive([received(1, "old")])
    catalog.receive([received(1, "new")])
    for content in order:
        catalog.deliver([delivered(1, content)])
    assert [one.key for one in catalog.instances(Zone.DEID, "2.25.1")] == [delivered(1, "new").key]


def test_both_versions_in_one_delivery_leave_the_last_arrived(catalog: SqlCatalog) -> None:
    catalog.receive([received(1, "old"), received(1, "new")])
    catalog.deliver([delivered(1, "new"), delivered(1, "old")])
    assert [one.key for one in catalog.instances(Zone.DEID, "2.25.1")] == [delivered(1, "new").key]


def test_a_new_policy_supersedes_what_the_old_one_gave(catalog: SqlCatalog) -> None:
    catalog.receive([received(1)])
    catalog.deliver([delivered(1, output="policy 1")])
    catalog.deliver([delivered(1, output="policy 2")])
    assert [one.key for one in catalog.instances(Zone.DEID, "2.25.1")] == [key("policy 2")]


def test_studies_count_what_is_current_the_newest_first(catalog: SqlCatalog) -> None:
    catalog.receive([received(1), received(2), received(3, series="1.2.3.5", modality="SEG")])
    catalog.receive([received(4, study="9.9", series="9.9.1", study_date="20260101")])
    catalog.receive([received(1, "changed", patient_name="Roe^Jane")])
    first, second = catalog.studies(Zone.RAW)
    assert (first.study_uid, first.patient_name, first.instances, first.series) == ("1.2.3", "Roe^Jane", 3, 2)
    assert (first.modalities, first.bytes) == (("CT", "SEG"), 300)
    assert (second.study_uid, second.study_date, second.instances) == ("9.9", "20260101", 1)
    assert catalog.studies(Zone.RAW, limit=1, offset=1) == [second]
    assert catalog.studies(Zone.DEID) == catalog.studies(Zone.QUARANTINE) == []


def test_instances_come_by_series_and_instance_number(catalog: SqlCatalog) -> None:
    catalog.receive(
        [
            received(10, series="1.2.3.9", series_number=2),
            received(3, series_number=1),
            received(2, series_number=1),
        ]
    )
    numbers = [one.instance.instance_number for one in catalog.instances(Zone.RAW, "1.2.3")]
    assert numbers == [2, 3, 10]


def test_hostile_values_do_not_break_a_batch(catalog: SqlCatalog) -> None:
    odd = instance(1, patient_name="a\0b\ud800'; DROP TABLE instances;--", instance_number=10**30, rows=-1)
    warning = Fault("odd", "odd \udcff")
    receipts = catalog.receive([Received(key("odd"), 1, "\udcff\0.dcm", odd, (warning,)), received(2)])
    assert len(receipts) == 2
    kept = {one.key: one.instance for one in catalog.instances(Zone.RAW, "1.2.3")}[key("odd")]
    assert kept.patient_name == "ab?'; DROP TABLE instances;--"
    assert (kept.instance_number, kept.rows) == (None, -1)


def test_a_newer_catalog_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        table = Table("alembic_version", MetaData(), Column("version_num", Text), schema="raw")
        connection.execute(update(table).values(version_num="9999"))
    with pytest.raises(Misconfigured, match="newer"):
        migrate(database)


def test_many_that_open_a_new_catalog_at_once_make_it_once(database_url: str, tmp_path: Path) -> None:
    start = threading.Barrier(6)

    def open_one() -> None:
        start.wait()
        opened = open_database(tmp_path / "new", database_url)
        migrate(opened)
        assert SqlCatalog(opened).studies(Zone.RAW) == []
        opened.close()

    _together(open_one, 6)


def test_nothing_of_a_patient_is_in_the_deid_file_not_even_in_freed_pages(tmp_path: Path) -> None:
    database = open_database(tmp_path, "")
    migrate(database)
    catalog = SqlCatalog(database)
    catalog.receive([received(1, patient_id="MRN-4711")])
    catalog.deliver([delivered(1, study_description="FORGETME")])
    catalog.deliver([delivered(1, output="again")])
    with database.writing() as connection:
        for table in ("instances", "models", "series", "studies"):
            connection.exec_driver_sql(f"DELETE FROM deid.{table}")  # noqa: S608 - our own names
    database.close()
    with sqlite3.connect(tmp_path / "deid.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in tmp_path.glob("deid.sqlite*"):
        content = path.read_bytes()
        for value in (b"MRN-4711", b"Doe^Jane", b"1.2.3.4", received(1).key.encode(), b"FORGETME"):
            assert value not in content, path.name


def _together(call: Callable[[], None], count: int) -> None:
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize(("duplicates", "error"), [("keep", ""), ("reject", "Duplicate")])
def test_other_bytes_of_one_uid_are_not_taken_where_the_site_has_it(
    database: Database, duplicates: Duplicates, error: str
) -> None:
    catalog = SqlCatalog(database, duplicates)
    assert catalog.conflicts([received(1, "a"), received(1, "a")]) == {}
    catalog.receive([received(1, "a")])
    ahead = catalog.conflicts([received(2), received(1, "b"), received(1, "a"), received(2, "c")])
    assert {place: (one.key, one.error) for place, one in ahead.items()} == {1: ("", error), 3: ("", error)}
    told = catalog.receive([received(1, "b"), received(1, "a")])
    assert [(one.outdated, one.duplicate, one.error) for one in told] == [
        (True, False, error),
        (False, True, ""),
    ]
    assert told[0].named.instance_uid == "1.2.3.4.1"
    assert [kept.key for kept in catalog.instances(Zone.RAW, "1.2.3")] == [key("a")]
    assert len(SqlExecutions(database).list()) == 1


def test_where_other_bytes_supersede_nothing_conflicts_and_older_ones_again_are_outdated(
    catalog: SqlCatalog,
) -> None:
    catalog.receive([received(1, "a")])
    assert catalog.conflicts([received(1, "b")]) == {}
    catalog.receive([received(1, "b")])
    (again,) = catalog.receive([received(1, "a")])
    assert (again.duplicate, again.outdated) == (True, True)
