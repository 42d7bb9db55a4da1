from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pydicom
import pytest

from tests.cli.running import REAL, Person, outputs, scanward, summary_of, write_ct, write_folder

pytestmark = pytest.mark.integration


def test_a_folder_is_mirrored_and_counted(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 12)
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--jobs", 1)
    assert run.returncode == 0, run.stderr
    assert set(outputs(tmp_path / "out")) == set(outputs(tmp_path / "in"))
    assert "deidentified     12" in run.stdout
    assert "CT Image Storage     12" in run.stdout
    assert "PatientName" in run.stdout
    made = pydicom.dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert made.PatientIdentityRemoved == "YES"
    assert made.PatientID.startswith("ANON-")


def test_one_process_two_processes_and_an_archive_give_the_same_bytes(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 30)
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in outputs(tmp_path / "in").items():
            archive.writestr(name, body)
    for source, target, jobs in (("in", "one", 1), ("in", "two", 2), ("in.zip", "zipped", 1)):
        run = scanward(tmp_path, "deidentify", tmp_path / source, tmp_path / target, "--jobs", jobs)
        assert run.returncode == 0, run.stderr
    one = outputs(tmp_path / "one")
    assert len(one) == 30
    assert outputs(tmp_path / "two") == one
    assert outputs(tmp_path / "zipped") == one


def test_members_of_an_archive_cannot_leave_the_output(tmp_path: Path) -> None:
    body = write_ct(tmp_path / "one.dcm").read_bytes()
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in (
            "../escaped.dcm",
            "/etc/absolute.dcm",
            "a\\..\\b.dcm",
            ".scanward/rows/x.dcm",
            "CON.dcm",
        ):
            archive.writestr(name, body)
    before = set(tmp_path.iterdir())
    run = scanward(tmp_path, "deidentify", tmp_path / "in.zip", tmp_path / "out" / "deep", "--jobs", 1)
    assert run.returncode == 0, run.stderr
    assert len(outputs(tmp_path / "out" / "deep")) == 5
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "out", tmp_path / ".config"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"deep"}


def test_a_single_file_goes_to_a_file_or_into_a_folder(tmp_path: Path) -> None:
    write_ct(tmp_path / "in.dcm")
    (tmp_path / "folder").mkdir()
    for target in ("out.dcm", "folder"):
        run = scanward(tmp_path, "deidentify", tmp_path / "in.dcm", tmp_path / target)
        assert run.returncode == 0, run.stderr
    assert (tmp_path / "out.dcm").read_bytes() == (tmp_path / "folder" / "in.dcm").read_bytes()


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 5)
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--dry-run", "--json")
    assert run.returncode == 0, run.stderr
    assert summary_of(run)["outcomes"]["deidentified"] == 5
    assert not (tmp_path / "out").exists()


def test_what_is_not_dicom_is_named_skipped_and_never_copied(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write_ct(source / "image.dcm")
    (source / "notes.txt").write_text("Adalbert Zwiebelfisch came at ten.")
    (source / "empty").write_bytes(b"")
    (source / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(300))
    (source / "DICOMDIR").write_bytes((REAL / "dicomdirtests" / "DICOMDIR").read_bytes())
    run = scanward(tmp_path, "deidentify", source, tmp_path / "out", "--jobs", 1)
    assert run.returncode == 0, run.stderr
    assert set(outputs(tmp_path / "out")) == {"image.dcm"}
    for name in ("notes.txt", "empty", "photo.jpg", "DICOMDIR"):
        assert f"skipped {name}" in run.stderr


def test_links_fifos_and_sockets_are_named_and_not_followed(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write_ct(source / "image.dcm")
    write_ct(tmp_path / "outside" / "image.dcm", 2)
    os.mkfifo(source / "fifo")
    (source / "out-of-tree").symlink_to(tmp_path / "outside" / "image.dcm")
    (source / "folder-link").symlink_to(tmp_path / "outside")
    (source / "loop").symlink_to(source)
    (source / "dangling").symlink_to(source / "nothing")
    (source / "inside").symlink_to(source / "image.dcm")
    run = scanward(tmp_path, "deidentify", source, tmp_path / "out", "--jobs", 1)
    assert set(outputs(tmp_path / "out")) == {"image.dcm", "inside"}
    for name in ("fifo", "out-of-tree", "folder-link", "loop", "dangling"):
        assert f" {name}: " in run.stderr


def test_what_is_rejected_or_quarantined_is_named_and_not_copied_and_the_code_is_one(
    tmp_path: Path,
) -> None:
    source = tmp_path / "in"
    whole = write_ct(source / "whole.dcm").read_bytes()
    (source / "cut.dcm").write_bytes(whole[:-100])
    (source / "ultrasound.dcm").write_bytes((REAL / "examples_palette.dcm").read_bytes())
    run = scanward(tmp_path, "deidentify", source, tmp_path / "out", "--jobs", 2)
    assert run.returncode == 1
    assert set(outputs(tmp_path / "out")) == {"whole.dcm"}
    assert "rejected cut.dcm: " in run.stderr
    assert "quarantined ultrasound.dcm: " in run.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{in}", "{in}"), "kept apart"),
        (("{in}", "{in}/below"), "kept apart"),
        (("{in}/set0", "{in}"), "kept apart"),
        (("{in}/nothing", "{out}"), "does not exist"),
        (("{in}", "{out}", "--shard", "4/3"), "--shard"),
        (("{in}", "{out}", "--shard", "x"), "--shard"),
        (("{in}", "{out}", "--report", "{in}/report.jsonl"), "inside IN"),
        (("{in}", "{out}", "--jobs", "0"), "--jobs"),
        (("{in}", "{out}", "--names", "whatever"), "--names"),
        (("{in}", "{in}/set0/IM00000.dcm"), "file"),
        (("{in}/set0/IM00000.dcm", "{in}/set0/IM00000.dcm"), "never overwritten"),
        (("{in}",), "OUT"),
    ],
)
def test_a_wrong_command_ends_with_a_sentence_and_code_2(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    write_folder(tmp_path / "in", 3)
    before = outputs(tmp_path / "in")
    places = {"in": str(tmp_path / "in"), "out": str(tmp_path / "out")}
    run = scanward(tmp_path, "deidentify", *(one.format(**places) for one in arguments))
    assert run.returncode == 2, run.stdout
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr
    assert outputs(tmp_path / "in") == before


def test_an_unknown_profile_ends_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    write_ct(tmp_path / "in" / "a.dcm")
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--profile", "nonesuch")
    assert run.returncode == 3
    assert "hipaa-safe-harbor" in run.stderr


def test_an_output_that_no_run_wrote_is_replaced_only_by_force(tmp_path: Path) -> None:
    write_ct(tmp_path / "in" / "a.dcm")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.dcm").write_text("somebody's own")
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out")
    assert run.returncode == 1
    assert "--force" in run.stderr
    assert (tmp_path / "out" / "a.dcm").read_text() == "somebody's own"
    assert scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--force").returncode == 0
    assert (tmp_path / "out" / "a.dcm").read_bytes()[128:132] == b"DICM"


def test_two_domains_give_pseudonyms_that_cannot_be_joined(tmp_path: Path) -> None:
    write_ct(tmp_path / "in" / "a.dcm", person=Person())
    identities = []
    for domain in ("trial-a", "trial-b"):
        target = tmp_path / domain
        run = scanward(tmp_path, "deidentify", tmp_path / "in", target, "--domain", domain)
        assert run.returncode == 0, run.stderr
        made = pydicom.dcmread(target / "a.dcm")
        identities.append((made.PatientID, made.StudyInstanceUID))
    assert set(identities[0]).isdisjoint(identities[1])


@pytest.mark.slow
def test_two_thousand_files_go_through(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", 2000, people=20)
    run = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", "--jobs", 2, "--json")
    assert run.returncode == 0, run.stderr
    assert summary_of(run)["outcomes"]["deidentified"] == 2000
    assert set(outputs(tmp_path / "out")) == set(outputs(tmp_path / "in"))
