"""What an RLE frame holds beside the image: unused offsets, and bytes behind a segment's end (PS3.5 G)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from scanward.dicom.structure.fragments import FrameBytes, Range, Steps, Unread
from scanward.dicom.structure.pixels import ImageShape

_HEADER = 64
_SEGMENTS = 15
_CHUNK = 1 << 20
_NO_OPERATION = 128


def rle(frame: FrameBytes, shape: ImageShape, steps: Steps) -> Iterator[Range]:
    """Yield ranges that hold no image. Raises Unread if the frame has no RLE header."""
    steps.take()
    header = frame.read(0, _HEADER)
    offsets = [int.from_bytes(header[at : at + 4], "little") for at in range(0, len(header), 4)]
    if len(header) < _HEADER or not 1 <= offsets[0] <= _SEGMENTS:
        raise Unread
    starts = [*offsets[1 : 1 + offsets[0]], frame.length]
    if starts[0] != _HEADER or starts != sorted(starts):
        raise Unread
    yield 4 + 4 * offsets[0], _HEADER
    samples = shape.rows * shape.columns
    decoded = samples if shape.bits > 1 else (samples + 7) // 8
    for start, stop in pairwise(starts):
        yield _end(frame, start, stop, decoded), stop


def _end(frame: FrameBytes, start: int, stop: int, decoded: int) -> int:
    """Return where a segment has given all its bytes, by the lengths of its runs alone (PS3.5 G.3.2)."""
    at, head = 0, _NO_OPERATION
    while start < stop and decoded > 0:
        chunk = frame.read(start, min(_CHUNK, stop - start))
        size = len(chunk)
        while at < size and decoded > 0:
            head = chunk[at]
            if head < _NO_OPERATION:
                at += head + 2
                decoded -= head + 1
            elif head > _NO_OPERATION:
                at += 2
                decoded -= 257 - head
            else:
                at += 1
        if decoded > 0:
            start, at = start + size, at - size
    if head < _NO_OPERATION:
        # Bytes of the last literal run that nobody asked for.
        at += min(decoded, 0)
    return min(start + at, stop)
