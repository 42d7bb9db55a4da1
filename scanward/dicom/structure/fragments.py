"""Which fragments make which frame, and a frame's bytes in however many fragments they lie (PS3.5 A.4)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

Range = tuple[int, int]

_CHUNK = 256 << 10
_WIDTH = 4


class Unread(Exception):
    """What a frame holds beside its image cannot be told."""


class Steps:
    """How many markers one object may have: each takes an interpreter's step, whatever the bytes say."""

    def __init__(self, most: int) -> None:
        """Begin with `most` left."""
        self._left = most

    def take(self) -> None:
        """Count one. Raises Unread when none is left."""
        self._left -= 1
        if self._left < 0:
            raise Unread


class FrameBytes:
    """One frame's bytes as if they lay in one range; read a chunk at a time, so that memory stays flat."""

    def __init__(self, view: memoryview, fragments: Sequence[Range]) -> None:
        """Take the frame's fragments, in order."""
        self._view = view
        self._fragments = fragments
        self._starts = [0, *accumulate(stop - start for start, stop in fragments)]
        self.length = self._starts[-1]

    def read(self, at: int, size: int) -> bytes:
        """Return bytes; fewer at the frame's end."""
        return b"".join(bytes(self._view[start:stop]) for start, stop in self.places(at, at + size))

    def number(self, at: int, size: int) -> int:
        """Return a big endian number. Raises Unread if the frame ends before."""
        if at + size > self.length:
            raise Unread
        return int.from_bytes(self.read(at, size), "big")

    def chunks(self, at: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield place and bytes of a range, in chunks that overlap by one byte."""
        while at < stop:
            chunk = self.read(at, min(_CHUNK, stop - at))
            yield at, chunk
            if at + len(chunk) >= stop:
                return
            at += len(chunk) - 1

    def find(self, pattern: re.Pattern[bytes], at: int) -> int:
        """Return where a pattern of two bytes is found from `at` on. Raises Unread if it is not."""
        for start, chunk in self.chunks(at, self.length):
            match = pattern.search(chunk)
            if match is not None:
                return start + match.start()
        raise Unread

    def places(self, at: int, stop: int) -> Iterator[Range]:
        """Yield the ranges of the object that a range of the frame lies in."""
        index = bisect_right(self._starts, at) - 1
        while at < stop and index < len(self._fragments):
            start, end = self._fragments[index]
            first = start + at - self._starts[index]
            last = min(end, first + stop - at)
            if first < last:
                yield first, last
            at += last - first
            index += 1


def table_of(view: memoryview, table: Range, data: Sequence[Range], frames: int) -> list[int] | None:
    """Return the indices of fragments that the Basic Offset Table says begin a frame, None if it errs."""
    start, end = table
    said = [int.from_bytes(view[at : at + _WIDTH], "little") for at in range(start, end, _WIDTH)]
    where = {start - data[0][0]: index for index, (start, _) in enumerate(data)}
    if len(said) != frames or said != sorted(set(said)) or any(offset not in where for offset in said):
        return None
    return [where[offset] for offset in said]
