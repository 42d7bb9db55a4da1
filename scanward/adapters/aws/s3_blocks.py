"""What was read of one object, in blocks; memory stays flat however large the object is.

A jump reads little, because it is likely to be followed by another; reading on and on doubles what is read at
once. A gap shorter than a megabyte is read through: asking anew takes longer than that much of a body. Of
each place that was looked at a few bytes are kept for longer: gate and engine look at the same headers of
fragments and ends of frames again and again, and never at what lies between them.
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
_PLACE = 512
_BEFORE = 16  # a frame's end stands before the header of the next one
_PLACES_HELD = 12 << 20


class Blocks:
    """A cache of some 28 MiB at most over `fetch(offset, length)`; for one thread at a time."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        """Begin with nothing read of an object of `size` bytes."""
        self._fetch = fetch
        self._size = size
        self._blocks = _Extents(_HELD)
        self._places = _Extents(_PLACES_HELD)
        self._place = -_PLACE
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
            self._start, self._block = self._found(offset, length)
            at = offset - self._start
        if not 0 <= offset - self._place < _PLACE - _BEFORE:
            self._keep(offset, at)
        return self._block[at : at + length]

    def _found(self, offset: int, length: int) -> tuple[int, bytes]:
        known = self._blocks.get(offset, length) or self._places.get(offset, length)
        if known is not None:
            return known
        ahead = max(length, self._ahead(offset))
        start = max(offset - _BEFORE, 0)
        block = self._fetch(start, min(offset + ahead, self._size) - start)
        self._end = start + len(block)
        self._blocks.add(start, block)
        return start, block

    def _ahead(self, offset: int) -> int:
        near = -_NEAR < offset - self._end < _NEAR
        self._window = min(self._window * 2, _MOST) if near else _LEAST
        return self._window

    def _keep(self, offset: int, at: int) -> None:
        self._place = offset
        if len(self._block) > _PLACE:
            first = max(at - _BEFORE, 0)
            self._places.add(self._start + first, self._block[first : first + _PLACE])


class _Extents:
    """Ranges of an object by where they begin; beyond the bound the one used longest ago goes."""

    def __init__(self, bound: int) -> None:
        """Begin empty; `bound` is in bytes."""
        self._bound = bound
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._starts: list[int] = []
        self._bytes = 0

    def get(self, offset: int, length: int) -> tuple[int, bytes] | None:
        """Return the extent that holds a range, and its start."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            return None
        start = self._starts[index]
        if start + len(self._held[start]) < offset + length:
            return None
        self._held.move_to_end(start)
        return start, self._held[start]

    def add(self, start: int, extent: bytes) -> None:
        """Hold an extent, in place of another that begins there."""
        known = self._held.pop(start, None)
        if known is None:
            insort(self._starts, start)
        self._held[start] = extent
        self._bytes += len(extent) - len(known or b"")
        while self._bytes > self._bound and len(self._held) > 1:
            oldest, gone = self._held.popitem(last=False)
            del self._starts[bisect_right(self._starts, oldest) - 1]
            self._bytes -= len(gone)
