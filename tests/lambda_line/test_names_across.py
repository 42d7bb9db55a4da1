"""Identifiers that a key's own slashes split: they are no whole segment, and must not pass for all that."""

from __future__ import annotations

from io import BytesIO

import pytest
from mypy_boto3_s3 import S3Client
from pydicom import dcmread

from scanward.entrypoints.aws_lambda.handlers import DeidentificationHandler
from tests.lambda_line.conftest import CONTEXT, FILES
from tests.lambda_line.uploads import put

pytestmark = pytest.mark.unit


def _object() -> bytes:
    made = dcmread(FILES / "CT_small.dcm")
    made.PatientID, made.AccessionNumber, made.PatientBirthDate = "MRN 00/4711", "IP/2291/19", "19510329"
    out = BytesIO()
    made.save_as(out)
    return out.getvalue()


def _output_key(s3: S3Client, key: str) -> str:
    handler = DeidentificationHandler()
    event = {"reference": put(s3, key, _object()), "execution": "n"}
    return str(handler.handle(event, CONTEXT)["output"]["key"])


@pytest.mark.parametrize(
    ("key", "never"),
    [
        ("MRN 00/4711/x.dcm", "4711"),
        ("ward/mrn00/4711/x.dcm", "4711"),
        ("IP/2291/19/x.dcm", "2291"),
        ("ip/2291-19.dcm", "2291"),
        ("1951/03/29/x.dcm", "1951"),
        ("ward/29/03/1951/x.dcm", "1951"),
    ],
)
def test_an_identifier_that_slashes_split_is_replaced_as_a_whole(s3: S3Client, key: str, never: str) -> None:
    found = _output_key(s3, key)
    assert never not in found
    assert found.endswith(".dcm")
    assert ("ward/" in found) == ("ward/" in key)


@pytest.mark.parametrize("key", ["patient123/study456/x.dcm", "2019/04/29/x.dcm", "IP/2292/19/x.dcm"])
def test_other_slashes_stay_where_they_are(s3: S3Client, key: str) -> None:
    assert _output_key(s3, key) == key
