"""Where the byte path reads: the first bytes at once, the rest only where it must, the pixels never."""

from __future__ import annotations

import mmap
import os
from typing import Protocol

from scanward.errors import Unavailable

HEAD = 16 << 10
LARGEST_HEAD = 1 << 20
_COPIED = 64 << 20

Window = bytes | memoryview


class Irregular(Exception):
    """The byte path does not take this object: the gate and the pydicom path decide."""


class Source(Protocol):
    """One object. head_limit: the longest header that is copied into memory, not looked at in place.

    at_once: how much a small buffer over it reads; 0 where the source has one of its own.
    """

    head_limit: int
    at_once: int

    @property
    def size(self) -> int:
        """Return the object's bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer at the object's end."""
        ...

    def whole(self) -> memoryview:
        """Return the whole object as a read-only map, or as what can be sliced like one."""
        ...

    def window(self) -> memoryview:
        """Return a map of the whole, for headers beyond `head_limit`. Raises TooLarge if there is none."""
        ...


class ViewSource:
    """An object that somebody holds as a view."""

    head_limit = LARGEST_HEAD
    at_once = HEAD

    def __init__(self, view: memoryview) -> None:
        """Take the whole object."""
        self._view = _hashable(view)
        self.size = len(view)

    def read(self, offset: int, length: int) -> bytes:
        """Return a copy of a range."""
        return bytes(self._view[offset : offset + length])

    def whole(self) -> memoryview:
        """Return the view."""
        return self._view

    def window(self) -> memoryview:
        """Return the view."""
        return self._view


def _hashable(view: memoryview) -> memoryview:
    """Return a view whose parts can be looked up: of a writable object only a copy can."""
    try:
        hash(view[:0])
    except (TypeError, ValueError):
        return memoryview(bytes(view))
    return view


class FileSource:
    """An open file, read by position; whole only where that is asked for."""

    head_limit = LARGEST_HEAD
    at_once = HEAD

    def __init__(self, fd: int, size: int) -> None:
        """Borrow an open descriptor; the caller closes it."""
        self._fd = fd
        self.size = size
        self._view: memoryview | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes at a position; the descriptor's own position stays."""
        return os.pread(self._fd, length, offset)

    def whole(self) -> memoryview:
        """Return all bytes, read once. Raises Unavailable if another program cut the file short meanwhile.

        Large files are mapped: should one of those be cut short later, the system ends this process.
        """
        if self._view is None:
            try:
                self._view = memoryview(self._copied() if self.size <= _COPIED else self._mapped())
            except ValueError:
                raise Unavailable("The file was cut short while it was read; try again") from None
        return self._view

    def window(self) -> memoryview:
        """Return the same as `whole`."""
        return self.whole()

    def _copied(self) -> bytes:
        content = os.pread(self._fd, self.size, 0)
        if len(content) < self.size:
            raise ValueError
        return content

    def _mapped(self) -> mmap.mmap:
        return mmap.mmap(self._fd, self.size, access=mmap.ACCESS_READ)


class Buffered:
    """The object behind a small buffer, for code that slices a view at growing places.

    A map would count every page that was touched, and its neighbours, as memory of this process: too many for
    frames of 2 GB.
    """

    def __init__(self, source: Source, behind: bytes) -> None:
        """Begin with an empty buffer; `behind` seems to follow the object's own bytes."""
        self._source = source
        self._behind = behind
        self._start = 0
        self._buffer = b""

    def __getitem__(self, where: int | slice) -> int | bytes:
        """Return one byte or a range, read at need."""
        if isinstance(where, int):
            return self._range(where, where + 1)[0]
        return self._range(where.start, where.stop)

    def _range(self, start: int, stop: int) -> bytes:
        if start >= self._source.size:
            return self._behind[start - self._source.size : stop - self._source.size]
        at = start - self._start
        if at < 0 or stop - self._start > len(self._buffer):
            self._start, at = start, 0
            self._buffer = self._source.read(start, max(self._source.at_once, stop - start))
        return self._buffer[at : at + stop - start]
