from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import REAL, Person, outputs, rows_of, scanward, summary_of, write_ct

pytestmark = pytest.mark.integration


def fill(folder: Path) -> Path:
    person = Person()
    body = write_ct(folder / "Zwiebelfisch_Adalbert" / f"{person.patient_id}.dcm", 1).read_bytes()
    write_ct(folder / "b.dcm", 2)
    (folder / "MRN-0047113-cut.dcm").write_bytes(body[:-50])
    (folder / "Adalbert.txt").write_text("born 19510329")
    (folder / "us.dcm").write_bytes((REAL / "examples_palette.dcm").read_bytes())
    return folder


def test_the_report_has_a_line_a_file_and_a_summary_and_no_identifier(tmp_path: Path) -> None:
    report = tmp_path / "r.jsonl"
    run = scanward(tmp_path, "deidentify", fill(tmp_path / "in"), tmp_path / "out", "--report", report)
    assert run.returncode == 1
    text = report.read_text()
    rows = rows_of(text)
    assert sorted(row["outcome"] for row in rows) == [
        "deidentified",
        "deidentified",
        "quarantined",
        "rejected",
        "skipped",
    ]
    done = [row for row in rows if row["outcome"] == "deidentified"]
    assert {row["output"] for row in done} == set(outputs(tmp_path / "out"))
    for row in done:
        assert ["(0010,0010)", "D"] in row["changes"]
        assert row["profile"] == "hipaa-safe-harbor"
        assert row["seconds"] > 0
        assert len(row["key"]) == 16
        assert row["engine"]
    for row in rows:
        assert ("output" in row) != ("input_key" in row)
    summary = json.loads(text.splitlines()[-1])["summary"]
    assert summary["outcomes"]["deidentified"] == 2
    assert summary["sop_classes"] == {"CT Image Storage": 2}
    assert summary["changed"]["PatientName"] == 2
    for secret in Person().secrets:
        assert secret.decode().casefold() not in text.casefold()


def test_a_report_of_two_runs_tells_of_every_output_once(tmp_path: Path) -> None:
    report = tmp_path / "r.jsonl"
    arguments = ("deidentify", tmp_path / "in", tmp_path / "out", "--report", report, "--jobs", 1)
    for number in (1, 2):
        write_ct(tmp_path / "in" / f"{number}.dcm", number)
        assert scanward(tmp_path, *arguments).returncode == 0
    write_ct(tmp_path / "in" / "1.dcm", 9)
    assert scanward(tmp_path, *arguments).returncode == 0
    rows = rows_of(report.read_text())
    assert sorted(row["output"] for row in rows) == ["1.dcm", "2.dcm"]
    assert not list(tmp_path.glob("r.jsonl.*"))


def test_json_names_inputs_and_the_summary_comes_last(tmp_path: Path) -> None:
    run = scanward(tmp_path, "deidentify", fill(tmp_path / "in"), tmp_path / "out", "--json", "--jobs", 2)
    rows = rows_of(run.stdout)
    assert {row["input"] for row in rows} == {
        "Zwiebelfisch_Adalbert/MRN-0047113.dcm",
        "b.dcm",
        "MRN-0047113-cut.dcm",
        "Adalbert.txt",
        "us.dcm",
    }
    assert summary_of(run)["files"] == 5


def test_the_terminal_is_not_steered_by_a_file_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\x1b[2J[red]b\n.txt").write_text("no DICOM")
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out")
    assert run.returncode == 0
    assert "\x1b" not in run.stdout + run.stderr
    assert "[red]b" in run.stderr
