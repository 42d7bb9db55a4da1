"""What the handlers answer when they are called as api.md prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pydicom
import pytest
from mypy_boto3_s3 import S3Client

from scanward.deidentify.keys import Keys
from scanward.entrypoints.aws_lambda.handlers import (
    DeidentificationHandler,
    IngestionHandler,
    ValidationHandler,
)
from scanward.validate.schemas import DICOMMetadataModel
from tests.lambda_line.conftest import CONTEXT, FILES, PROCESSED, RAW
from tests.lambda_line.uploads import body, dataset_of, event_of, processed, put

pytestmark = pytest.mark.unit

CT = (FILES / "CT_small.dcm").read_bytes()
SECTIONS: dict[str, Any] = {
    "patient": {"patient_id": "4MR1"},
    "study": {"study_instance_uid": "1.2.3"},
    "series": {"series_instance_uid": "1.2.3.4"},
}


def test_ingestion_answers_bucket_key_and_metadata(s3: S3Client) -> None:
    put(s3, "path/to/file.dcm", CT)
    answer = IngestionHandler().handle(event_of("path/to/file.dcm"), CONTEXT)
    assert list(answer) == ["statusCode", "body"]
    assert answer["statusCode"] == 200
    assert list(answer["body"]) == ["bucket", "key", "metadata"]
    assert (answer["body"]["bucket"], answer["body"]["key"]) == (RAW, "path/to/file.dcm")
    assert answer["body"]["metadata"]["patient"]["patient_name"] == "CompressedSamples^CT1"
    DICOMMetadataModel(**answer["body"]["metadata"])
    json.dumps(answer)


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm"])
def test_ingestion_reads_every_coding(s3: S3Client, name: str) -> None:
    content = (FILES / name).read_bytes()
    put(s3, "in/x", content)
    metadata = IngestionHandler().handle(event_of("in/x"), CONTEXT)["body"]["metadata"]
    assert metadata["image"]["rows"] == dataset_of(content).Rows


def test_keys_come_url_encoded_in_events(s3: S3Client) -> None:
    put(s3, "path to/räume+1.dcm", CT)
    answer = IngestionHandler().handle(event_of("path+to/r%C3%A4ume%2B1.dcm"), CONTEXT)
    assert answer["body"]["key"] == "path to/räume+1.dcm"


def test_validation_answers_that_printed_metadata_is_valid() -> None:
    answer = ValidationHandler().handle({"metadata": SECTIONS}, CONTEXT)
    assert answer == {"statusCode": 200, "body": {"valid": True, "metadata": SECTIONS}}


def test_validation_takes_what_ingestion_answered(s3: S3Client) -> None:
    put(s3, "in/x.dcm", CT)
    ingested = IngestionHandler().handle(event_of("in/x.dcm"), CONTEXT)["body"]
    answer = ValidationHandler().handle(ingested, CONTEXT)
    assert answer["body"] == {"valid": True, "metadata": ingested["metadata"]}


def test_validation_names_every_wrong_field_and_shows_none_of_the_values() -> None:
    wrong = {
        **SECTIONS,
        "patient": {"patient_birth_date": "31.12.1969"},
        "study": {"study_instance_uid": "x" * 70},
    }
    answer = ValidationHandler().handle({"metadata": wrong}, CONTEXT)
    assert (answer["statusCode"], answer["error"]) == (400, "Validation failed")
    paths = {fault["path"] for fault in answer["details"]["faults"]}
    assert paths == {"patient.patient_id", "patient.patient_birth_date", "study.study_instance_uid"}
    assert "1969" not in json.dumps(answer)
    assert "xxx" not in json.dumps(answer)


@pytest.mark.parametrize("metadata", [None, [], "text", {}])
def test_validation_refuses_what_is_no_metadata(metadata: object) -> None:
    assert ValidationHandler().handle({"metadata": metadata}, CONTEXT)["statusCode"] == 400


def test_validation_of_an_s3_event_holds_the_object_itself_against_the_rules(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, "in/x.dcm", CT)
    answer = ValidationHandler().handle(event_of("in/x.dcm"), CONTEXT)
    assert (answer["statusCode"], answer["body"]["valid"]) == (200, True)
    assert answer["body"]["metadata"]["series"]["modality"] == "CT"
    monkeypatch.setenv("SCANWARD_RULES", '{"type2-missing": "reject"}')
    put(s3, "in/y.dcm", (FILES / "rtdose.dcm").read_bytes())
    assert ValidationHandler().handle(event_of("in/y.dcm"), CONTEXT)["error"] == "Validation failed"


def test_deidentification_answers_keys_and_removed_tags_and_writes_the_output(s3: S3Client) -> None:
    put(s3, "patient/study/file.dcm", CT)
    answer = DeidentificationHandler().handle(event_of("patient/study/file.dcm"), CONTEXT)
    assert list(answer) == ["statusCode", "body"]
    assert list(answer["body"]) == ["input_key", "output_key", "removed_tags"]
    assert answer["body"]["input_key"] == answer["body"]["output_key"] == "patient/study/file.dcm"
    assert {"PatientName", "PatientID", "StudyDate"} <= set(answer["body"]["removed_tags"])
    assert str(dataset_of(body(s3, PROCESSED, "patient/study/file.dcm")).PatientName) == "REMOVED"


@pytest.mark.parametrize(
    ("key", "output"),
    [
        ("raw/file.dcm", "processed/file.dcm"),
        ("raw/a/b/file.dcm", "processed/a/b/file.dcm"),
        ("file.dcm", "processed/file.dcm"),
    ],
)
def test_in_one_bucket_raw_gives_way_to_processed(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch, key: str, output: str
) -> None:
    monkeypatch.delenv("SCANWARD_AWS_PROCESSED_BUCKET")
    put(s3, key, CT)
    answer = DeidentificationHandler().handle(event_of(key), CONTEXT)
    assert answer["body"]["output_key"] == output
    assert body(s3, RAW, key) == CT
    again = DeidentificationHandler().handle(event_of(output), CONTEXT)
    assert (again["statusCode"], again["error"]) == (400, "Bad request")


@pytest.mark.parametrize("handler", [IngestionHandler, ValidationHandler, DeidentificationHandler])
@pytest.mark.parametrize(
    ("event", "status", "error"),
    [
        (event_of("gone.dcm"), 404, "Not found"),
        (event_of("letter.txt"), 400, "Invalid DICOM file"),
        ({}, 400, "Bad request"),
        ({"Records": []}, 400, "Bad request"),
        ({"Records": [{"s3": {}}]}, 400, "Bad request"),
        ({"Records": event_of("a")["Records"] * 2}, 400, "Bad request"),
        ({"Event": "s3:TestEvent"}, 400, "Bad request"),
    ],
)
def test_errors_come_in_the_documented_form(
    s3: S3Client, handler: type[IngestionHandler], event: dict[str, Any], status: int, error: str
) -> None:
    put(s3, "letter.txt", b"dear colleague")
    answer = handler().handle(event, CONTEXT)
    assert list(answer) == ["statusCode", "error", "message", "details"]
    assert (answer["statusCode"], answer["error"]) == (status, error)
    assert not processed(s3)


def test_a_profile_and_tags_to_preserve_are_settings(s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = pydicom.dcmread(FILES / "CT_small.dcm")
    put(s3, "in/x.dcm", CT)
    monkeypatch.setenv("SCANWARD_AWS_PRESERVE_TAGS", "PatientSex (0010,1030), 00080080")
    removed = DeidentificationHandler().handle(event_of("in/x.dcm"), CONTEXT)["body"]["removed_tags"]
    output = dataset_of(body(s3, PROCESSED, "in/x.dcm"))
    assert output.PatientSex == dataset.PatientSex
    assert output.PatientWeight == dataset.PatientWeight
    assert output.InstitutionName == dataset.InstitutionName
    assert {"PatientSex", "PatientWeight", "InstitutionName"}.isdisjoint(removed)


def test_a_tag_that_identifies_people_is_not_preserved(s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, "in/x.dcm", CT)
    monkeypatch.setenv("SCANWARD_AWS_PRESERVE_TAGS", "PatientName")
    answer = DeidentificationHandler().handle(event_of("in/x.dcm"), CONTEXT)
    assert answer["error"] == "Misconfigured"
    assert "SCANWARD_AWS_PRESERVE_TAGS" in answer["message"]
    assert not processed(s3)


def test_the_sites_secret_comes_from_secrets_manager_where_its_arn_is_set(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = boto3.client("secretsmanager").create_secret(Name="site-secret", SecretString="5a" * 32)
    monkeypatch.setenv("SCANWARD_AWS_SITE_SECRET_ARN", secret["ARN"])
    put(s3, "in/x.dcm", CT)
    assert DeidentificationHandler().handle(event_of("in/x.dcm"), CONTEXT)["statusCode"] == 200
    output = dataset_of(body(s3, PROCESSED, "in/x.dcm"))
    assert output.PatientID == Keys(b"\x5a" * 32).pseudonym("1CT1")
    assert not list(tmp_path.iterdir()), "no key file is made"


def test_a_secret_that_cannot_be_read_stops_before_anything_is_written(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "SCANWARD_AWS_SITE_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:no"
    )
    put(s3, "in/x.dcm", CT)
    answer = DeidentificationHandler().handle(event_of("in/x.dcm"), CONTEXT)
    assert answer["statusCode"] >= 400
    assert not processed(s3)
