"""Puts an object together inside S3: ranges are copied a few at once while new bytes are sent."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import cast

from scanward.adapters.aws.s3_opened import S3Opened
from scanward.adapters.aws.s3_parts import Part
from scanward.adapters.aws.s3_upload import Algorithm, Upload
from scanward.dicom.pieces import Piece, Span

_AT_ONCE = 8
_SLOWLY = 64 << 20  # bytes; CRC-64 takes a second for each 10 MB, CRC-32 next to nothing


def algorithm_for(parts: Sequence[Part]) -> Algorithm:
    """Return which checksum of the whole object S3 shall keep: the longer one, where little is sent."""
    sent = sum(part.size for part in parts if not part.copied)
    return "CRC64NVME" if sent <= _SLOWLY else "CRC32"


def put_together(upload: Upload, parts: Sequence[Part], source: S3Opened) -> None:
    """Copy or send every part. When this returns or raises, no request of it is under way any more."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="s3-copy") as threads:
        copies: list[Future[None]] = []
        try:
            for number, part in enumerate(parts, 1):
                if part.copied:
                    span = cast("Span", part.pieces[0])
                    copies.append(threads.submit(upload.copy, number, source.ref, span))
            for number, part in enumerate(parts, 1):
                if not part.copied:
                    # The source is read by this thread alone; one part is in memory at a time.
                    upload.send(number, b"".join(content_of(piece, source) for piece in part.pieces))
            wait(copies, return_when=FIRST_EXCEPTION)
        finally:
            for copy in copies:
                copy.cancel()
    for copy in copies:
        copy.result()


def content_of(piece: Piece, source: S3Opened) -> bytes:
    """Return a piece's bytes."""
    return source.read(piece.offset, piece.length) if isinstance(piece, Span) else piece
