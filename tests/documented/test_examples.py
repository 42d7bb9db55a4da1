"""The documents' Python examples, run as they are printed, from a checkout and through `src`."""

from __future__ import annotations

import re
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file

from src.ingestion.deidentifier import Deidentifier
from src.ingestion.dicom_parser import DICOMParser
from src.ingestion.metadata_extractor import MetadataExtractor
from src.validation.schemas import ValidationError
from tests.documented.printed import run

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _own_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the examples work in a folder and with a secret of their own, and never with the developer's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCANWARD_KEY_FILE", str(tmp_path / "keys" / "site.key"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a real CT image of a patient whom the user guide names."""
    dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    dataset.PatientName, dataset.PatientID = "John Doe", "12345"
    dataset.StudyDate = "20040119"
    dataset.save_as(tmp_path / "original.dcm")
    return tmp_path / "original.dcm"


@pytest.fixture
def dataset(file: Path) -> Dataset:
    return DICOMParser().parse_file(str(file))


def test_the_parser_s_example_prints_name_and_study(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("DICOMParser", {"DICOMParser": DICOMParser}, {"/path/to/file.dcm": file})

    assert capsys.readouterr().out.splitlines() == ["John Doe", "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"]


def test_the_parser_reads_bytes_and_tells_the_transfer_syntax(file: Path) -> None:
    parser = DICOMParser()
    dataset = parser.parse_bytes(file.read_bytes())

    assert dataset == parser.parse_file(str(file))
    assert parser.get_transfer_syntax(dataset) == "1.2.840.10008.1.2.1"


def test_the_deidentifier_s_example_counts_tags_and_gives_the_new_id(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("Deidentifier", {"Deidentifier": Deidentifier, "dataset": dataset})
    removed, clean = names["removed"], names["clean_dataset"]

    assert isinstance(removed, list)
    assert isinstance(clean, Dataset)
    assert capsys.readouterr().out.splitlines() == [
        f"Removed {len(removed)} tags",
        "New Patient ID: ANON12345",
    ]
    assert {"PatientName", "PatientID", "StudyInstanceUID", "StudyDate"} <= set(removed)
    assert "John" not in str(clean)
    assert str(dataset.PatientName) == "John Doe"


def test_the_extractor_s_example_prints_patient_date_and_modality(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("MetadataExtractor", {"MetadataExtractor": MetadataExtractor, "dataset": dataset})

    assert capsys.readouterr().out.splitlines() == [
        "Patient: John Doe",
        "Study Date: 20040119",
        "Modality: CT",
    ]
    assert list(names["metadata"]) == ["patient", "study", "series", "image", "acquisition"]  # type: ignore[call-overload]  # a name of the example


def test_the_model_s_example_finds_an_extractor_s_metadata_valid(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = MetadataExtractor().extract_metadata(dataset)

    run("DICOMMetadataModel", {"metadata_dict": metadata})

    assert capsys.readouterr().out == "Valid metadata!\n"


def test_the_model_s_example_prints_what_is_wrong_and_no_value(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = MetadataExtractor().extract_metadata(dataset)
    metadata["patient"]["patient_birth_date"] = "1st of May"

    run("DICOMMetadataModel", {"metadata_dict": metadata, "ValidationError": ValidationError})

    printed = capsys.readouterr().out
    assert printed.startswith(
        "Validation errors: 1 validation error for DICOMMetadataModel\npatient.patient_birth_date"
    )
    assert "May" not in printed


def test_the_user_guide_s_check_shows_what_it_should_show(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Deidentifier().deidentify_file(str(file), "processed.dcm")

    run("Verifying De-identification", {})

    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == [
        "Original Patient Name: John Doe",
        "Original Patient ID: 12345",
        "Processed Patient Name: REMOVED",
    ]
    assert re.fullmatch(r"Processed Patient ID: ANON-[0-9a-f]{12}", last)


def test_the_tags_that_the_user_guide_preserves_are_preserved(dataset: Dataset) -> None:
    names = run("Customize de-identification rules", {"Deidentifier": Deidentifier})
    deidentifier = names["deidentifier"]

    assert isinstance(deidentifier, Deidentifier)
    clean, removed = deidentifier.deidentify_dataset(dataset)
    assert (clean.Manufacturer, clean.ManufacturerModelName) == (
        dataset.Manufacturer,
        dataset.ManufacturerModelName,
    )
    assert not {"Manufacturer", "ManufacturerModelName"} & set(removed)
