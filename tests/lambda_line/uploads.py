"""Objects put into the raw bucket, and what came of them in the processed one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from mypy_boto3_s3 import S3Client
from pydicom import Dataset, dcmread

from tests.lambda_line.conftest import PROCESSED, RAW


def put(s3: S3Client, key: str, body: bytes, sequencer: str = "") -> dict[str, Any]:
    """Upload an object and return the reference that its event would become."""
    answer = s3.put_object(Bucket=RAW, Key=key, Body=body)
    return {
        "bucket": RAW,
        "key": key,
        "version_id": answer["VersionId"],
        "etag": answer["ETag"].strip('"'),
        "size": len(body),
        "sequencer": sequencer,
    }


def event_of(key: str, bucket: str = RAW) -> dict[str, Any]:
    """Return the event that api.md prints."""
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}


def processed(s3: S3Client) -> dict[str, bytes]:
    """Return every output by key."""
    found = s3.list_objects_v2(Bucket=PROCESSED).get("Contents", [])
    return {one["Key"]: body(s3, PROCESSED, one["Key"]) for one in found}


def versions(s3: S3Client, bucket: str = PROCESSED, prefix: str = "") -> int:
    """Return how often outputs were written."""
    return len(s3.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", []))


def body(s3: S3Client, bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def dataset_of(content: bytes) -> Dataset:
    return dcmread(BytesIO(content), force=True)


@contextmanager
def answered(s3: S3Client, operation: str, code: str, status: int, times: int = 1_000) -> Iterator[list[str]]:
    """Let S3 answer an operation with an error, having done nothing; yield the refused operations."""
    refused: list[str] = []

    def refuse(**_: object) -> tuple[object, dict[str, Any]] | None:
        if len(refused) >= times:
            return None
        refused.append(operation)
        error = {"Code": code, "Message": "the key is secret/DOE.dcm"}
        told = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
        return SimpleNamespace(status_code=status), told

    events: Any = s3.meta.events
    events.register_first(f"before-call.s3.{operation}", refuse)
    try:
        yield refused
    finally:
        events.unregister(f"before-call.s3.{operation}", refuse)
