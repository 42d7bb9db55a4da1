"""One version of an object in S3, opened for reading by range: nothing is read that nobody looks at."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from scanward.adapters.aws.s3_blocks import Blocks
from scanward.dicom.ranged import MOST_BYTES, RangedView
from scanward.errors import TooLarge, Unavailable

if TYPE_CHECKING:
    from scanward.adapters.aws.s3_objects import Head, S3Objects
    from scanward.receive.s3_event import Reference

AT_ONCE = 8 << 20
"""Objects up to this size are read by one request, which takes less time than a few small ones."""


class S3Opened:
    """An object pinned by version and ETag; a context manager. For one thread at a time.

    `fetched` counts the bytes that have come into this process.
    """

    head_limit = MOST_BYTES
    at_once = 0

    def __init__(self, objects: S3Objects, ref: Reference, head: Head) -> None:
        """Open a pinned object; a small one is read now."""
        self.ref = ref
        self.head = head
        self.size = head.size
        self.fetched = 0
        self._objects = objects
        self._blocks = Blocks(self._fetch, self.size)
        self._whole = self._fetch(0, self.size) if self.size <= AT_ONCE else None

    @property
    def view(self) -> memoryview:
        """Return the whole object; a large one as a view that reads what is looked at."""
        if self._whole is not None:
            return memoryview(self._whole)
        # Everything that takes objects slices views and no more; `RangedView` says how it differs.
        return cast("memoryview", RangedView(self._blocks.read, 0, self.size))

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of a range; fewer at the object's end."""
        if self._whole is not None:
            return self._whole[offset : offset + length]
        return self._blocks.read(offset, length)

    def whole(self) -> memoryview:
        """Return the same as `view`: what must be held whole then raises TooLarge beyond 64 MiB."""
        return self.view

    def window(self) -> memoryview:
        """Return the whole of an object that was read at once. Raises TooLarge."""
        if self._whole is None:
            raise TooLarge(f"Its header is longer than the {self.head_limit} bytes that are read by range.")
        return memoryview(self._whole)

    def _fetch(self, offset: int, length: int) -> bytes:
        found = self._objects.read(self.ref, offset, length)
        self.fetched += len(found)
        if len(found) != length:
            raise Unavailable("The object is shorter than it was a moment ago; try again.")
        return found

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget what was read; slices still held stay."""
        self._whole = None
        self._blocks = Blocks(self._fetch, self.size)
