"""A multipart upload of S3 that is either completed or aborted; S3 charges for what neither ended."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import zlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from botocore.exceptions import BotoCoreError, ClientError

from scanward.adapters.aws.crc64 import crc64_base64
from scanward.adapters.aws.s3_body import reading, writing
from scanward.dicom.pieces import Span
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Algorithm = Literal["CRC32", "CRC64NVME", "SHA256"]


def sha256_base64(content: bytes) -> str:
    """Return SHA-256 as S3 writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def crc32_base64(content: bytes) -> str:
    """Return CRC-32 as S3 writes it."""
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


_CHECKSUMS: dict[Algorithm, Callable[[bytes], str]] = {
    "CRC32": crc32_base64,
    "CRC64NVME": crc64_base64,
    "SHA256": sha256_base64,
}
_TYPES: dict[Algorithm, Literal["FULL_OBJECT", "COMPOSITE"]] = {
    "CRC32": "FULL_OBJECT",
    "CRC64NVME": "FULL_OBJECT",
    "SHA256": "COMPOSITE",
}


class Upload:
    """One multipart upload; a context manager that aborts what was not completed. Parts from any thread."""

    def __init__(
        self, s3: S3Client, bucket: str, key: str, algorithm: Algorithm, created: Mapping[str, Any]
    ) -> None:
        """Remember what to begin; `created` are further parameters of the object."""
        self._s3 = s3
        self._target: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._algorithm: Algorithm = algorithm
        self._created = created
        self._id = ""
        self._parts: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        """Begin the upload."""
        with writing():
            answer = self._s3.create_multipart_upload(
                **self._target,
                ChecksumAlgorithm=self._algorithm,
                ChecksumType=_TYPES[self._algorithm],
                **self._created,
            )
        self._id = answer["UploadId"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Abort what was not completed; where that fails too, the bucket's own rule ends it later."""
        if self._id:
            with contextlib.suppress(BotoCoreError, ClientError):
                self._s3.abort_multipart_upload(**self._target, UploadId=self._id)

    def send(self, number: int, body: bytes) -> None:
        """Send a part; S3 compares its checksum."""
        name = f"Checksum{self._algorithm}"
        checksum: dict[str, Any] = {name: _CHECKSUMS[self._algorithm](body)}
        with writing():
            answer = self._s3.upload_part(
                **self._target, UploadId=self._id, PartNumber=number, Body=body, **checksum
            )
        # Only a composite checksum is made of the parts' own at the end.
        told = checksum if _TYPES[self._algorithm] == "COMPOSITE" else {}
        self._parts[number] = {"PartNumber": number, "ETag": answer["ETag"], **told}

    def copy(self, number: int, ref: Reference, span: Span) -> None:
        """Let S3 copy a range of a pinned version. Raises Unavailable if it is no longer that one."""
        source: Any = {"Bucket": ref.bucket, "Key": ref.key}
        if ref.version_id:
            source["VersionId"] = ref.version_id
        with reading():
            answer = self._s3.upload_part_copy(
                **self._target,
                UploadId=self._id,
                PartNumber=number,
                CopySource=source,
                CopySourceIfMatch=f'"{ref.etag}"',
                CopySourceRange=f"bytes={span.offset}-{span.offset + span.length - 1}",
            )
        self._parts[number] = {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    def complete(self, size: int, conditions: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make the object of all parts, `size` bytes. Raises Overtaken if a condition does not hold."""
        parts: Any = [self._parts[number] for number in sorted(self._parts)]
        with writing():
            answer = self._s3.complete_multipart_upload(
                **self._target,
                UploadId=self._id,
                MultipartUpload={"Parts": parts},
                MpuObjectSize=size,
                ChecksumType=_TYPES[self._algorithm],
                **conditions,
            )
        self._id = ""
        return answer
