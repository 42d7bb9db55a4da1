"""Opens an input for the engine: a file of the folder, or an archive's member in a nameless file."""
# ruff: noqa: PTH118 - paths are strings in the batch: there may be millions, and none is worth an object

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from scanward.dicom.structure import Bounds, open_object
from scanward.entrypoints.cli.batch.plan import Entry, Plan
from scanward.receive.archive import Member, members


class Readable(Protocol):
    """What the engine needs of an input."""

    @property
    def view(self) -> memoryview:
        """Return all bytes."""
        ...

    def fileno(self) -> int:
        """Return the descriptor, for copies inside the kernel."""
        ...


@dataclass(frozen=True, slots=True)
class _Spooled:
    view: memoryview
    descriptor: int

    def fileno(self) -> int:
        return self.descriptor


class Opener:
    """Opens the inputs of one plan."""

    def __init__(self, plan: Plan) -> None:
        """Open an archive once; its directory is read with the first member."""
        self._plan = plan
        self._inside = Path(plan.source)
        self._bounds = bounds(plan)
        self._archive: BinaryIO | None = self._inside.open("rb") if plan.archive else None
        self._members: list[Member] = []

    def open(self, entry: Entry) -> AbstractContextManager[Readable]:
        """Open one input. Raises InvalidDicom, BadInput or OSError."""
        if self._archive is not None:
            return self._spooled(self._archive, entry)
        return open_object(
            Path(os.path.join(self._plan.source, entry.relative)), inside=self._inside, bounds=self._bounds
        )

    @contextmanager
    def _spooled(self, archive: BinaryIO, entry: Entry) -> Iterator[Readable]:
        """Inflate a member to a file without a name: gone whatever happens to this process."""
        if not self._members:
            self._members = list(members(archive))
        with tempfile.TemporaryFile(dir=None if self._plan.dry else self._plan.state) as file:
            for chunk in self._members[entry.member].chunks():
                file.write(chunk)
            file.flush()
            size = file.tell()
            if not size:
                yield _Spooled(memoryview(b""), file.fileno())
                return
            with (
                mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as view,
            ):
                yield _Spooled(view, file.fileno())


def bounds(plan: Plan) -> Bounds:
    """Return the gate's bounds of the settings."""
    settings = plan.settings
    return Bounds(
        object_bytes=settings.max_object_bytes,
        inflated_bytes=settings.max_inflated_bytes,
        inflate_ratio=settings.max_inflate_ratio,
    )
