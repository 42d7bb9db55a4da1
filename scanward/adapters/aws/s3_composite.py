"""Whether a downloaded file agrees, part by part, with the SHA-256 that S3 keeps of an upload in parts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from botocore.exceptions import ClientError

from scanward.errors import Unavailable
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
Verified = Literal["object", "parts"]


def agrees(s3: S3Client, ref: Reference, file: Path) -> Verified:
    """Return `parts` if S3 keeps parts' checksums and they are the file's, else `object`.

    Of an object in one part S3 keeps a checksum of the whole; whoever wrote the file has compared it. Where
    S3 does not tell the parts (to a role without s3:GetObjectAttributes, or in another store), the size and
    the ETag are what is known. Raises Unavailable if a part differs.
    """
    parts = list(_parts(s3, ref))
    if not parts:
        return "object"
    with file.open("rb") as opened:
        same = all(_sha256(opened, part["Size"]) == part["ChecksumSHA256"] for part in parts)
        if not same or opened.read(1):
            raise Unavailable("The object did not arrive as S3 keeps it; try again.")
    return "parts"


def _parts(s3: S3Client, ref: Reference) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"Bucket": ref.bucket, "Key": ref.key}
    if ref.version_id:
        asked["VersionId"] = ref.version_id
    marker = 0
    while True:
        try:
            told = s3.get_object_attributes(
                **asked, ObjectAttributes=["ObjectParts"], PartNumberMarker=marker
            ).get("ObjectParts", {})
        except ClientError:
            # Nothing is lost: what was read is pinned and whole, and this is a second look at it.
            return
        listed: Any = told.get("Parts", [])
        if not all("ChecksumSHA256" in part for part in listed):
            return
        yield from listed
        marker = told.get("NextPartNumberMarker", 0)
        if not told.get("IsTruncated"):
            return


def _sha256(file: BinaryIO, length: int) -> str:
    digest, left = hashlib.sha256(), length
    while left and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return base64.b64encode(digest.digest()).decode()
