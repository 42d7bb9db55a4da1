from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from scanward.adapters.aws.s3_objects import S3Objects
from tests.aws_store.servers import make_buckets, moto_url, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with moto_url() as url:
        yield url


@pytest.fixture
def s3(s3_url: str) -> S3Client:
    client = s3_client(s3_url)
    for bucket in client.list_buckets()["Buckets"]:
        _empty(client, bucket["Name"])
        client.delete_bucket(Bucket=bucket["Name"])
    make_buckets(client)
    return client


@pytest.fixture
def objects(s3: S3Client) -> S3Objects:
    return S3Objects(s3)


def _empty(client: S3Client, bucket: str) -> None:
    for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    found = client.list_object_versions(Bucket=bucket)
    for one in (*found.get("Versions", []), *found.get("DeleteMarkers", [])):
        client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
