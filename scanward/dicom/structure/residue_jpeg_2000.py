"""What a JPEG 2000 codestream holds beside the image: comments, and bytes behind its end."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from scanward.dicom.structure.fragments import FrameBytes, Range, Steps, Unread
from scanward.dicom.structure.pixels import ImageShape

_END_BYTES = re.compile(rb"\xff\xd9")
_CODESTREAM, _SIZE, _TILE_PART, _DATA, _END, _COMMENT = 0xFF4F, 0xFF51, 0xFF90, 0xFF93, 0xFFD9, 0xFF64
# Marker segments of ISO/IEC 15444-1, -2 and -15 that tell how to decode.
_KNOWN = frozenset({*range(0xFF50, 0xFF60), 0xFF60, 0xFF61, 0xFF63, *range(0xFF72, 0xFF7A)})
_TILE_PART_HEADER = 10


def jpeg_2000(frame: FrameBytes, _: ImageShape, steps: Steps) -> Iterator[Range]:
    """Yield ranges that hold no image (ISO/IEC 15444-1 A). Raises Unread for what is not built so.

    A file of boxes around the codestream is none of DICOM's (PS3.5 A.4.4), and its boxes may hold anything.
    """
    if frame.number(0, 2) != _CODESTREAM:
        raise Unread
    at = 2
    while at + 2 <= frame.length:
        steps.take()
        marker = frame.number(at, 2)
        if marker == _END:
            at += 2
            break
        part = _tile_part(frame, at, steps) if marker == _TILE_PART else _segment(frame, marker, at)
        at = yield from part
    yield at, frame.length


def _tile_part(frame: FrameBytes, start: int, steps: Steps) -> Generator[Range, None, int]:
    """Yield what is no image in a tile-part's header; return where the tile-part ends (A.4.2)."""
    if frame.number(start + 2, 2) != _TILE_PART_HEADER:
        raise Unread
    length, at = frame.number(start + 6, 4), start + 2 + _TILE_PART_HEADER
    while (marker := frame.number(at, 2)) != _DATA:
        steps.take()
        at = yield from _segment(frame, marker, at)
    if not length:
        # The last one may leave its length out; no marker of an end is among its bytes.
        return frame.find(_END_BYTES, at + 2)
    if not at + 2 <= start + length <= frame.length:
        raise Unread
    return start + length


def _segment(frame: FrameBytes, marker: int, at: int) -> Generator[Range, None, int]:
    """Yield a comment's bytes; return where the marker segment ends."""
    if marker not in _KNOWN and marker != _COMMENT:
        raise Unread
    length = frame.number(at + 2, 2)
    stop = at + 2 + length
    if length < 2 or stop > frame.length:  # noqa: PLR2004 - the length counts itself
        raise Unread
    if marker == _SIZE and length != 38 + 3 * frame.number(at + 38, 2):
        raise Unread
    if marker == _COMMENT:
        yield at + 4, stop
    return stop
