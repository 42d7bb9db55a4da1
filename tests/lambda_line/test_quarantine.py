"""The quarantine function: whatever has become of the object, the execution ends with the right words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mypy_boto3_s3 import S3Client

from scanward.adapters.aws.clients import client
from scanward.entrypoints.aws_lambda.quarantine import QuarantineHandler
from scanward.entrypoints.aws_lambda.safe_errors import parted
from scanward.errors import BadInput, Fault, Quarantined, ScanwardError, Unavailable, ValidationFailed
from tests.lambda_line.conftest import CONTEXT, RAW
from tests.lambda_line.uploads import answered, body, put, versions

pytestmark = pytest.mark.unit

FAULTS = (Fault("type2-missing", "PatientID is missing", path="(0010,0020)", clause="PS3.3 C.7.1.1"),)


def _event(reference: dict[str, Any], error: ScanwardError, execution: str = "4d2f0a") -> dict[str, Any]:
    told = {"errorMessage": str(parted(error)), "errorType": type(error).__name__, "stackTrace": []}
    failure = {"Error": type(error).__name__, "Cause": json.dumps(told)}
    return {"reference": reference, "execution": execution, "failure": failure}


def _handle(event: dict[str, Any]) -> dict[str, Any]:
    return QuarantineHandler().handle(event, CONTEXT)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValidationFailed("It misses a tag.", faults=FAULTS), "Validation failed"),
        (Quarantined("No."), "Quarantined"),
    ],
)
def test_it_answers_the_words_for_fail_and_keeps_object_and_reason(
    s3: S3Client, error: ScanwardError, words: str
) -> None:
    reference = put(s3, "in/DOE.dcm", b"content")
    answer = _handle(_event(reference, error))
    assert answer == {"error": words, "cause": error.message, "quarantine": "quarantine/4d2f0a/"}
    assert body(s3, RAW, "quarantine/4d2f0a/object") == b"content"
    reason = json.loads(body(s3, RAW, "quarantine/4d2f0a/reason.json"))
    assert reason["faults"] == [fault.as_json() for fault in error.faults]
    assert (reason["error"], reason["cause"]) == (words, error.message)


def test_the_pinned_version_is_kept_even_if_a_newer_one_came(s3: S3Client) -> None:
    reference = put(s3, "in/x.dcm", b"first")
    put(s3, "in/x.dcm", b"second")
    _handle(_event(reference, Quarantined("No.")))
    assert body(s3, RAW, "quarantine/4d2f0a/object") == b"first"


def test_a_repeat_keeps_the_first_reason(s3: S3Client) -> None:
    event = _event(put(s3, "in/x.dcm", b"content"), Quarantined("No."))
    assert _handle(event) == _handle(event)
    assert versions(s3, RAW, "quarantine/4d2f0a/reason.json") == 1


def test_after_a_crash_between_copy_and_reason_the_reason_is_written(s3: S3Client) -> None:
    event = _event(put(s3, "in/x.dcm", b"content"), Quarantined("No."))
    with answered(client("s3"), "PutObject", "SlowDown", 503), pytest.raises(Unavailable):
        _handle(event)
    assert versions(s3, RAW, "quarantine/") == 1
    _handle(event)
    assert json.loads(body(s3, RAW, "quarantine/4d2f0a/reason.json"))["error"] == "Quarantined"


def test_an_object_that_is_gone_still_ends_with_the_right_words(s3: S3Client) -> None:
    answer = _handle(_event({"bucket": RAW, "key": "gone/DOE.dcm"}, ValidationFailed("It misses a tag.")))
    assert answer["error"] == "Validation failed"
    assert answer["cause"] == "It misses a tag. No copy is in quarantine (Not found)."
    assert versions(s3, RAW) == 0


@pytest.mark.parametrize("operation", ["HeadObject", "CopyObject", "PutObject"])
def test_a_role_that_may_not_copy_still_ends_with_the_right_words(s3: S3Client, operation: str) -> None:
    reference = put(s3, "in/DOE.dcm", b"content")
    with answered(client("s3"), operation, "AccessDenied", 403):
        answer = _handle(_event(reference, ValidationFailed("It misses a tag.")))
    assert answer["error"] == "Validation failed"
    assert answer["cause"] == "It misses a tag. No copy is in quarantine (Access Denied)."
    assert body(s3, RAW, "in/DOE.dcm") == b"content"


@pytest.mark.parametrize("execution", ["", "../x", "a/b", "x" * 81, None])
def test_a_folder_is_never_made_of_anything_but_an_executions_name(s3: S3Client, execution: str) -> None:
    event = _event(put(s3, "in/x.dcm", b"content"), Quarantined("No.")) | {"execution": execution}
    with pytest.raises(BadInput):
        _handle(event)


@pytest.mark.parametrize(
    "failure",
    [None, {}, {"Error": "Lambda.Unknown"}, {"Error": "os"}, {"Error": "Fault", "Cause": "DOE^JOHN"}],
)
def test_what_was_not_raised_by_us_is_told_without_its_text(s3: S3Client, failure: object) -> None:
    event = {"reference": put(s3, "in/x.dcm", b"content"), "execution": "4d2f0a", "failure": failure}
    answer = _handle(event)
    assert answer["error"] == "InternalError"
    assert "DOE" not in json.dumps(answer) + body(s3, RAW, "quarantine/4d2f0a/reason.json").decode()


@pytest.mark.parametrize(
    "cause", ["", "no JSON", "{}", '{"errorMessage": null}', '{"errorMessage": "x\\n{broken"}']
)
def test_a_cause_that_is_cut_or_odd_costs_the_faults_only(s3: S3Client, cause: str) -> None:
    failure = {"Error": "InvalidDicom", "Cause": cause}
    answer = _handle({"reference": put(s3, "in/x.dcm", b"c"), "execution": "4d2f0a", "failure": failure})
    assert answer["error"] == "Invalid DICOM file"
    assert json.loads(body(s3, RAW, "quarantine/4d2f0a/reason.json"))["faults"] == []
