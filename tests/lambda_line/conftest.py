"""The line's functions in this process, on moto's S3; the site's secret is a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
from moto import mock_aws
from mypy_boto3_s3 import S3Client

from scanward.adapters.aws.clients import client

RAW = "medical-imaging-pipeline-dev-raw-dicom"
PROCESSED = "medical-imaging-pipeline-dev-processed-dicom"
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
CONTEXT = SimpleNamespace(aws_request_id="3f0a3a2e-0000-4000-8000-000000000001", function_name="test")


@pytest.fixture(scope="module")
def clients() -> Iterator[None]:
    """Forget clients of other tests' endpoints, and leave none; making one takes longer than most tests."""
    forget: Any = client
    forget.cache_clear()
    yield
    forget.cache_clear()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clients: None) -> Iterator[S3Client]:
    """Give a raw and a processed bucket, both with versions, and the settings of the functions."""
    del clients
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SCANWARD_KEY_FILE": str(tmp_path / "site.key"),
        "SCANWARD_AWS_RAW_BUCKET": RAW,
        "SCANWARD_AWS_PROCESSED_BUCKET": PROCESSED,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = client("s3")
        for bucket in (RAW, PROCESSED):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield s3
