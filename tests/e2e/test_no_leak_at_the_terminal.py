from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.needles import PEOPLE, found, needles
from tests.e2e.planted import Planted, planted
from tests.e2e.running import scanward

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Planted], bytes]:
    """A site into which all planted files went by `scanward ingest`, and what that said."""
    folder = tmp_path_factory.mktemp("terminal")
    files = [file for person in PEOPLE for file in planted(person)]
    (folder / "planted").mkdir()
    for number, file in enumerate(files):
        # A path is shown as it stands in the folder; these tell nothing, so that all that is found was told.
        (folder / "planted" / f"{number}.dcm").write_bytes(file.body)
    run = scanward("ingest", folder / "planted", "--data", folder / "data", home=folder, log_level="DEBUG")
    assert run.returncode == 1, run.stderr.decode()
    return folder, files, run.stdout + run.stderr


def hits(said: bytes) -> list[bytes]:
    return found(said, needles(PEOPLE))


def test_the_table_tells_of_every_file_and_names_nobody(site: tuple[Path, list[Planted], bytes]) -> None:
    _, files, said = site
    assert f"{len(files)} files".encode() in said
    assert hits(said) == []


def test_executions_are_told_without_a_value(site: tuple[Path, list[Planted], bytes]) -> None:
    folder, _, _ = site
    listed = scanward("executions", "list", "--json", "--data", folder / "data", home=folder)
    assert listed.returncode == 0, listed.stderr.decode()
    assert hits(listed.stdout + listed.stderr) == []
    assert b"QUARANTINED" in listed.stdout.upper()


def test_a_comparison_names_attributes_and_shows_no_value_unasked(
    site: tuple[Path, list[Planted], bytes], tmp_path: Path
) -> None:
    folder, files, _ = site
    chosen = next(file for file in files if file.kind == "CT explicit")
    original = tmp_path / "original.dcm"
    original.write_bytes(chosen.body)
    scanward("deidentify", original, tmp_path / "out.dcm", home=folder)
    run = scanward("verify", original, tmp_path / "out.dcm", home=folder)
    assert run.returncode == 0, (run.stdout + run.stderr).decode()
    assert b"PatientName" in run.stdout or b"(0010,0010)" in run.stdout
    assert hits(run.stdout + run.stderr) == []


def test_an_object_that_was_not_cleaned_is_noticed(
    site: tuple[Path, list[Planted], bytes], tmp_path: Path
) -> None:
    folder, files, _ = site
    original = tmp_path / "original.dcm"
    original.write_bytes(files[0].body)
    run = scanward("verify", original, original, home=folder)
    assert run.returncode == 1
    assert hits(run.stdout + run.stderr) == []


def test_json_lines_name_outcomes_and_only_the_given_paths(
    site: tuple[Path, list[Planted], bytes], tmp_path: Path
) -> None:
    folder, files, _ = site
    run = scanward("deidentify", folder / "planted", tmp_path / "out", "--json", home=folder)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) > len(files)
    assert hits(run.stdout + run.stderr) == []
