"""Backups of sites whose rows are in PostgreSQL or whose objects are in S3, older ones, and deletions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from scanward import wiring
from scanward.adapters.local.backup_catalog import CatalogRows
from scanward.adapters.local.backup_key import BackupKey, make_key
from scanward.adapters.local.backup_writing import BackupWriter, Progress
from scanward.adapters.local.sql_engine import open_database
from scanward.adapters.local.sql_migrate import migrate
from scanward.ports import Ports
from scanward.ports.object_store import Zone
from scanward.settings import Settings
from tests.aws_store.servers import OTHER, make_buckets, moto_url, s3_client
from tests.cli.running import ROOT, scanward, write_folder
from tests.ports.postgresql import Server, running

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a site that has taken four files through its line."""
    write_folder(tmp_path / "in", 4)
    run = scanward(tmp_path, "ingest", tmp_path / "in", "--data", tmp_path / "data")
    assert run.returncode == 0, run.stderr
    make_key(tmp_path / "key")
    return tmp_path


def done(home: Path, verb: str, file: str, data: str, **changed: str) -> None:
    run = scanward(home, verb, home / file, "--key-file", home / "key", "--data", home / data, **changed)
    assert run.returncode == 0, run.stderr


def rows_of(data: Path, url: str = "") -> dict[str, list[object]]:
    database = open_database(data, url)
    with CatalogRows(database).snapshot() as tables:
        found = {
            f"{table.schema}.{table.name}": sorted((row for some in rows for row in some), key=repr)
            for table, rows in tables
        }
    database.close()
    return {name: list(rows) for name, rows in found.items()}


def test_rows_go_from_sqlite_to_postgresql_and_back(home: Path, postgresql: Server) -> None:
    url = postgresql.new_database()
    elsewhere = {"SCANWARD_DATABASE_URL": url}
    done(home, "backup", "one", "data")
    done(home, "restore", "one", "moved", **elsewhere)
    assert rows_of(home / "moved", url) == rows_of(home / "data")
    done(home, "backup", "two", "moved", **elsewhere)
    done(home, "restore", "two", "back")
    assert rows_of(home / "back") == rows_of(home / "data")
    write_folder(home / "more", 6)
    run = scanward(home, "ingest", home / "more", "--data", home / "moved", **elsewhere)
    assert run.returncode == 0, run.stdout
    again = scanward(
        home, "restore", home / "one", "--key-file", home / "key", "--data", home / "x", **elsewhere
    )
    assert again.returncode == 3
    assert "holds rows" in again.stderr


def test_a_damaged_backup_leaves_no_row_in_postgresql(home: Path, postgresql: Server) -> None:
    done(home, "backup", "one", "data")
    stream = bytearray((home / "one").read_bytes())
    stream[-100] ^= 1
    (home / "one").write_bytes(stream)
    url = postgresql.new_database()
    arguments = ("restore", home / "one", "--key-file", home / "key", "--data", home / "moved")
    assert scanward(home, *arguments, SCANWARD_DATABASE_URL=url).returncode == 2
    assert not any(rows_of(home / "unused", url).values())


def test_objects_go_to_s3_and_back(home: Path) -> None:
    with moto_url() as url:
        s3 = s3_client(url)
        make_buckets(s3)
        remote = {
            "SCANWARD_OBJECT_STORE": f"s3://{OTHER}/site",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        done(home, "backup", "one", "data")
        done(home, "restore", "one", "moved", **remote)
        assert len(s3.list_objects_v2(Bucket=OTHER)["Contents"]) == 8
        check = scanward(home, "check", "--data", home / "moved", "--json", **remote)
        assert json.loads(check.stdout)["counts"] == {"objects": 8}
        again = scanward(
            home, "restore", home / "one", "--key-file", home / "key", "--data", home / "x", **remote
        )
        assert again.returncode == 3
        assert "store holds objects" in again.stderr
        assert len(s3.list_objects_v2(Bucket=OTHER)["Contents"]) == 8
        done(home, "backup", "two", "moved", **remote)
    done(home, "restore", "two", "back")
    assert rows_of(home / "back") == rows_of(home / "data")


class Deleting(Progress):
    """Deletes an instance once the rows are written, before its objects are."""

    def __init__(self, ports: Ports, instance_uid: str) -> None:
        self._ports = ports
        self._instance_uid = instance_uid

    def total(self, size: int) -> None:
        assert size
        self._ports.deletion.delete(f"{ROOT}.1", f"{ROOT}.1.1", self._instance_uid)


def test_what_is_deleted_while_a_backup_is_made_is_gone_after_a_restore(home: Path) -> None:
    settings = Settings(
        data=home / "data", key_file=home / ".config" / "scanward" / "site.key", free_space_bytes=0
    )
    ports = wiring.open_ports(settings, sweep=False)
    gone = f"{ROOT}.1.1.100000"
    found: list[tuple[str, Zone]] = []
    catalog = CatalogRows(open_database(settings.data, ""))
    writer = BackupWriter(
        ports, catalog, Deleting(ports, gone), lambda why, zone, _key: found.append((why, zone))
    )
    key = BackupKey(b"k", b"w" * 32)
    (home / "key").write_text("scanward-backup-key-1 " + "d3d3" * 10 + "d3c=")
    with (home / "one").open("wb") as file:
        writer.write(file, home, key, {"made": "2026-11-25T10:00:00+00:00"})
    assert sorted(found) == [("deleted", Zone.DEID), ("deleted", Zone.RAW)]
    done(home, "restore", "one", "again")
    assert scanward(home, "check", "--data", home / "again").returncode == 0
    for name in ("data", "again"):
        rows = rows_of(home / name)
        assert len(rows["raw.instances"]) == len(rows["deid.instances"]) == 3
        assert gone not in repr(
            [row for table, some in rows.items() if "changes" not in table for row in some]
        )


def test_an_older_backup_is_restored_into_its_tables_and_upgraded(home: Path) -> None:
    done(home, "backup", "one", "data")
    older = open_database(home / "older", "")
    rows = CatalogRows(older)
    rows.make_tables({"raw": "0002", "deid": "0002"})
    with rows.loading() as loading, sqlite3.connect(home / "data" / "catalog.sqlite") as newer:
        newer.row_factory = sqlite3.Row
        taken = [dict(row) for row in newer.execute("SELECT * FROM instances")]
        loading.rows(("raw", "instances"), list(taken[0]), [list(row.values()) for row in taken])
    migrate(older)
    with older.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM raw.changes")) == 4
    older.close()
