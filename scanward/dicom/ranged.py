"""An object that is read where it is looked at, for code that slices a view: gate, rules and tokenizer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from struct import Struct
from typing import Any

from scanward.dicom.pieces import Piece, Span
from scanward.errors import TooLarge

AT_ONCE = 64 << 10
"""Longer slices stay views, so that a value of gigabytes costs nothing until somebody wants its bytes."""

MOST_BYTES = 64 << 20
_STEP = 1 << 20

Read = Callable[[int, int], bytes]


class RangedView:
    """A read-only view over `read(offset, length)`; slices up to 64 KiB are bytes, longer ones are views.

    It behaves as a memoryview of bytes where gate, rules and both paths use one: length, index, slice,
    comparison and `bytes()`. It has no buffer of its own: `unpack_at` stands for `Struct.unpack_from`.
    """

    __slots__ = ("_read", "_start", "_stop")

    def __init__(self, read: Read, start: int, stop: int) -> None:
        """Show the bytes from `start` to `stop` of what `read` reads."""
        self._read = read
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        """Return the bytes shown."""
        return self._stop - self._start

    def __getitem__(self, where: int | slice) -> int | bytes | RangedView:
        """Return one byte, or a range; only ranges without a step."""
        if isinstance(where, int):
            return self._byte(where)
        start, stop, step = where.indices(len(self))
        if step != 1:
            raise ValueError("a ranged view has no steps")
        length = max(stop - start, 0)
        if length > AT_ONCE:
            return RangedView(self._read, self._start + start, self._start + stop)
        return self._read(self._start + start, length) if length else b""

    def __bytes__(self) -> bytes:
        """Return all bytes shown. Raises TooLarge beyond what is held in memory."""
        if len(self) > MOST_BYTES:
            raise TooLarge(
                f"A part of {len(self)} bytes must be held whole, but no more than {MOST_BYTES} are held "
                "when an object is read by range."
            )
        return self._read(self._start, len(self))

    def __eq__(self, other: object) -> bool:
        """Compare bytes, a step at a time."""
        if not isinstance(other, (bytes, memoryview, RangedView)):
            return NotImplemented
        if len(self) != len(other):
            return False
        return all(
            bytes(self[at : at + _STEP]) == bytes(other[at : at + _STEP]) for at in range(0, len(self), _STEP)
        )

    __hash__ = None  # type: ignore[assignment]  # as of a memoryview of a writable object

    def _byte(self, index: int) -> int:
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError("outside the view")
        return self._read(self._start + at, 1)[0]


def joined(pieces: Sequence[Piece], read: Read) -> RangedView:
    """Return the object that new bytes and ranges of a source make, without making it."""
    starts = list(accumulate((_length(piece) for piece in pieces), initial=0))

    def read_joined(offset: int, length: int) -> bytes:
        found, index, end = [], bisect_right(starts, offset) - 1, offset + length
        while offset < end:
            piece, at = pieces[index], offset - starts[index]
            count = min(end - offset, _length(piece) - at)
            if isinstance(piece, Span):
                found.append(read(piece.offset + at, count))
            else:
                found.append(piece[at : at + count])
            offset, index = offset + count, index + 1
        return b"".join(found)

    return RangedView(read_joined, 0, starts[-1])


def _length(piece: Piece) -> int:
    return piece.length if isinstance(piece, Span) else len(piece)


def unpack_at(form: Struct, view: memoryview, position: int) -> tuple[Any, ...]:
    """Return `form`'s values at a position of a view of either kind."""
    if type(view) is memoryview:
        return form.unpack_from(view, position)
    return form.unpack(view[position : position + form.size])


def unpacker(form: Struct, view: memoryview) -> Callable[[memoryview, int], tuple[Any, ...]]:
    """Return `form.unpack_from` for a view that has a buffer, and its like for a ranged one."""
    if type(view) is memoryview:
        return form.unpack_from
    return lambda ranged, position: form.unpack(ranged[position : position + form.size])
