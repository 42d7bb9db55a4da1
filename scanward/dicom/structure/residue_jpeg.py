"""What a JPEG or JPEG-LS frame holds beside the image: comments, applications' segments, bytes behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanward.dicom.structure.fragments import FrameBytes, Range, Steps, Unread
from scanward.dicom.structure.pixels import ImageShape

# The next marker behind entropy-coded bytes: neither a stuffed byte nor a restart (ISO/IEC 10918-1 B.1.1.5;
# JPEG-LS stuffs a bit, so that every byte below 80 may follow: ISO/IEC 14495-1 A.1).
_NEXT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_NEXT_LS = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_MARKER = 0xFF
_START, _END, _SCAN, _LINES, _RESTART = 0xD8, 0xD9, 0xDA, 0xDC, 0xDD
_HUFFMAN, _QUANTISATION = 0xC4, 0xDB
# Tables that no text fits in, or that JPEG-LS has no other form for.
_TABLES = frozenset({0xCC, 0xDF, 0xF8})
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xDE, 0xF7}) - {_HUFFMAN, 0xC8, 0xCC}
_EXACT = _FRAMES | {_HUFFMAN, _QUANTISATION, _SCAN, _LINES, _RESTART}
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# Applications' segments that tell a decoder how to read the samples: how they begin, and how long they are.
_KEPT = {
    0xE0: ((b"JFIF\0", 14),),
    0xE8: ((b"SPIFF\0", 30), (b"\0\0\0\1\xff\xd8", 6), (b"mrfx", 5)),
    0xEE: ((b"Adobe", 12),),
}
_LONGEST = 6


def jpeg(frame: FrameBytes, _: ImageShape, steps: Steps) -> Iterator[Range]:
    """Yield ranges that hold no image (ISO/IEC 10918-1 B). Raises Unread for what is not built so."""
    return _segments(frame, _NEXT, steps)


def jpeg_ls(frame: FrameBytes, _: ImageShape, steps: Steps) -> Iterator[Range]:
    """Yield ranges that hold no image (ISO/IEC 14495-1 C). Raises Unread for what is not built so."""
    return _segments(frame, _NEXT_LS, steps)


def _segments(frame: FrameBytes, following: re.Pattern[bytes], steps: Steps) -> Iterator[Range]:
    if frame.read(0, 2) != bytes((_MARKER, _START)):
        raise Unread
    at = 2
    while True:
        steps.take()
        marker = frame.number(at, 2)
        if marker >> 8 != _MARKER:
            raise Unread
        marker &= 0xFF
        if marker == _MARKER:
            # A byte of filling.
            at += 1
            continue
        at += 2
        if marker == _END:
            yield at, frame.length
            return
        if marker in _BARE:
            continue
        length = frame.number(at, 2)
        stop = at + length
        if length < 2 or stop > frame.length:  # noqa: PLR2004 - the length counts itself
            raise Unread
        yield _told(frame, marker, at + 2, stop), stop
        at = frame.find(following, stop) if marker == _SCAN else stop


def _told(frame: FrameBytes, marker: int, start: int, stop: int) -> int:
    """Return up to where a segment tells of the image. Raises Unread if it is longer than it may be."""
    length = stop - start
    if marker in _TABLES:
        return stop
    if marker in _EXACT:
        if length != _exact(frame, marker, start, length):
            raise Unread
        return stop
    head = frame.read(start, min(length, _LONGEST))
    kept = (size for begin, size in _KEPT.get(marker, ()) if head.startswith(begin))
    return min(start + next(kept, 0), stop)


def _exact(frame: FrameBytes, marker: int, start: int, length: int) -> int:
    """Return how long a segment is by its own counts."""
    if marker in (_LINES, _RESTART):
        # JPEG-LS lets both take up to 4 bytes.
        return min(max(length, 2), 4)
    if marker == _SCAN:
        return 4 + 2 * frame.number(start, 1)
    if marker in _FRAMES:
        return 6 + 3 * frame.number(start + 5, 1)
    return _tables(frame.read(start, length), marker)


def _tables(raw: bytes, marker: int) -> int:
    """Return the length of all the tables in a segment (ISO/IEC 10918-1 B.2.4.1 and B.2.4.2)."""
    at = 0
    while at < len(raw):
        if marker == _QUANTISATION:
            at += 129 if raw[at] >> 4 else 65
        else:
            at += 17 + sum(raw[at + 1 : at + 17])
    return at
