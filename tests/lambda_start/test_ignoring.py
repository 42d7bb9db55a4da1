"""What the starter does not take, and that no write of ours is ever taken for an upload."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest

from scanward.adapters.aws.naming import execution_name
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.entrypoints.aws_lambda.starter import handle
from scanward.entrypoints.aws_lambda.starter_choice import Places, Reason
from scanward.errors import Misconfigured, NotFound
from scanward.receive.s3_event import Reference
from scanward.settings import AwsSettings
from tests.lambda_start.events import batch, s3_event
from tests.lambda_start.stack import NAMING, PROCESSED, RAW, Stack

pytestmark = pytest.mark.integration

CONTEXT = SimpleNamespace(aws_request_id="request")
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
ONE_BUCKET = {"processed_bucket": RAW, "raw_prefix": "raw/", "processed_prefix": "processed/"}


def _content(name: str) -> bytes:
    return (FILES / name).read_bytes()


@pytest.mark.parametrize("key", ["a/b.dcm", "A.DCM", "x.dicom", "x.Dcm"])
def test_a_name_of_dicom_is_enough_whatever_the_content(stack: Stack, key: str) -> None:
    assert stack.starter().take(stack.put(key, b""), Meter()).started


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "rtplan.dcm",
        "ExplVR_LitEndNoMeta.dcm",  # a bare data set
        "meta_missing_tsyntax.dcm",
        "ExplVR_BigEndNoMeta.dcm",
        "image_dfl.dcm",
    ],
)
def test_dicom_under_another_name_is_known_by_its_content(stack: Stack, name: str) -> None:
    assert stack.starter().take(stack.put("scans/IM000001", _content(name)), Meter()).started


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"%PDF-1.7 report", b"\xff\xd8\xff\xe0" + b"\0" * 400, b"\0" * 400, b"name,date\n" * 40],
)
def test_what_is_not_dicom_by_name_or_content_is_recorded_and_starts_nothing(
    stack: Stack, body: bytes
) -> None:
    reference = stack.put("patient123/notes", body)
    starter, meter = stack.starter(), Meter()
    for _ in range(2):
        assert starter.take(reference, meter).ignored is Reason.NOT_DICOM
    assert stack.names() == []
    (row,) = stack.rows()
    assert (row["shelf"]["S"], row["reason"]["S"]) == ("IGNORED", "not-dicom")
    assert row["raw_key"]["S"] == "patient123/notes"
    executions = stack.executions()
    assert executions.list() == []
    assert executions.statistics()["objects_refused"] == 1
    with pytest.raises(NotFound, match="ignored"):
        executions.describe(row["id"]["S"])


def test_no_output_starts_an_execution_with_two_buckets(stack: Stack) -> None:
    starter = stack.starter()
    ct = _content("CT_small.dcm")
    ours = [
        stack.put("patient123/scan.dcm", ct, bucket=PROCESSED),
        stack.put("quarantine/0123456789/object", ct),
        stack.put("quarantine/0123456789/reason.json", b"{}"),
    ]
    answer = handle(batch(*(s3_event(one) for one in ours)), CONTEXT, starter)
    assert answer == {"batchItemFailures": []}
    assert stack.names() == []
    assert stack.rows() == []  # our own writes are counted, not listed


def test_no_output_starts_an_execution_with_one_bucket(stack: Stack) -> None:
    starter = stack.starter(**ONE_BUCKET)
    ct = _content("CT_small.dcm")
    for key, reason in {
        "processed/patient123/scan.dcm": Reason.OUTPUT,
        "quarantine/0123456789/object.dcm": Reason.QUARANTINE,
        "elsewhere/scan.dcm": Reason.OUTSIDE,
        "scan.dcm": Reason.OUTSIDE,
        "raw": Reason.OUTSIDE,
    }.items():
        assert starter.take(stack.put(key, ct), Meter()).ignored is reason
    assert stack.names() == []
    assert {row["reason"]["S"] for row in stack.rows()} == {"outside-prefix"}
    upload = stack.put("raw/patient123/scan.dcm", ct)
    assert starter.take(upload, Meter()).started
    assert stack.names() == [execution_name(NAMING, upload)]


@pytest.mark.parametrize(
    ("raw", "processed"),
    [("", ""), ("raw/", ""), ("", "processed/"), ("a/", "a/out/"), ("a/in/", "a/"), ("a", "a")],
)
def test_one_bucket_whose_outputs_could_be_uploads_is_refused(raw: str, processed: str) -> None:
    settings = AwsSettings(raw_bucket=RAW, processed_bucket=RAW, raw_prefix=raw, processed_prefix=processed)
    with pytest.raises(Misconfigured, match="RAW_PREFIX"):
        Places.of(settings)
    with pytest.raises(Misconfigured):
        Places.of(settings.model_copy(update={"processed_bucket": ""}))


def test_a_quarantine_without_a_prefix_and_a_stack_without_a_bucket_are_refused() -> None:
    with pytest.raises(Misconfigured, match="QUARANTINE"):
        Places.of(AwsSettings(raw_bucket=RAW, processed_bucket=PROCESSED, quarantine_prefix=""))
    with pytest.raises(Misconfigured, match="RAW_BUCKET"):
        Places.of(AwsSettings(raw_bucket=""))


def test_folders_removals_tests_and_what_is_gone_start_nothing(stack: Stack) -> None:
    starter = stack.starter()
    ct = stack.put("scan.dcm", _content("CT_small.dcm"))
    gone = stack.put("gone", b"\0" * 128 + b"DICM")
    stack.clients.s3.delete_object(Bucket=RAW, Key="gone", VersionId=gone.version_id)
    answer = handle(
        batch(
            s3_event(stack.put("folder.dcm/", b"")),
            s3_event(ct, event="ObjectRemoved:DeleteMarkerCreated"),
            s3_event(ct, event="ObjectRestore:Completed"),
            {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": RAW},
            s3_event(gone),
        ),
        CONTEXT,
        starter,
    )
    assert answer == {"batchItemFailures": []}
    assert stack.names() == []
    assert stack.rows() == []


@pytest.mark.parametrize(
    "event",
    [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectCreated:Post",
    ],
)
def test_every_way_an_object_can_come_about_starts_one(stack: Stack, event: str) -> None:
    handle(batch(s3_event(stack.put("scan.dcm"), event=event)), CONTEXT, stack.starter())
    assert len(stack.names()) == 1


def test_an_object_beyond_any_size_is_started_all_the_same(stack: Stack) -> None:
    huge = Reference(RAW, "huge.dcm", "v1", "e", 5 << 40, "01")
    assert stack.starter().take(huge, Meter()).started


def test_an_ignored_object_can_be_started_once_the_settings_allow_it(stack: Stack) -> None:
    reference = stack.put("elsewhere/scan.dcm", _content("CT_small.dcm"))
    assert stack.starter(**ONE_BUCKET).take(reference, Meter()).ignored is Reason.OUTSIDE
    assert stack.starter().take(reference, Meter()).started
    (found,) = stack.executions().list()
    assert found.raw_key == "elsewhere/scan.dcm"
    assert stack.executions().statistics()["objects_refused"] == 0
