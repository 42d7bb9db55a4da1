"""Files to and from S3, streamed, so that memory stays flat; what was kept is what was sent."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import TYPE_CHECKING, Any, BinaryIO

from scanward.adapters.aws.crc64 import crc64
from scanward.adapters.aws.s3_body import chunks, pinned, reading, writing
from scanward.adapters.aws.s3_parts import PARTS
from scanward.adapters.aws.s3_upload import Upload
from scanward.errors import Unavailable
from scanward.receive.s3_event import Reference

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 64 << 20
_PART = 16 << 20
_KEPT = ("ChecksumSHA256", "ChecksumCRC32", "ChecksumCRC64NVME")
_CONDITIONS = ("IfMatch", "IfNoneMatch")
_SLOW = 64 << 20  # CRC-64 takes a second for each 10 MB


class _Sums:
    """The checksums of a body that S3 may have kept one of."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        """Take the answer of a head; a checksum of parts' checksums tells nothing of the whole."""
        whole = told.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
        self._told = {name: told[name] for name in _KEPT if whole and "-" not in told.get(name, "-")}
        if told["ContentLength"] > _SLOW:
            self._told.pop("ChecksumCRC64NVME", None)
        self.sha256 = hashlib.sha256()
        self._crc32 = self._crc64 = 0

    def update(self, chunk: bytes) -> None:
        """Count a chunk in."""
        self.sha256.update(chunk)
        if "ChecksumCRC32" in self._told:
            self._crc32 = zlib.crc32(chunk, self._crc32)
        if "ChecksumCRC64NVME" in self._told:
            self._crc64 = crc64(chunk, self._crc64)

    def agree(self) -> bool:
        """Tell whether all that S3 told is so."""
        found = {
            "ChecksumSHA256": self.sha256.digest(),
            "ChecksumCRC32": self._crc32.to_bytes(4, "big"),
            "ChecksumCRC64NVME": self._crc64.to_bytes(8, "big"),
        }
        return all(base64.b64encode(found[name]).decode() == told for name, told in self._told.items())


def receive_file(s3: S3Client, ref: Reference, file: BinaryIO) -> str:
    """Write a pinned version into a file; return its SHA-256 in hex.

    Raises Unavailable if it did not arrive whole, or not as the checksum says that S3 keeps of it.
    """
    with reading():
        told = s3.head_object(**pinned(ref), ChecksumMode="ENABLED")
        size, count, sums = told["ContentLength"], 0, _Sums(told)
        for chunk in chunks(s3, ref, 0, size):
            file.write(chunk)
            sums.update(chunk)
            count += len(chunk)
    if count != size or not sums.agree():
        raise Unavailable("The object did not arrive as S3 keeps it; try again.")
    return sums.sha256.hexdigest()


def send_file(
    s3: S3Client,
    file: BufferedReader,
    target: Mapping[str, Any],
    created: Mapping[str, Any],
    sha256: str = "",
) -> Mapping[str, Any]:
    """Write a file to `target` (Bucket, Key), in parts above 64 MiB; return S3's answer.

    `created` are further parameters of the object; `sha256` is the file's in hex, if that is known. Raises
    Overtaken if a condition among `created` does not hold.
    """
    size = os.fstat(file.fileno()).st_size
    if size <= _AT_ONCE:
        digest = bytes.fromhex(sha256) if sha256 else hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        checksum = base64.b64encode(digest).decode()
        with writing():
            return s3.put_object(
                **target,
                Body=file,
                ContentLength=size,
                ChecksumSHA256=checksum,
                **created,
            )
    conditions = {name: created[name] for name in _CONDITIONS if name in created}
    kept = {name: value for name, value in created.items() if name not in conditions}
    part = max(_PART, -(-size // PARTS))
    file.seek(0)
    with Upload(s3, target["Bucket"], target["Key"], "SHA256", kept) as upload:
        for number, body in enumerate(_parts(file, part), 1):
            upload.send(number, body)
        return upload.complete(size, conditions)


def _parts(file: BufferedReader, length: int) -> Iterator[bytes]:
    while body := file.read(length):
        yield body
