"""A blob under way: a temporary file in the store's own staging folder, hashed while it is written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from scanward.adapters.local.disk import disk_errors, require_space, start_write_back
from scanward.adapters.local.hold import Hold
from scanward.dicom.pieces import Piece, Span, write_pieces

_CHECK_EVERY = 8 << 20
_CHUNK = 1 << 17
_BY_KERNEL = 8 << 20
"""From here on the kernel copies, which may cost no writing; below, one pass with the hash is faster."""

_HINT_EVERY = 1 << 18


class Staging:
    """A folder for what is under way, on a disk that keeps `watermark` bytes free."""

    def __init__(self, folder: Path, watermark: int = 0) -> None:
        """Take a folder; `make` makes it if it is missing."""
        self.folder = folder
        self._watermark = watermark
        self.hold: Hold | None = None

    def make(self) -> None:
        """Make the folder, for its owner alone. Raises Unavailable or OutOfSpace."""
        with disk_errors("the staging folder was made"):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stage(self, pieces: Sequence[Piece] = (), source_fd: int = -1) -> StagedFile:
        """Begin a blob, with `pieces` already written if given. Raises OutOfSpace under the watermark."""
        staged = StagedFile(self.folder, self._watermark)
        if pieces:
            try:
                staged.write_pieces(pieces, source_fd)
            except BaseException:
                staged.discard()
                raise
        return staged

    def clear(self) -> int:
        """Remove what a crash left, if nobody else has the store open; return how many."""
        left = list(self.folder.iterdir())
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


class StagedFile:
    """A temporary file that `FileStore.put` names; what is left of it after a crash is swept at start."""

    def __init__(self, folder: Path, watermark: int) -> None:
        """Create the file, readable by its owner only."""
        self._path = folder / secrets.token_hex(16)
        self._watermark = watermark
        self._hash = hashlib.sha256()
        self._size = 0
        self._next_check = 0
        self._next_hint = _HINT_EVERY
        with disk_errors("a temporary file was made"):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)

    @property
    def path(self) -> Path:
        """Return the temporary file."""
        return self._path

    @property
    def size(self) -> int:
        """Return the bytes written so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """Return the hex SHA-256 of all bytes written."""
        return self._hash.hexdigest()

    def fileno(self) -> int:
        """Return the file descriptor, open until the blob is named or discarded."""
        return self._descriptor

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises OutOfSpace under the watermark."""
        if self._size + len(chunk) > self._next_check:
            self._reserve(len(chunk))
        with disk_errors("an object was written"):
            self._append(chunk)
        if self._size >= self._next_hint:
            # The disk writes while more arrives, and while the gate reads: the fsync finds little left to do.
            start_write_back(self._descriptor)
            self._next_hint = self._size + _HINT_EVERY

    def write_pieces(self, pieces: Sequence[Piece], source_fd: int) -> None:
        """Append new bytes and ranges of the source, and start their way to the disk."""
        self._reserve(sum(piece.length if isinstance(piece, Span) else len(piece) for piece in pieces))
        with disk_errors("an object was written"):
            for piece in pieces:
                if not isinstance(piece, Span):
                    self._append(piece)
                elif piece.length < _BY_KERNEL:
                    for chunk in _chunks(source_fd, piece):
                        self._append(chunk)
                else:
                    self._size += write_pieces([piece], source_fd, self._descriptor)
                    for chunk in _chunks(source_fd, piece):
                        self._hash.update(chunk)
        start_write_back(self._descriptor)

    def discard(self) -> None:
        """Remove the temporary file; a second call does nothing."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            self.close()

    def close(self) -> None:
        """Close the file and leave it where it is."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __del__(self) -> None:
        """Remove what nobody named nor discarded, so that an abandoned upload leaves nothing."""
        if getattr(self, "_descriptor", -1) >= 0:
            self.discard()

    def _reserve(self, wanted: int) -> None:
        with disk_errors("the free space was asked"):
            require_space(self._path.parent, wanted, self._watermark)
        self._next_check = self._size + wanted + _CHECK_EVERY

    def _append(self, chunk: bytes | memoryview) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._hash.update(chunk)
        self._size += len(chunk)


def _chunks(source_fd: int, span: Span) -> Iterator[memoryview]:
    """Yield a span's bytes, each chunk in the same buffer as the one before."""
    offset, left = span.offset, span.length
    buffer = memoryview(bytearray(min(left, _CHUNK)))
    while left:
        count = os.preadv(source_fd, [buffer[: min(left, _CHUNK)]], offset)
        if not count:
            raise OSError(errno.EIO, "the source ended while it was copied")
        yield buffer[:count]
        offset, left = offset + count, left - count
