"""An output before it is written: its pieces as one object, for the gate that it must pass too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, cast

from scanward.adapters.aws.s3_opened import S3Opened
from scanward.dicom import structure
from scanward.dicom.pieces import Piece, Span
from scanward.dicom.ranged import RangedView
from scanward.dicom.structure import Bounds
from scanward.errors import InvalidDicom, Quarantined

__all__ = ["Assembled", "check_output"]

_HELD: Final = 8 << 20


class Assembled:
    """The pieces of an output over its source, read by position; ranges of the source come by its cache."""

    def __init__(self, pieces: Sequence[Piece], source: S3Opened) -> None:
        """Take the pieces in order."""
        self._pieces = [piece for piece in pieces if _length(piece)]
        self._source = source
        ends = list(accumulate(map(_length, self._pieces)))
        self._starts = [0, *ends[:-1]]
        self.size = ends[-1] if ends else 0

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer at the end."""
        parts, end = [], min(offset + length, self.size)
        index = bisect_right(self._starts, offset) - 1
        while offset < end:
            piece, start = self._pieces[index], self._starts[index]
            stop = min(end, start + _length(piece))
            parts.append(self._part(piece, offset - start, stop - offset))
            offset, index = stop, index + 1
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, piece: Piece, offset: int, length: int) -> bytes:
        if isinstance(piece, Span):
            return self._source.read(piece.offset + offset, length)
        return piece[offset : offset + length]

    @property
    def view(self) -> memoryview:
        """Return the whole output; a large one as a view that reads what is looked at."""
        if self.size <= _HELD:
            return memoryview(self.read(0, self.size))
        # As of `S3Opened`: whoever takes objects slices views and no more.
        return cast("memoryview", RangedView(self.read, 0, self.size))


def check_output(pieces: Sequence[Piece], source: S3Opened, bounds: Bounds) -> None:
    """Let an output pass the gate before anybody can have it. Raises Quarantined if it does not."""
    try:
        structure.check(Assembled(pieces, source).view, bounds)
    except InvalidDicom as fault:
        raise Quarantined(
            "The output does not pass the gate; this is a fault of Scanward.", faults=fault.faults
        ) from None


def _length(piece: Piece) -> int:
    return piece.length if isinstance(piece, Span) else len(piece)
