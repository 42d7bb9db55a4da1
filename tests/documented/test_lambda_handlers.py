"""The Lambda handlers and their decorator: the printed events, answered as printed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pydicom
import pytest
from pydicom.data import get_testdata_file

from scanward.adapters.aws.clients import client
from src.ingestion.metadata_extractor import MetadataExtractor
from src.orchestration import lambda_handlers
from src.orchestration.lambda_handlers import (
    DeidentificationHandler,
    IngestionHandler,
    ValidationHandler,
    lambda_handler_wrapper,
)
from tests.documented.printed import code_of, run

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_bucket")]

CT = Path(str(get_testdata_file("CT_small.dcm")))
KEY = "path/to/file.dcm"
ERROR_FORM = ["statusCode", "error", "message", "details"]


def read(name: str, **filled: object) -> dict[str, Any]:
    """Return printed JSON; what it leaves to its reader stands as the text `...`."""
    text = code_of(name, filled).replace("{...}", '"..."').replace("[...]", '"..."')
    parsed: dict[str, Any] = json.loads(text)
    return parsed


EVENT = read("IngestionHandler: event format")


@pytest.fixture
def _bucket(_aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give the printed bucket, which is raw and processed at once, with a real CT image."""
    monkeypatch.setenv("SCANWARD_KEY_FILE", str(tmp_path / "site.key"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("RAW_BUCKET", "PROCESSED_BUCKET"):
        monkeypatch.setenv(f"SCANWARD_AWS_{name}", "my-bucket")
    monkeypatch.setenv("SCANWARD_AWS_RAW_PREFIX", "raw/")
    monkeypatch.setenv("SCANWARD_AWS_PROCESSED_PREFIX", "processed/")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="my-bucket")
    for key in (KEY, "raw/file.dcm"):
        s3.put_object(Bucket="my-bucket", Key=key, Body=CT.read_bytes())
    client.cache_clear()  # type: ignore[attr-defined]  # its overloads hide that it is cached
    yield
    client.cache_clear()  # type: ignore[attr-defined]  # as above


def shape(value: object) -> object:
    """Return an answer's names in their order, with `...` for what the document leaves open."""
    if isinstance(value, dict) and set(value) & {"statusCode", "body"}:
        return {name: shape(part) for name, part in value.items()}
    return list(value) if isinstance(value, dict) else value


def test_ingestion_answers_the_printed_event_as_printed() -> None:
    answer = IngestionHandler().handle(EVENT, None)

    printed = read("IngestionHandler: response")
    assert shape(answer) == shape(printed)
    assert {**answer["body"], "metadata": "..."} == printed["body"]
    expected = MetadataExtractor().extract_metadata(pydicom.dcmread(CT))
    assert answer["body"]["metadata"] == expected


def test_validation_answers_the_printed_input_as_printed() -> None:
    given = IngestionHandler().handle(EVENT, None)["body"]["metadata"]
    printed = read("ValidationHandler: input")
    event = {"metadata": {name: given[name] for name in printed["metadata"]}}

    answer = ValidationHandler().handle(event, None)

    assert shape(answer) == shape(read("ValidationHandler: response"))
    assert answer["body"]["valid"] is True
    assert answer["body"]["metadata"] == event["metadata"]


def test_deidentification_answers_an_event_as_printed_and_the_output_is_there() -> None:
    event = json.loads(json.dumps(EVENT).replace(KEY, "raw/file.dcm"))

    answer = DeidentificationHandler().handle(event, None)

    printed = read("DeidentificationHandler: response")
    assert shape(answer) == shape(printed)
    assert {**answer["body"], "removed_tags": "..."} == printed["body"]
    assert {"PatientName", "PatientID", "StudyInstanceUID"} <= set(answer["body"]["removed_tags"])
    body = boto3.client("s3").get_object(Bucket="my-bucket", Key="processed/file.dcm")["Body"].read()
    assert pydicom.dcmread(BytesIO(body)).PatientIdentityRemoved == "YES"


def test_the_decorator_s_usage_runs_as_printed() -> None:
    names = run("lambda_handler_wrapper", {"lambda_handler_wrapper": lambda_handler_wrapper})
    handler: Any = names["MyHandler"]

    assert inspect.isclass(names["MyHandler"])
    assert handler().handle({}, None) == {"statusCode": 200, "body": {...}}
    assert list(inspect.signature(lambda_handler_wrapper).parameters) == ["handler_class"]
    assert "def lambda_handler_wrapper(handler_class):" in code_of("lambda_handler_wrapper: decorator")


def test_errors_are_answered_in_the_documented_form() -> None:
    missing = json.loads(json.dumps(EVENT).replace(KEY, "doe/absent.dcm"))
    cases = [
        (IngestionHandler().handle(missing, None), 404, "Not found"),
        (IngestionHandler().handle({"Records": [{}]}, None), 400, "Bad request"),
        (ValidationHandler().handle({"metadata": {"patient": {}}}, None), 400, "Validation failed"),
    ]
    for answer, status, word in cases:
        assert list(answer) == ERROR_FORM
        assert (answer["statusCode"], answer["error"]) == (status, word)
        assert "doe" not in str(answer)


def test_an_object_that_is_no_dicom_is_answered_with_the_guide_s_words() -> None:
    boto3.client("s3").put_object(Bucket="my-bucket", Key=KEY, Body=b"not an image")

    answer = IngestionHandler().handle(EVENT, None)

    assert (answer["statusCode"], answer["error"]) == (400, "Invalid DICOM file")
    assert answer["details"]["faults"]


def test_an_unexpected_error_is_a_500_without_its_text() -> None:
    @lambda_handler_wrapper
    class Broken:
        def handle(self, event: dict[str, Any], context: object) -> dict[str, Any]:
            del context
            raise RuntimeError(event["secret"])

    answer = Broken().handle({"secret": "Doe^John"}, None)

    assert list(answer) == ERROR_FORM
    assert answer["statusCode"] == 500
    assert "Doe" not in str(answer)


def test_the_names_are_those_of_the_document() -> None:
    assert set(lambda_handlers.__all__) == {
        "DeidentificationHandler",
        "IngestionHandler",
        "ValidationHandler",
        "lambda_handler_wrapper",
    }
