"""Real objects through the functions in the order of the states, on S3."""

from __future__ import annotations

import csv
import json
from io import BytesIO
from pathlib import Path

import pytest
from mypy_boto3_s3 import S3Client
from pydicom import Dataset, dcmread
from pydicom.uid import MRImageStorage

from scanward.adapters.aws.clients import client
from scanward.dicom.structure import check
from tests.e2e.needles import LATIN
from tests.e2e.planted import DELIVERED, planted
from tests.lambda_line.conftest import FILES, PROCESSED, RAW
from tests.lambda_line.states import execute
from tests.lambda_line.uploads import answered, body, dataset_of, processed, put, versions

pytestmark = pytest.mark.unit

OUTCOMES = Path(__file__).parents[1] / "deidentify" / "outcomes.csv"
WORDS = {
    "refused": {"Invalid DICOM file", "Validation failed"},
    "quarantined": {"Quarantined", "Validation failed"},
}
ALL_FILES = [
    row
    for row in csv.DictReader(OUTCOMES.open())
    if row["file"].startswith("test_files/") and "DICOMDIR" not in row["file"]
]
SYNTAXES = {
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.5",
}
"""Of pydicom's files those that may be delivered; others are secondary captures."""


def _written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def test_pydicoms_files_end_as_they_do_on_one_machine(s3: S3Client) -> None:
    reached = set()
    for number, row in enumerate(ALL_FILES):
        content = (FILES.parent / row["file"]).read_bytes()
        run = execute(put(s3, f"site/{number}/{Path(row['file']).name}", content), f"run-{number}")
        if row["outcome"] == "delivered" and run.status == "SUCCEEDED":
            output = body(s3, PROCESSED, run.output["output"]["key"])
            reached.add(check(memoryview(output)).transfer_syntax)
            assert str(dataset_of(output).get("PatientName", "")) in {"REMOVED", ""}
        elif row["outcome"] == "delivered":
            assert run.error == "Validation failed", row["file"]
        else:
            assert run.error in WORDS[row["outcome"]], (row["file"], run.error)
            assert run.passed[-1] == "Quarantine"
    assert reached >= SYNTAXES


def test_the_output_stands_under_the_same_key_and_the_run_says_where(s3: S3Client) -> None:
    run = execute(put(s3, "patient123/study456/image.dcm", (FILES / "CT_small.dcm").read_bytes()))
    assert run.status == "SUCCEEDED"
    assert run.output["output"]["bucket"] == PROCESSED
    assert run.output["output"]["key"] == "patient123/study456/image.dcm"
    assert run.output["superseded"] is False
    dataset = dataset_of(body(s3, PROCESSED, "patient123/study456/image.dcm"))
    assert run.output["deid_study_uid"] == dataset.StudyInstanceUID
    assert (
        s3.head_object(Bucket=PROCESSED, Key="patient123/study456/image.dcm")["ContentType"]
        == "application/dicom"
    )


def test_every_kind_of_object_keeps_its_transfer_syntax(s3: S3Client) -> None:
    files = [file for file in planted(LATIN) if file.kind in DELIVERED]
    for file in files:
        run = execute(put(s3, f"in/{file.kind}.dcm", file.body))
        assert run.status == "SUCCEEDED", (file.kind, run.cause)
        output = body(s3, PROCESSED, f"in/{file.kind}.dcm")
        assert check(memoryview(output)).transfer_syntax == check(memoryview(file.body)).transfer_syntax
    assert {file.kind for file in files} == DELIVERED


def test_lossy_jpeg_is_delivered_with_its_image_as_it_is(s3: S3Client) -> None:
    dataset = dcmread(FILES / "JPEG-lossy.dcm")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.Modality = "MR"
    del dataset.ConversionType  # with it, it is a secondary capture, which is not delivered unseen
    run = execute(put(s3, "in/x.dcm", _written(dataset)))
    assert run.status == "SUCCEEDED", run.cause
    output = dataset_of(body(s3, PROCESSED, "in/x.dcm"))
    assert output.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.51"
    # Its last byte is padding behind the end of the image, where anything might be hidden.
    assert output.PixelData[:-1] == dataset.PixelData[:-1]


def test_an_identifier_in_the_key_gives_way_to_its_pseudonym(s3: S3Client) -> None:
    run = execute(put(s3, "1CT1/series/CompressedSamples_CT1.dcm", (FILES / "CT_small.dcm").read_bytes()))
    key = run.output["output"]["key"]
    assert key.startswith("ANON-")
    assert key.endswith(".dcm")
    assert "1CT1" not in key
    assert "CompressedSamples" not in key


def test_what_is_no_dicom_is_quarantined_with_the_words_of_the_seeds(s3: S3Client) -> None:
    reference = put(s3, "in/notes.dcm", b"this is a letter about a patient")
    run = execute(reference, "run-1")
    assert (run.status, run.error) == ("FAILED", "Invalid DICOM file")
    assert run.passed == ["Ingestion", "Quarantine"]
    assert body(s3, RAW, "quarantine/run-1/object") == b"this is a letter about a patient"
    reason = json.loads(body(s3, RAW, "quarantine/run-1/reason.json"))
    assert (reason["error"], reason["cause"]) == (run.error, run.cause)
    assert reason["faults"][0]["rule"]
    assert reason["version_id"] == reference["version_id"]
    assert "notes" not in json.dumps(reason)
    assert body(s3, RAW, "in/notes.dcm"), "the original stays in raw"
    assert not processed(s3)


@pytest.mark.parametrize("content", [b"", b"\0" * 200, (FILES / "CT_small.dcm").read_bytes()[:20_000]])
def test_empty_and_corrupt_objects_are_quarantined(s3: S3Client, content: bytes) -> None:
    run = execute(put(s3, "in/x.dcm", content), "run-1")
    assert (run.error, run.passed) == ("Invalid DICOM file", ["Ingestion", "Quarantine"])
    assert body(s3, RAW, "quarantine/run-1/object") == content


def test_an_invalid_object_fails_validation_with_every_fault_named(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANWARD_RULES", '{"type2-missing": "reject"}')
    dataset = dcmread(FILES / "CT_small.dcm")
    del dataset.PatientID
    del dataset.StudyDate
    run = execute(put(s3, "in/x.dcm", _written(dataset)), "run-1")
    assert run.error == "Validation failed"
    assert run.passed == ["Ingestion", "Validation", "Quarantine"]
    assert "PatientID (0010,0020)" in run.cause
    assert "StudyDate (0008,0020)" in run.cause


def test_a_directory_of_a_medium_is_refused(s3: S3Client) -> None:
    directory = FILES / "dicomdirtests" / "DICOMDIR"
    run = execute(put(s3, "in/DICOMDIR", directory.read_bytes()), "run-1")
    assert run.error == "Invalid DICOM file"
    assert "DICOMDIR" in run.cause


def test_a_missing_object_fails_as_not_found_without_quarantine(s3: S3Client) -> None:
    run = execute({"bucket": RAW, "key": "gone/DOE.dcm"})
    assert (run.status, run.error, run.passed) == ("FAILED", "Not found", ["Ingestion"])
    assert "DOE" not in run.cause
    assert versions(s3, RAW) == 0


@pytest.mark.parametrize(("operation", "function"), [("HeadObject", "Ingestion"), ("GetObject", "Ingestion")])
def test_a_role_that_may_not_read_fails_with_access_denied_at_once(
    s3: S3Client, operation: str, function: str
) -> None:
    reference = put(s3, "in/DOE.dcm", (FILES / "CT_small.dcm").read_bytes())
    with answered(client("s3"), operation, "AccessDenied", 403) as refused:
        run = execute(reference)
    assert (run.error, run.passed, len(refused)) == ("Access Denied", [function], 1)
    assert "DOE" not in run.cause


def test_a_role_that_may_not_write_outputs_fails_with_access_denied(s3: S3Client) -> None:
    reference = put(s3, "in/x.dcm", (FILES / "CT_small.dcm").read_bytes())
    with answered(client("s3"), "PutObject", "AccessDenied", 403):
        run = execute(reference)
    assert (run.error, run.passed[-1]) == ("Access Denied", "Deidentify")


def test_a_busy_s3_is_asked_again(s3: S3Client) -> None:
    reference = put(s3, "in/x.dcm", (FILES / "CT_small.dcm").read_bytes())
    with answered(client("s3"), "GetObject", "SlowDown", 503, times=2) as refused:
        run = execute(reference)
    assert run.status == "SUCCEEDED"
    assert len(refused) == 2


def test_the_deleted_version_of_an_event_is_not_mistaken_for_the_one_before(s3: S3Client) -> None:
    put(s3, "in/x.dcm", (FILES / "CT_small.dcm").read_bytes())
    second = put(s3, "in/x.dcm", (FILES / "MR_small.dcm").read_bytes())
    s3.delete_object(Bucket=RAW, Key="in/x.dcm", VersionId=second["version_id"])
    assert execute(second).error == "Not found"
    assert not processed(s3)


@pytest.mark.parametrize("key", ["quarantine/run-1/object", "quarantine/x.dcm"])
def test_quarantine_is_never_taken_through_the_line(s3: S3Client, key: str) -> None:
    run = execute(put(s3, key, (FILES / "CT_small.dcm").read_bytes()))
    assert run.error == "Bad request"
    assert not processed(s3)
