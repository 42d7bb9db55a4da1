"""What lies in a bucket: objects listed, removed with all their versions, uploads that a crash left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scanward.adapters.aws.failures import translated
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Listing:
    """Lists and removes objects by their names. All failures are our errors, and none of them holds a key."""

    def __init__(self, s3: S3Client) -> None:
        """Take a client."""
        self.s3 = s3

    def list(self, bucket: str, prefix: str = "") -> Iterator[Reference]:
        """Yield the objects of a prefix, in order of their keys, with ETag and size. Raises NotFound."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with translated("bucket"):
            for page in pages:
                for found in page.get("Contents", ()):
                    yield Reference(bucket, found["Key"], etag=found["ETag"].strip('"'), size=found["Size"])

    def delete(self, ref: Reference) -> None:
        """Remove a version; without a version ID S3 only hides the object where versions are kept."""
        version: dict[str, Any] = {"VersionId": ref.version_id} if ref.version_id else {}
        with translated("object"):
            self.s3.delete_object(Bucket=ref.bucket, Key=ref.key, **version)

    def delete_versions(self, bucket: str, key: str) -> None:
        """Remove every version of an object, and every marker; nothing happens if there is none."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        with translated("object"):
            for page in pages:
                for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if found["Key"] == key:
                        self.s3.delete_object(Bucket=bucket, Key=key, VersionId=found["VersionId"])

    def abort_stale(self, bucket: str, prefix: str = "", older_than: timedelta = timedelta(days=1)) -> int:
        """Abort multipart uploads begun longer ago, which a crash left; return how many."""
        count, bound = 0, datetime.now(UTC) - older_than
        pages = self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
        with translated("bucket"):
            for page in pages:
                for found in page.get("Uploads", ()):
                    if found["Initiated"] <= bound:
                        with suppress(self.s3.exceptions.NoSuchUpload):
                            self.s3.abort_multipart_upload(
                                Bucket=bucket, Key=found["Key"], UploadId=found["UploadId"]
                            )
                            count += 1
        return count
