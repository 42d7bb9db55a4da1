"""Objects in S3 as the line reads and writes them: pinned versions, resumed bodies, copies inside S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.failures import translated
from scanward.adapters.aws.s3_body import Overtaken, chunks, pinned, reading, writing
from scanward.adapters.aws.s3_copy import algorithm_for, content_of, put_together
from scanward.adapters.aws.s3_files import receive_file, send_file
from scanward.adapters.aws.s3_listing import S3Listing
from scanward.adapters.aws.s3_opened import S3Opened
from scanward.adapters.aws.s3_parts import length_of, plan
from scanward.adapters.aws.s3_upload import Upload, sha256_base64
from scanward.dicom.pieces import Piece, Span
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Head", "Overtaken", "S3Objects"]

SIMPLE = 64 << 20
"""Up to here an output is written by one request; above it is put together inside S3."""

DICOM = "application/dicom"
_COPIED_AT_ONCE = 1 << 30  # S3's own bound is 5 GiB, but it copies parts side by side faster


@dataclass(frozen=True, slots=True)
class Head:
    """What S3 tells of one version of an object; checksum: `ALGORITHM:base64`, if a write was told one."""

    size: int
    etag: str
    version_id: str = ""
    modified: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    checksum: str = ""


class S3Objects(S3Listing):
    """Reads and writes objects. All failures are our errors, and none of their texts holds a key."""

    def __init__(self, s3: S3Client | None = None, kms_key: str = "", simple_bytes: int = SIMPLE) -> None:
        """Take a client, or this process's. `kms_key` encrypts what is written; empty: the bucket's key."""
        super().__init__(s3 or client("s3"))
        self.simple_bytes = simple_bytes
        self._kms_key = kms_key

    @property
    def encryption(self) -> dict[str, Any]:
        """Return how a new object is encrypted."""
        if not self._kms_key:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key, "BucketKeyEnabled": True}

    def head(self, ref: Reference) -> Head:
        """Return what S3 tells of a version. Raises NotFound, or Unavailable if it is not the pinned one."""
        with reading():
            answer = self.s3.head_object(**pinned(ref))
        return Head(
            size=answer["ContentLength"],
            etag=answer["ETag"].strip('"'),
            version_id=_version(answer.get("VersionId")),
            modified=answer["LastModified"],
            metadata=answer.get("Metadata", {}),
            content_type=answer.get("ContentType", ""),
        )

    def pin(self, ref: Reference) -> tuple[Reference, Head]:
        """Return the reference with version, ETag and size as they are now."""
        head = self.head(ref)
        pin = replace(
            ref, version_id=ref.version_id or head.version_id, etag=ref.etag or head.etag, size=head.size
        )
        return pin, head

    def read(self, ref: Reference, offset: int, length: int) -> bytes:
        """Return a range, fewer bytes at the object's end. Raises NotFound or Unavailable."""
        with translated("object"):
            return b"".join(chunks(self.s3, ref, offset, length))

    def stream(self, ref: Reference) -> Iterator[bytes]:
        """Yield the bytes of a pinned version in chunks. Raises NotFound or Unavailable."""
        with translated("object"):
            yield from chunks(self.s3, ref, 0, ref.size)

    def open(self, ref: Reference) -> S3Opened:
        """Open a version, pinned; a small one is read now, a large one by range. Raises NotFound."""
        return S3Opened(self, *self.pin(ref))

    def put(
        self,
        body: bytes,
        bucket: str,
        key: str,
        *,
        metadata: Mapping[str, str] | None = None,
        conditions: Mapping[str, Any] | None = None,
        content_type: str = DICOM,
    ) -> Head:
        """Write an object by one request; S3 compares its SHA-256. Raises Overtaken, see `put_pieces`."""
        created = self.created(metadata, content_type)
        with writing():
            answer = self.s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                ChecksumSHA256=sha256_base64(body),
                **created,
                **(conditions or {}),
            )
        return self._written(len(body), answer, metadata, content_type)

    def put_pieces(  # noqa: PLR0913 - what S3 needs of a write
        self,
        pieces: Sequence[Piece],
        source: S3Opened,
        bucket: str,
        key: str,
        *,
        metadata: Mapping[str, str],
        if_match: str = "",
        if_none_match: bool = False,
        content_type: str = DICOM,
    ) -> Head:
        """Write an output of new bytes and ranges of the source; a large one is put together inside S3.

        Raises Overtaken, having changed nothing, if the object at `key` is not of the ETag `if_match`, or if
        there is one and `if_none_match`; so too where an answer was lost and the write is there already: look
        at its metadata. Raises Unavailable if the source is no longer the pinned version.
        """
        conditions = _conditions(if_match, none=if_none_match)
        size = sum(map(length_of, pieces))
        if size <= self.simple_bytes:
            body = b"".join(content_of(piece, source) for piece in pieces)
            return self.put(
                body, bucket, key, metadata=metadata, conditions=conditions, content_type=content_type
            )
        created = self.created(metadata, content_type)
        parts = plan(pieces, copied=isinstance(source, S3Opened))
        with Upload(self.s3, bucket, key, algorithm_for(parts), created) as upload:
            put_together(upload, parts, source)
            answer = upload.complete(size, conditions)
        return self._written(size, answer, metadata, content_type)

    def copy(self, ref: Reference, bucket: str, key: str, metadata: Mapping[str, str] | None = None) -> Head:
        """Copy a version of any size inside S3, pinned; `metadata` replaces its own if given."""
        pin, head = self.pin(ref)
        kept = head.metadata if metadata is None else metadata
        if pin.size > _COPIED_AT_ONCE:
            source = S3Opened(self, pin, head)
            return self.put_pieces(
                [Span(0, pin.size)], source, bucket, key, metadata=kept, content_type=head.content_type
            )
        origin: Any = {"Bucket": pin.bucket, "Key": pin.key}
        if pin.version_id:
            origin["VersionId"] = pin.version_id
        with reading():
            answer = self.s3.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource=origin,
                CopySourceIfMatch=f'"{pin.etag}"',
                MetadataDirective="REPLACE",
                # Tags would need rights of their own, and nothing here reads them.
                TaggingDirective="REPLACE",
                **self.created(kept, head.content_type),
            )
        told = {**answer["CopyObjectResult"], "VersionId": answer.get("VersionId", "")}
        return self._written(pin.size, told, kept, head.content_type)

    def download(self, ref: Reference, path: Path) -> str:
        """Write a version into a file that does not exist yet, verified; return its SHA-256 in hex."""
        pin, _ = self.pin(ref)
        try:
            with path.open("xb") as file:
                return receive_file(self.s3, pin, file)
        except FileExistsError:
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def upload(
        self,
        path: Path,
        ref: Reference,
        metadata: Mapping[str, str] | None = None,
        *,
        content_type: str = DICOM,
        sha256: str = "",
        if_none_match: bool = False,
    ) -> Head:
        """Write a file to the bucket and key of `ref`, streamed; `sha256` in hex, if that is known.

        Raises Overtaken as `put_pieces`.
        """
        created = {**self.created(metadata, content_type), **_conditions("", none=if_none_match)}
        with path.open("rb") as file:
            answer = send_file(self.s3, file, {"Bucket": ref.bucket, "Key": ref.key}, created, sha256)
            return self._written(file.seek(0, 2), answer, metadata, content_type)

    def created(self, metadata: Mapping[str, str] | None, content_type: str = DICOM) -> dict[str, Any]:
        """Return the parameters of a new object beside its content."""
        told = {"Metadata": dict(metadata)} if metadata else {}
        return {**self.encryption, **told, "ContentType": content_type or DICOM}

    @staticmethod
    def _written(
        size: int, answer: Mapping[str, Any], metadata: Mapping[str, str] | None, content_type: str
    ) -> Head:
        kept = (f"{name.removeprefix('Checksum')}:{answer[name]}" for name in _CHECKSUMS if answer.get(name))
        return Head(
            size=size,
            etag=answer["ETag"].strip('"'),
            version_id=_version(answer.get("VersionId")),
            metadata=dict(metadata or {}),
            content_type=content_type,
            checksum=next(kept, ""),
        )


_CHECKSUMS = ("ChecksumSHA256", "ChecksumCRC64NVME", "ChecksumCRC32")


def _version(found: str | None) -> str:
    """Return a version ID; S3 says `null` where none are kept."""
    return "" if found in {None, "null"} else str(found)


def _conditions(if_match: str, *, none: bool) -> dict[str, str]:
    if if_match:
        return {"IfMatch": f'"{if_match}"'}
    return {"IfNoneMatch": "*"} if none else {}
