"""What was read of one object, in blocks; memory stays flat however large the object is.

A jump reads little, because it is likely to be followed by another; reading on and on doubles what is read at
once. A gap shorter than a megabyte is read through: asking anew takes longer than that much of a body.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable

_LEAST = 4 << 10
_MOST = 4 << 20
_FIRST = 64 << 10
_NEAR = 1 << 20
_HELD = 16 << 20


class Blocks:
    """A cache of at most 16 MiB over `fetch(offset, length)`; for one thread at a time."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        """Begin with nothing read of an object of `size` bytes."""
        self._fetch = fetch
        self._size = size
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._starts: list[int] = []
        self._bytes = 0
        self._end = 0
        self._window = _FIRST // 2
        self._start, self._block = 0, b""

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer at the object's end. Long ranges are not held."""
        length = min(length, self._size - offset)
        if length <= 0:
            return b""
        if length > _MOST:
            return self._fetch(offset, length)
        at = offset - self._start
        if at < 0 or at + length > len(self._block):
            self._start, self._block = self._block_of(offset, length)
            at = offset - self._start
        return self._block[at : at + length]

    def _block_of(self, offset: int, length: int) -> tuple[int, bytes]:
        index = bisect_right(self._starts, offset) - 1
        if index >= 0:
            start = self._starts[index]
            if start + len(self._held[start]) >= offset + length:
                self._held.move_to_end(start)
                return start, self._held[start]
        return offset, self._fetched(offset, max(length, self._ahead(offset)))

    def _ahead(self, offset: int) -> int:
        near = -_NEAR < offset - self._end < _NEAR
        self._window = min(self._window * 2, _MOST) if near else _LEAST
        return self._window

    def _fetched(self, offset: int, length: int) -> bytes:
        block = self._fetch(offset, min(length, self._size - offset))
        self._end = offset + len(block)
        known = self._held.pop(offset, None)
        if known is None:
            insort(self._starts, offset)
        self._held[offset] = block
        self._bytes += len(block) - len(known or b"")
        while self._bytes > _HELD and len(self._held) > 1:
            oldest, gone = self._held.popitem(last=False)
            del self._starts[bisect_right(self._starts, oldest) - 1]
            self._bytes -= len(gone)
        return block
