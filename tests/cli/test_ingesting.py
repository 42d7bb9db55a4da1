from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.running import REAL, Person, rows_of, scanward, summary_of, write_ct, write_folder

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, str]]]:
    """Return a site that took in a folder, an archive, and what is no DICOM; and the rows of that."""
    home = tmp_path_factory.mktemp("site")
    source = write_folder(home / "in", 6)
    body = write_ct(home / "other.dcm", 50, Person(patient_id="MRN-9", study=9)).read_bytes()
    (source / "cut.dcm").write_bytes(body[:-50])
    (source / "notes.txt").write_text("no DICOM")
    (source / "us.dcm").write_bytes((REAL / "examples_palette.dcm").read_bytes())
    with zipfile.ZipFile(home / "in.zip", "w") as archive:
        archive.writestr("below/other.dcm", body)
    run = scanward(home, "ingest", source, home / "in.zip", "--data", home / "data", "--json")
    assert run.returncode == 1, run.stderr
    assert summary_of(run)["files"] == 10
    return home, {row["name"]: row for row in rows_of(run.stdout)}


def test_every_file_has_a_row_with_its_outcome_and_reason(
    site: tuple[Path, dict[str, dict[str, str]]],
) -> None:
    rows = site[1]
    outcomes = {name: row["outcome"] for name, row in rows.items()}
    assert outcomes.pop("cut.dcm") == "rejected"
    assert outcomes.pop("notes.txt") == "skipped"
    assert outcomes.pop("us.dcm") == "quarantined"
    assert outcomes["in.zip:below/other.dcm"] == "deidentified"
    assert set(outcomes.values()) == {"deidentified"}
    for name in ("cut.dcm", "notes.txt", "us.dcm"):
        assert rows[name]["reason"]
    assert rows["set0/IM00000.dcm"]["modality"] == "CT"


def test_again_it_is_there_already_and_one_table_says_so(
    site: tuple[Path, dict[str, dict[str, str]]],
) -> None:
    home = site[0]
    run = scanward(home, "ingest", home / "in" / "set0", "--data", home / "data")
    assert run.returncode == 0, run.stderr
    assert "already done" in run.stdout
    assert "2 files" in run.stdout
    assert "Modality" in run.stdout


def test_executions_are_listed_described_and_redriven(site: tuple[Path, dict[str, dict[str, str]]]) -> None:
    home, rows = site
    data = ("--data", home / "data")
    listed = json.loads(scanward(home, "executions", "list", "--json", *data).stdout)
    assert len(listed) == 8
    failed = json.loads(scanward(home, "executions", "list", "--status", "FAILED", "--json", *data).stdout)
    assert [one["name"] for one in failed] == ["us.dcm"]
    good = rows["set0/IM00000.dcm"]["execution_id"]
    assert "SUCCEEDED" in scanward(home, "executions", "describe", good, *data).stdout
    assert scanward(home, "executions", "redrive", failed[0]["id"], *data).returncode == 0
    assert scanward(home, "executions", "redrive", good, *data).returncode == 2
    assert scanward(home, "executions", "describe", "0" * 32, *data).returncode == 2


def test_a_link_is_made_for_what_is_there_and_for_nothing_else(
    site: tuple[Path, dict[str, dict[str, str]]],
) -> None:
    home, rows = site
    data = ("--data", home / "data")
    key = rows["set0/IM00000.dcm"]["key"]
    made = scanward(home, "link", key, "--expires", "1h", *data)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("http://127.0.0.1:8000/links/")
    assert scanward(home, "link", "0" * 64, *data).returncode == 2
    assert scanward(home, "link", key, "--expires", "8d", *data).returncode == 2
    assert scanward(home, "link", key, "--zone", "quarantine", *data).returncode == 2


def test_a_path_that_is_not_there_is_a_wrong_command(tmp_path: Path) -> None:
    run = scanward(tmp_path, "ingest", tmp_path / "nothing", "--data", tmp_path / "data")
    assert run.returncode == 2
    assert "does not exist" in run.stderr
    assert not (tmp_path / "data").exists()
