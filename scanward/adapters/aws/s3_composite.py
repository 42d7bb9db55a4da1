"""Whether a downloaded file agrees, part by part, with the SHA-256 that S3 keeps of an upload in parts."""

from __future__ import annotations

import base64
import hashlib
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
    """Return `parts` if S3 keeps a SHA-256 over the parts' own and it is the file's, else `object`.

    Of an object in one part S3 keeps a checksum of the whole; whoever wrote the file has compared it. Where
    S3 does not tell the parts (to a role without s3:GetObjectAttributes, or in another store), the size and
    the ETag are what is known. Raises Unavailable if the file differs.
    """
    kept, sizes = _told(s3, ref)
    if not sizes:
        return "object"
    with file.open("rb") as opened:
        digests = b"".join(_sha256(opened, size) for size in sizes)
        whole = base64.b64encode(hashlib.sha256(digests).digest()).decode()
        if kept != f"{whole}-{len(sizes)}" or opened.read(1):
            raise Unavailable("The object did not arrive as S3 keeps it; try again.")
    return "parts"


def _told(s3: S3Client, ref: Reference) -> tuple[str, list[int]]:
    """Return the checksum over the parts and their sizes, nothing where S3 has or tells none."""
    asked: dict[str, Any] = {"Bucket": ref.bucket, "Key": ref.key}
    if ref.version_id:
        asked["VersionId"] = ref.version_id
    kept, sizes, marker = "", [], 0
    while True:
        try:
            told: Any = s3.get_object_attributes(
                **asked, ObjectAttributes=["Checksum", "ObjectParts"], PartNumberMarker=marker
            )
        except ClientError:
            # Nothing is lost: what was read is pinned and whole, and this is a second look at it.
            return "", []
        kept = told.get("Checksum", {}).get("ChecksumSHA256", "")
        parts = told.get("ObjectParts", {})
        sizes += [part["Size"] for part in parts.get("Parts", ())]
        marker = parts.get("NextPartNumberMarker", 0)
        if not parts.get("IsTruncated"):
            return kept, sizes if "-" in kept else []


def _sha256(file: BinaryIO, length: int) -> bytes:
    digest, left = hashlib.sha256(), length
    while left and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.digest()
