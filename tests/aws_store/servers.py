"""An S3 for tests: moto over HTTP, so that threads and botocore's own transport take part."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bucket-of-scans"
OTHER = "bucket-of-outputs"


@contextlib.contextmanager
def moto_url() -> Iterator[str]:
    """Run a moto server on a free port of loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def s3_client(url: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(signature_version="s3v4", retries={"total_max_attempts": 2}, read_timeout=20),
    )


def make_buckets(s3: S3Client) -> None:
    """Make two buckets that keep versions."""
    for name in (BUCKET, OTHER):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def uploads_left(s3: S3Client, bucket: str = OTHER) -> int:
    return len(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []))
