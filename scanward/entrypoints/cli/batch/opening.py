"""Opens an input for the engine: a file of the folder, or an archive's member in a nameless file."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from scanward.deidentify.bytepath_source import FileSource
from scanward.dicom.structure import Bounds, open_object
from scanward.entrypoints.cli.batch.plan import Entry, Plan
from scanward.receive.archive import Member, members


class Source:
    """An open input: its bytes by position, its whole only where that is asked for."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Borrow a descriptor."""
        self._descriptor = descriptor
        self.size = size

    def fileno(self) -> int:
        """Return the descriptor, for copies inside the kernel."""
        return self._descriptor

    def head(self, length: int) -> bytes:
        """Return the first bytes."""
        return os.pread(self._descriptor, length, 0)

    @property
    def view(self) -> memoryview:
        """Return all bytes. Raises Unavailable if another program cut the file short meanwhile."""
        return FileSource(self._descriptor, self.size).whole()


class _Opened(Source):
    """A file of the folder, closed behind the block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


class Opener:
    """Opens the inputs of one plan."""

    def __init__(self, plan: Plan) -> None:
        """Open an archive once; its directory is read with the first member."""
        self._plan = plan
        self._inside = Path(plan.source)
        self._bounds = bounds(plan)
        self._archive: BinaryIO | None = self._inside.open("rb") if plan.archive else None
        self._members: list[Member] = []

    def open(self, entry: Entry) -> AbstractContextManager[Source]:
        """Open one input. Raises InvalidDicom, BadInput or OSError."""
        if self._plan.in_bucket:
            return self._fetched(entry)
        if self._archive is not None:
            return self._spooled(self._archive, entry)
        path = f"{self._plan.source}/{entry.relative}"
        if entry.link:
            return self._linked(path)
        # What was a file when the folder was read may have become a link or a FIFO since.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > self._bounds.object_bytes:
            os.close(descriptor)
            return self._linked(path)  # which says what is wrong with it
        return _Opened(descriptor, status.st_size)

    @contextmanager
    def _linked(self, path: str) -> Iterator[Source]:
        """Open by the gate's own rules: a link only inside the source, regular files only, within bounds."""
        with open_object(path, inside=self._inside, bounds=self._bounds) as opened:
            yield Source(opened.fileno(), opened.size)

    @contextmanager
    def _fetched(self, entry: Entry) -> Iterator[Source]:
        """Fetch an object of S3, for outputs that are files."""
        from scanward.entrypoints.cli.batch.bucket import fetched  # noqa: PLC0415 - boto3 is slow to import

        with fetched(self._plan, entry, None if self._plan.dry else self._plan.state) as (file, pin):
            yield Source(file.fileno(), pin.size)

    @contextmanager
    def _spooled(self, archive: BinaryIO, entry: Entry) -> Iterator[Source]:
        """Inflate a member to a file without a name: gone whatever happens to this process."""
        if not self._members:
            self._members = list(members(archive))
        with tempfile.TemporaryFile(dir=None if self._plan.dry else self._plan.state) as file:
            for chunk in self._members[entry.member].chunks():
                file.write(chunk)
            file.flush()
            yield Source(file.fileno(), file.tell())


def bounds(plan: Plan) -> Bounds:
    """Return the gate's bounds of the settings."""
    settings = plan.settings
    return Bounds(
        object_bytes=settings.max_object_bytes,
        inflated_bytes=settings.max_inflated_bytes,
        inflate_ratio=settings.max_inflate_ratio,
    )
