"""Objects that a function reads by range, and whose pixels are copied inside S3."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from mypy_boto3_s3 import S3Client
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import MRImageStorage

from scanward.entrypoints.aws_lambda.handlers import IngestionHandler
from scanward.settings import AwsSettings, Settings
from tests.lambda_line.conftest import FILES, PROCESSED, RAW
from tests.lambda_line.states import execute
from tests.lambda_line.uploads import body, dataset_of, event_of, processed, put, versions

pytestmark = pytest.mark.unit

MEGABYTE = 1 << 20
FRAMES = 16


@pytest.fixture(autouse=True)
def few_megabytes_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANWARD_AWS_SIMPLE_BYTES", str(8 * MEGABYTE))


def _written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def _native() -> bytes:
    """Return 32 MiB of one object, nearly all of it native pixels."""
    dataset = dcmread(FILES / "MR_small.dcm")
    dataset.Rows = dataset.Columns = 1024
    dataset.NumberOfFrames = FRAMES
    dataset.PixelData = bytes(range(256)) * (1024 * 1024 * 2 // 256) * FRAMES
    return _written(dataset)


def _encapsulated() -> bytes:
    """Return 12 MiB of one object, in two thousand fragments."""
    dataset = dcmread(FILES / "JPEG-lossy.dcm")
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    frame = frame[: frame.rindex(b"\xff\xd9") + 2]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.Modality = "MR"
    del dataset.ConversionType
    dataset.NumberOfFrames = 2_000
    dataset.PixelData = encapsulate([frame] * 2_000)
    dataset["PixelData"].is_undefined_length = True
    return _written(dataset)


def _moved(printed: str) -> dict[str, float]:
    """Return the bytes that entered each function, as its metrics tell."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')]
    return {line["Stage"]: line.get("BytesThroughFunction", [0])[0] for line in lines}


def test_the_pixels_of_a_large_object_never_enter_the_functions(
    s3: S3Client, capsys: pytest.CaptureFixture[str]
) -> None:
    content = _native()
    run = execute(put(s3, "in/large.dcm", content))
    assert run.status == "SUCCEEDED", run.cause
    assert dataset_of(body(s3, PROCESSED, "in/large.dcm")).PixelData == dataset_of(content).PixelData
    assert str(dataset_of(body(s3, PROCESSED, "in/large.dcm")).PatientName) == "REMOVED"
    moved = _moved(capsys.readouterr().out)
    assert moved["Ingestion"] < MEGABYTE
    assert moved["Validation"] < MEGABYTE
    # The new header and the pixels that bring the first part to 5 MiB.
    assert moved["Deidentification"] < 6.5 * MEGABYTE


def test_a_large_encapsulated_object_is_the_same_as_a_small_one(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = put(s3, "in/frames.dcm", _encapsulated())
    assert execute(reference).status == "SUCCEEDED"
    by_range = body(s3, PROCESSED, "in/frames.dcm")
    monkeypatch.setenv("SCANWARD_AWS_SIMPLE_BYTES", str(64 * MEGABYTE))
    s3.delete_object(Bucket=PROCESSED, Key="in/frames.dcm")
    assert execute(reference).status == "SUCCEEDED"
    assert body(s3, PROCESSED, "in/frames.dcm") == by_range


def test_a_repeat_and_an_older_version_of_a_large_object_change_nothing(s3: S3Client) -> None:
    content = _native()
    old, new = put(s3, "in/large.dcm", content, "0A"), put(s3, "in/large.dcm", content[:-2] + b"\1\1", "0B")
    first = execute(new)
    assert [execute(one).output["superseded"] for one in (new, old)] == [False, True]
    assert versions(s3) == 1
    assert execute(new).output == first.output
    assert not s3.list_multipart_uploads(Bucket=PROCESSED).get("Uploads")


def test_documented_metadata_of_a_large_object_comes_from_its_header(
    s3: S3Client, capsys: pytest.CaptureFixture[str]
) -> None:
    put(s3, "in/large.dcm", _native())
    answer = IngestionHandler().handle(event_of("in/large.dcm"), None)
    assert answer["body"]["metadata"]["image"]["rows"] == 1024
    assert _moved(capsys.readouterr().out)["Ingestion"] < MEGABYTE


def test_a_large_broken_object_is_quarantined_whole(s3: S3Client) -> None:
    content = _native()[:-1_000]
    run = execute(put(s3, "in/large.dcm", content), "run-1")
    assert run.error == "Invalid DICOM file"
    assert body(s3, RAW, "quarantine/run-1/object") == content


def test_objects_beyond_the_bound_of_one_machine_are_taken() -> None:
    assert AwsSettings().max_object_bytes > Settings.model_validate({}).max_object_bytes


def test_a_function_that_knows_no_processed_bucket_does_not_point_at_raw(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANWARD_AWS_MAX_OBJECT_BYTES", "5000")
    monkeypatch.delenv("SCANWARD_AWS_PROCESSED_BUCKET")
    run = execute(put(s3, "in/x.dcm", (FILES / "MR_small.dcm").read_bytes()))
    assert f"s3://{RAW}/KEY s3://PROCESSED-BUCKET/FOLDER/" in run.cause


def test_what_is_larger_than_the_site_allows_fails_with_the_command_that_does_it(
    s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANWARD_AWS_MAX_OBJECT_BYTES", "5000")
    run = execute(put(s3, "in/DOE.dcm", (FILES / "MR_small.dcm").read_bytes()))
    assert (run.status, run.error, run.passed) == ("FAILED", "Too large", ["Ingestion"])
    assert "SCANWARD_AWS_MAX_OBJECT_BYTES" in run.cause
    assert f"scanward deidentify s3://{RAW}/KEY s3://{PROCESSED}/FOLDER/" in run.cause
    assert "DOE" not in run.cause
    assert not processed(s3)
