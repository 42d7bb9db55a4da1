from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import pydicom
import pytest

from tests.cli.running import Person, outputs, scanward, summary_of, write_ct

pytestmark = pytest.mark.integration

WHO = Person()


def fill(folder: Path) -> Path:
    """Write what people's archives look like: names, numbers, dates and UIDs in folders and files."""
    uid = str(pydicom.dcmread(write_ct(folder / "plain" / "IM1.dcm", 1)).SOPInstanceUID)
    write_ct(folder / WHO.patient_id / "study456" / "image001.dcm", 2)
    write_ct(folder / "Zwiebelfisch_Adalbert" / "19510329" / "image001.dcm", 3)
    write_ct(folder / "zwiebelfisch, adalbert" / "1951-03-29" / "image001.dcm", 4)
    write_ct(folder / "ADALBERT" / WHO.accession / f"{uid}.dcm", 1)
    return folder


def run(tmp_path: Path, names: str) -> dict[str, bytes]:
    done = scanward(tmp_path, "deidentify", fill(tmp_path / "in"), tmp_path / names, "--names", names)
    assert done.returncode == 0, done.stderr
    return outputs(tmp_path / names)


def test_safe_names_hold_no_identifier_and_keep_the_rest(tmp_path: Path) -> None:
    made = run(tmp_path, "safe")
    assert len(made) == 5
    pseudonym = pydicom.dcmread(tmp_path / "safe" / "plain" / "IM1.dcm").PatientID
    assert f"{pseudonym}/study456/image001.dcm" in made
    for name in made:
        for word in ("zwiebelfisch", "adalbert", "0047113", "1951", "ACC9931077", "1.2.826"):
            assert word.casefold() not in name.casefold()


def test_preserved_names_are_those_of_the_input(tmp_path: Path) -> None:
    assert set(run(tmp_path, "preserve")) == set(outputs(tmp_path / "in"))


def test_pseudonymous_names_are_uids_and_one_object_given_twice_is_there_once(tmp_path: Path) -> None:
    made = run(tmp_path, "pseudonymous")
    assert len(made) == 4
    for name in made:
        image = pydicom.dcmread(tmp_path / "pseudonymous" / name)
        assert name == f"{image.StudyInstanceUID}/{image.SeriesInstanceUID}/{image.SOPInstanceUID}.dcm"


def test_two_inputs_of_one_name_do_not_overwrite_one_another(tmp_path: Path) -> None:
    write_ct(tmp_path / "in" / "one.dcm", 1)
    changed = pydicom.dcmread(tmp_path / "in" / "one.dcm")
    changed.ImagePositionPatient = [9, 9, 9]
    changed.save_as(tmp_path / "in" / "two.dcm", enforce_file_format=True)
    options = ("--names", "pseudonymous", "--jobs", 1, "--json")
    done = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", *options)
    assert summary_of(done)["outcomes"]["deidentified"] == 2
    first = outputs(tmp_path / "out")
    assert len(first) == 2
    positions = {
        str(pydicom.dcmread(path).ImagePositionPatient) for path in (tmp_path / "out").rglob("*.dcm")
    }
    assert len(positions) == 2
    again = scanward(tmp_path, "deidentify", tmp_path / "in", tmp_path / "out", *options)
    assert summary_of(again)["outcomes"]["already done"] == 2
    assert outputs(tmp_path / "out") == first


def test_members_of_one_name_in_an_archive_keep_their_extension(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for number in (1, 2):
            with warnings.catch_warnings(action="ignore"):  # that the name is there twice
                archive.writestr("set/x.dcm", write_ct(tmp_path / "x.dcm", number).read_bytes())
    done = scanward(tmp_path, "deidentify", tmp_path / "in.zip", tmp_path / "out", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    assert set(outputs(tmp_path / "out")) == {"set/x.dcm", "set/x-1.dcm"}
