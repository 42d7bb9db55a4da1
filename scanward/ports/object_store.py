"""Blobs by zone and key, durable when `put` returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from scanward.dicom.pieces import Piece


class Zone(StrEnum):
    """Where a blob lives (design §2)."""

    RAW = "raw"
    DEID = "deid"
    QUARANTINE = "quarantine"


class Staged(Protocol):
    """A blob under way: written, hashed, not yet named. Gone when discarded or when the process dies."""

    @property
    def path(self) -> Path:
        """Return the temporary file, for the gate to map."""
        ...

    @property
    def size(self) -> int:
        """Return the bytes written so far."""
        ...

    @property
    def sha256(self) -> str:
        """Return the hex SHA-256 of all bytes written."""
        ...

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises OutOfSpace under the watermark."""
        ...

    def discard(self) -> None:
        """Remove the temporary file; a second call does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """A staged file and the name it shall have."""

    zone: Zone
    key: str
    staged: Staged


class Opened(Protocol):
    """A blob opened for reading; a context manager."""

    @property
    def view(self) -> memoryview:
        """Return the whole blob as a read-only map."""
        ...

    def fileno(self) -> int:
        """Return the file descriptor, for copies inside the kernel."""
        ...

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Unmap and close."""
        ...


class ObjectStore(Protocol):
    """The store of all zones. Keys are hashes (hex), never names from input."""

    def stage(self, pieces: Sequence[Piece] = (), source_fd: int = -1) -> Staged:
        """Begin a blob, with `pieces` already written if given. Raises OutOfSpace under the watermark."""
        ...

    def put(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Name all blobs; return when each is durable (files and folders synced). An existing key stays.

        Returns those whose key existed: such a blob may be one that a deletion is about to remove.
        """
        ...

    def open(self, zone: Zone, key: str) -> Opened:
        """Open a blob. Raises NotFound."""
        ...

    def delete(self, zone: Zone, key: str) -> None:
        """Remove a blob; nothing happens if there is none."""
        ...


class Sweepable(Protocol):
    """A store whose leftovers of a crash can be found."""

    def keys(self, zone: Zone) -> Iterator[str]:
        """Yield every key of a zone."""
        ...
