"""`scanward check` and `scanward reindex`, as their user runs them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import scanward, write_folder

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a site that has taken five files through its line."""
    write_folder(tmp_path / "in", 5)
    run = scanward(tmp_path, "ingest", tmp_path / "in", "--data", tmp_path / "data")
    assert run.returncode == 0, run.stderr
    return tmp_path


def told(home: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    run = scanward(home, *arguments, "--data", home / "data", "--json")
    assert run.stdout, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return run.returncode, found


def blobs(home: Path, zone: str) -> list[Path]:
    return sorted(path for path in (home / "data" / "store" / zone).rglob("*") if path.is_file())


def change(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_sound_site_is_said_to_be_sound(home: Path) -> None:
    code, found = told(home, "check")
    assert (code, found["findings"]) == (0, [])
    assert found["counts"] == {"objects": 10}
    assert "all are as the catalog says" in scanward(home, "check", "--data", home / "data").stdout


def test_damaged_missing_and_unknown_objects_are_named(home: Path) -> None:
    raw, deid = blobs(home, "raw"), blobs(home, "deid")
    change(raw[0])
    deid[0].unlink()
    stray = deid[1].with_name(deid[1].name[:2] + "0" * 62)
    stray.write_bytes(b"stray")
    code, found = told(home, "check")
    assert code == 1
    assert {(one["zone"], one["key"], one["what"]) for one in found["findings"]} == {
        ("raw", raw[0].name, "damaged"),
        ("deid", deid[0].name, "missing"),
        ("deid", stray.name, "unknown"),
    }


def test_a_quick_check_reads_no_content(home: Path) -> None:
    change(blobs(home, "raw")[0])
    assert told(home, "check", "--quick")[0] == 0
    assert told(home, "check")[0] == 1


def content_of(home: Path) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for name in ("catalog", "deid"):
        with sqlite3.connect(home / "data" / f"{name}.sqlite") as connection:
            for table in ("instances", "models", "series", "studies"):
                found[f"{name}.{table}"] = sorted(connection.execute(f"SELECT * FROM {table}"))  # noqa: S608 - our own names
    return found


def test_an_index_made_anew_is_the_same(home: Path) -> None:
    before = content_of(home)
    for name in ("catalog", "deid"):
        with sqlite3.connect(home / "data" / f"{name}.sqlite") as connection:
            for table in ("models", "series", "studies"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            connection.execute("UPDATE instances SET patient_name = '', modality = 'XX'")
    assert content_of(home) != before
    code, counts = told(home, "reindex")
    assert (code, counts) == (0, {"renewed": 10})
    assert content_of(home) == before


def test_a_lost_catalog_is_made_again_from_the_originals(home: Path) -> None:
    studies = {row[0] for row in content_of(home)["deid.studies"]}
    for path in (home / "data").glob("*.sqlite*"):
        path.unlink()
    # A start over the lost catalog, and another, cost nothing: it is the catalog that is missing something.
    write_folder(home / "more", 1)
    for _ in range(2):
        assert scanward(home, "ingest", home / "more", "--data", home / "data").returncode == 0
    code, counts = told(home, "reindex")
    assert code == 0
    assert counts["taken in"] == 4
    scanward(home, "ingest", home / "in", "--data", home / "data")
    assert {row[0] for row in content_of(home)["deid.studies"]} == studies
    assert told(home, "check")[0] == 0
