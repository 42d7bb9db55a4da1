"""Planted identifiers through the line: none in a log, metric, error or anything of the processed side."""

from __future__ import annotations

import io
import json
import re

import pytest
from mypy_boto3_s3 import S3Client

from scanward import logs
from scanward.adapters.aws.clients import client
from tests.e2e.needles import PEOPLE, found, needles
from tests.e2e.planted import DELIVERED, inflated, planted
from tests.lambda_line.conftest import PROCESSED, RAW
from tests.lambda_line.states import Run, execute
from tests.lambda_line.uploads import answered, body, put

pytestmark = pytest.mark.unit

HIDDEN = needles(PEOPLE)


def _everything(s3: S3Client) -> dict[str, Run]:
    runs: dict[str, Run] = {}
    for person in PEOPLE:
        for file in planted(person):
            name = f"{person.number}-{len(runs)}"
            runs[f"{file.kind} {name}"] = execute(put(s3, file.name, file.body, "0A"), name)
    return runs


def _without_raw_keys(texts: list[str]) -> bytes:
    """Take the raw key out of a reference, the only place where it may stand."""
    joined = "\n".join(texts)
    joined = re.sub(r'"key": "[^"]*", "version_id": "[^"]*", "etag"', '"etag"', joined)
    return joined.encode()


def test_no_planted_identifier_comes_out_of_the_line(
    s3: S3Client, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    runs = _everything(s3)
    logs.configure("ERROR", io.StringIO())

    delivered = {kind.rsplit(" ", 1)[0] for kind, run in runs.items() if run.status == "SUCCEEDED"}
    assert delivered == DELIVERED | {"CT bare data set", "CT with group lengths"}
    printed = capsys.readouterr()
    places = {
        "log": stream.getvalue().encode(),
        "metrics": (printed.out + printed.err).encode(),
        "states": b"\n".join(_without_raw_keys(run.texts) for run in runs.values()),
        "outputs": json.dumps([run.output.get("output") for run in runs.values()]).encode(),
    }
    for one in s3.list_objects_v2(Bucket=PROCESSED)["Contents"]:
        head = s3.head_object(Bucket=PROCESSED, Key=one["Key"])
        places[f"metadata {len(places)}"] = json.dumps([head["Metadata"], one["Key"]]).encode()
        places[f"object {len(places)}"] = inflated(body(s3, PROCESSED, one["Key"]))
    for one in s3.list_objects_v2(Bucket=RAW, Prefix="quarantine/")["Contents"]:
        places[f"quarantine {len(places)}"] = one["Key"].encode()
        if one["Key"].endswith("reason.json"):
            places[f"reason {len(places)}"] = body(s3, RAW, one["Key"])
    assert {place: hits for place, text in places.items() if (hits := found(text, HIDDEN))} == {}


def test_what_s3_says_of_a_key_is_not_passed_on(s3: S3Client, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    reference = put(s3, "in/DOE.dcm", b"no object")
    with answered(client("s3"), "HeadObject", "AccessDenied", 403):
        denied = execute(reference)
    with answered(client("s3"), "GetObject", "NeverHeardOf", 400):
        odd = execute(reference)
    with answered(client("s3"), "PutObject", "NoSuchBucket", 404):
        unwritten = execute(reference)
    logs.configure("ERROR", io.StringIO())
    runs = (denied, odd, unwritten)
    assert [run.error for run in runs] == ["Access Denied", "Misconfigured", "Invalid DICOM file"]
    told = stream.getvalue() + "".join(capsys.readouterr()) + "".join(run.error + run.cause for run in runs)
    assert "DOE" not in told
