"""The documented `S3Handler`: the files of one bucket."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanward.adapters.aws import checks
from scanward.adapters.aws.clients import new_client
from scanward.adapters.aws.operation import operation
from scanward.adapters.aws.s3_composite import agrees
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.errors import BadInput, NotFound, OutOfSpace
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class S3Handler:
    """Uploads, downloads, lists and deletes; what arrives is what was sent, by its SHA-256."""

    def __init__(
        self,
        bucket_name: str,
        region_name: str = "us-east-1",
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
    ) -> None:
        """Work on one bucket. Without keys, boto3 looks for credentials."""
        self.bucket_name = bucket_name
        self.region_name = region_name
        self.s3_client: S3Client = new_client("s3", region_name, aws_access_key_id, aws_secret_access_key)
        self._objects = S3Objects(self.s3_client)

    def upload_file(
        self,
        file_path: str,
        object_key: str,
        metadata: dict[str, str] | None = None,
        content_type: str = "application/dicom",
    ) -> dict[str, str]:
        """Upload a file, in parts above 64 MiB; return `bucket`, `key` and `etag`.

        S3 compares the SHA-256 of what it got. Raises NotFound, BadInput (metadata is printable ASCII),
        Refused, Unavailable.
        """
        with operation(self.upload_file, "File uploaded successfully", "bucket") as details, _reading():
            kept = self._objects.upload(
                _path(file_path),
                self._reference(object_key),
                checks.user_metadata(metadata),
                content_type=checks.content_type(content_type),
            )
            details["bytes"] = kept.size
            return {"bucket": self.bucket_name, "key": object_key, "etag": kept.etag}

    def download_file(self, object_key: str, file_path: str) -> dict[str, str]:
        """Download an object; return `bucket`, `key`, `file_path`, `etag` and `sha256` (hex, of the file).

        The file gets its name when it is whole and agrees with the checksum that S3 keeps of it; an older
        file of that name stays until then. Raises NotFound, Unavailable, BadInput, OutOfSpace.
        """
        with operation(self.download_file, "File downloaded successfully", "object") as details, _writing():
            target = _path(file_path)
            part = target.with_name(f".{secrets.token_hex(8)}.part")
            try:
                ref, head = self._objects.pin(self._reference(object_key))
                sha256 = self._objects.download(ref, part)
                details.update(bytes=head.size, verified=agrees(self.s3_client, ref, part))
                _settle(part, target)
            finally:
                part.unlink(missing_ok=True)
            return {
                "bucket": self.bucket_name,
                "key": object_key,
                "file_path": os.fspath(file_path),
                "etag": head.etag,
                "sha256": sha256,
            }

    def list_objects(self, prefix: str = "", max_keys: int = 1000) -> list[dict[str, Any]]:
        """Return the first objects of a prefix in order of their keys, as many as `max_keys`, over all pages.

        Each has S3's own `Key`, `Size`, `LastModified`, `ETag` and `StorageClass`. Raises NotFound, BadInput.
        """
        with operation(self.list_objects, "Objects listed", "bucket") as details:
            if isinstance(max_keys, bool) or not isinstance(max_keys, int) or max_keys < 0:
                raise BadInput("`max_keys` is a whole number from 0 on.")
            pages = self.s3_client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket_name, Prefix=prefix, PaginationConfig={"MaxItems": max_keys}
            )
            listed: list[dict[str, Any]] = [dict(one) for page in pages for one in page.get("Contents", ())]
            details["objects"] = len(listed)
            return listed

    def delete_object(self, object_key: str) -> bool:
        """Delete an object; True once S3 confirms that nothing stands under the key, a second time too.

        Where the bucket keeps versions, the older ones stay. Raises Refused, NotFound (the bucket).
        """
        with operation(self.delete_object, "Object deleted", "bucket"):
            self._objects.delete(self._reference(object_key))
            return True

    def get_object_metadata(self, object_key: str) -> dict[str, Any]:
        """Return what S3 tells of an object without its content.

        S3's own `ContentLength`, `ContentType`, `Metadata`, `ETag`, `LastModified` and what else there is
        (`VersionId`, `ServerSideEncryption` …). Raises NotFound, Refused.
        """
        with operation(self.get_object_metadata, "Metadata read", "object") as details:
            told = dict(
                self.s3_client.head_object(Bucket=self.bucket_name, Key=checks.object_key(object_key))
            )
            del told["ResponseMetadata"]
            details["bytes"] = told["ContentLength"]
            return told

    def _reference(self, key: str) -> Reference:
        return Reference(self.bucket_name, checks.object_key(key))


def _path(given: str) -> Path:
    """Return a file's path. Raises BadInput for what no file can be called."""
    path = Path(given)
    if not path.name or "\0" in path.name:
        raise BadInput("The path given names no file.")
    return path


def _settle(part: Path, target: Path) -> None:
    """Give a whole file its name; it is on the disk before."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


@contextmanager
def _reading() -> Iterator[None]:
    """Tell the faults of a local file that is read."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound("There is no file to upload at the path given.") from None
    except OSError:
        raise BadInput("The file to upload cannot be read; it must be a file, and readable.") from None


@contextmanager
def _writing() -> Iterator[None]:
    """Tell the faults of a local file that is written."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace("The disk is full; nothing was written under the path given.") from None
        raise BadInput("The path given cannot be written; its folder must be there, and writable.") from None
