"""Events as nobody should send them: answered with 400 in the documented form, whatever JSON they are."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_s3 import S3Client

from scanward import logs
from scanward.entrypoints.aws_lambda.handlers import (
    DeidentificationHandler,
    IngestionHandler,
    ValidationHandler,
)
from scanward.errors import BadInput, NotFound
from tests.lambda_line.conftest import CONTEXT, RAW

pytestmark = pytest.mark.unit

SECRET = "DOE-JANE"
HANDLERS = (IngestionHandler, ValidationHandler, DeidentificationHandler)


def _record(**described: object) -> dict[str, Any]:
    item = {"key": f"{SECRET}.dcm", **described}
    return {"Records": [{"s3": {"bucket": {"name": RAW}, "object": item}}]}


MALFORMED: dict[str, Any] = {
    "nothing": None,
    "a number": 7,
    "a text": SECRET,
    "a list": [1],
    "records that are none": {"Records": SECRET},
    "a record that is none": {"Records": [None]},
    "no key": _record(key=None),
    "a key that is no UTF-8": _record(key=f"%FF{SECRET}"),
    "a key with half a character": _record(key=f"\ud800{SECRET}"),
    "an infinite size": _record(size=float("inf")),
    "a size in words": _record(size=SECRET),
    "an ETag of two lines": _record(eTag=f"a\r\n{SECRET}: b"),
    "a version with half a character": _record(versionId=f"\ud800{SECRET}"),
    "a context that is a number": {"requestContext": 5},
    "a context that is true": {"requestContext": True},
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    logs.configure("ERROR", io.StringIO())


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("event", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_event_is_the_callers_fault_and_is_told_so_without_a_value(
    s3: S3Client, log: io.StringIO, handler: type[Any], event: object
) -> None:
    del s3
    answer = handler()(event, CONTEXT)
    assert answer["statusCode"] == 400
    assert set(answer) == {"statusCode", "error", "message", "details"}
    assert SECRET not in json.dumps(answer) + log.getvalue()


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize(
    "more", [{"size": float("inf")}, {"key": "\ud800"}, {"etag": "a\r\nb"}, {"version_id": "\u00e9"}], ids=str
)
def test_a_malformed_reference_is_an_error_that_is_not_retried(
    s3: S3Client, handler: type[Any], more: dict[str, object]
) -> None:
    del s3
    event = {"reference": {"bucket": RAW, "key": f"{SECRET}.dcm", **more}, "execution": "n"}
    with pytest.raises(BadInput) as raised:
        handler()(event, CONTEXT)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_version_that_is_a_delete_marker_is_not_there(s3: S3Client, handler: type[Any]) -> None:
    s3.put_object(Bucket=RAW, Key="scan.dcm", Body=b"DICM")
    marker = s3.delete_object(Bucket=RAW, Key="scan.dcm")["VersionId"]
    event = {"reference": {"bucket": RAW, "key": "scan.dcm", "version_id": marker}, "execution": "n"}
    with pytest.raises(NotFound):
        handler()(event, CONTEXT)
