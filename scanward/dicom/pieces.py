"""An object as pieces: new bytes and ranges of the source, so that pixels are never copied through Python."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes of the source from `offset`, taken over as they are."""

    offset: int
    length: int


Piece = bytes | Span


def write_pieces(pieces: Sequence[Piece], source_fd: int, target_fd: int) -> int:
    """Write all pieces to `target_fd` at its position; return the bytes written.

    Spans go by `copy_file_range` inside the kernel, and by read and write where the file systems refuse that.
    """
    total = 0
    for piece in pieces:
        if isinstance(piece, Span):
            _copy_range(source_fd, target_fd, piece)
            total += piece.length
        else:
            _write_all(target_fd, piece)
            total += len(piece)
    return total


def _write_all(target_fd: int, chunk: bytes) -> None:
    written = os.write(target_fd, chunk)
    while written < len(chunk):
        written += os.write(target_fd, memoryview(chunk)[written:])


def _copy_range(source_fd: int, target_fd: int, span: Span) -> None:
    offset, left = span.offset, span.length
    while left:
        try:
            copied = os.copy_file_range(source_fd, target_fd, left, offset)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}:
                raise
            copied = _copy_chunk(source_fd, target_fd, offset, left)
        if not copied:
            raise OSError(errno.EIO, "the source ended while it was copied")
        offset, left = offset + copied, left - copied


def _copy_chunk(source_fd: int, target_fd: int, offset: int, left: int) -> int:
    chunk = os.pread(source_fd, min(left, _CHUNK), offset)
    _write_all(target_fd, chunk)
    return len(chunk)
