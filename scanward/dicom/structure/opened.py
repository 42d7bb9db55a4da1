"""Opens one input file for the gate: regular files only, mapped, never copied."""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from scanward.dicom.structure.bounds import DEFAULT, Bounds
from scanward.dicom.structure.findings import refuse
from scanward.dicom.structure.gate import Structure, check
from scanward.errors import InvalidDicom

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class OpenedObject:
    """A mapped file; a context manager. Another program must not cut the file short meanwhile."""

    def __init__(self, fd: int, size: int) -> None:
        """Map `size` bytes of an open file, and own its descriptor."""
        self._fd = fd
        self._map = mmap.mmap(fd, size, access=mmap.ACCESS_READ) if size else None
        self._view = memoryview(b"") if self._map is None else memoryview(self._map)

    @property
    def view(self) -> memoryview:
        """Return the whole file, read-only."""
        return self._view

    @property
    def size(self) -> int:
        """Return the file's size in bytes."""
        return len(self._view)

    def fileno(self) -> int:
        """Return the descriptor, for copies inside the kernel."""
        return self._fd

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; the map goes with the last view that somebody still holds."""
        os.close(self._fd)
        try:
            self._view.release()
            if self._map is not None:
                self._map.close()
        except BufferError:
            self._map = None


def open_object(path: str | Path, inside: Path | None = None, bounds: Bounds = DEFAULT) -> OpenedObject:
    """Open a regular file. Raises InvalidDicom for anything else, and for a link that leaves `inside`."""
    try:
        # Without blocking: a FIFO that nobody writes to would hold the batch for ever.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a file name"
        raise refuse("not-readable", reason=reason) from None
    try:
        found = os.fstat(fd)
        _check_regular(found, bounds)
        if inside is not None:
            _check_inside(Path(path), inside, found)
        return OpenedObject(fd, found.st_size)
    except BaseException:
        os.close(fd)
        raise


def check_file(path: str | Path, inside: Path | None = None, bounds: Bounds = DEFAULT) -> Structure:
    """Open and check one file. Raises InvalidDicom."""
    with open_object(path, inside, bounds) as opened:
        return check(opened.view, bounds)


def _check_regular(found: os.stat_result, bounds: Bounds) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for test, name in _KINDS if test(found.st_mode)), "something else")
        raise refuse("not-a-file", kind=kind)
    if found.st_size > bounds.object_bytes:
        raise refuse("object-too-large", bound=bounds.object_bytes)


def _check_inside(path: Path, inside: Path, found: os.stat_result) -> None:
    """Hold the opened file against the resolved path, so that a link swapped meanwhile is found too."""
    outside: InvalidDicom = refuse("link-outside")
    try:
        resolved = path.resolve(strict=True)
        target = resolved.stat()
    except (OSError, RuntimeError):
        raise outside from None
    same = (target.st_dev, target.st_ino) == (found.st_dev, found.st_ino)
    if not same or not resolved.is_relative_to(inside.resolve()):
        raise outside
