"""What a compressed frame says of itself, read from its header alone; nothing is decoded here."""

from __future__ import annotations

from dataclasses import dataclass

from scanward.dicom.structure.syntaxes import Codec

CODECS_WITH_HEADER = frozenset({Codec.JPEG, Codec.JPEG_LS, Codec.JPEG_2000})
_JPEG_MARKERS = 1_000
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_JPEG_LS_FRAME = 0xF7
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "
_JXL_SIGNATURE = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_JP2_BOXES = 64
_SIGNED = 0x80
_RLE_HEADER = 64
_RLE_SEGMENTS = 15


@dataclass(frozen=True, slots=True)
class Frame:
    """Header of one frame's codestream; `signed` is None where the codec does not say."""

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool | None = None


def read_header(view: memoryview, start: int, end: int, codec: Codec) -> Frame | None:
    """Return what the frame's header says, None if there is none of this codec in the range."""
    if codec in (Codec.JPEG, Codec.JPEG_LS):
        return _jpeg(view, start, end, codec)
    if codec is Codec.JPEG_2000:
        return _jpeg_2000(view, start, end)
    return None


def _jpeg(view: memoryview, start: int, end: int, codec: Codec) -> Frame | None:
    """Walk markers to the start of frame (ISO/IEC 10918-1 B.2; JPEG-LS: ISO/IEC 14495-1 C.2)."""
    if bytes(view[start : start + 2]) != b"\xff\xd8":
        return None
    position = start + 2
    for _ in range(_JPEG_MARKERS):
        while position + 1 < end and view[position] == 0xFF and view[position + 1] == 0xFF:  # noqa: PLR2004 - fill bytes
            position += 1
        if position + 4 > end or view[position] != 0xFF:  # noqa: PLR2004 - every marker begins so
            return None
        marker = view[position + 1]
        if marker in _START_OF_FRAME:
            return _start_of_frame(view, position + 2, end, is_ls=marker == _JPEG_LS_FRAME, codec=codec)
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return None
        position += 2
        if marker not in _STANDALONE:
            position += int.from_bytes(view[position : position + 2], "big")
    return None


def _start_of_frame(view: memoryview, position: int, end: int, *, is_ls: bool, codec: Codec) -> Frame | None:
    if position + 8 > end or is_ls != (codec is Codec.JPEG_LS):
        return None
    rows = int.from_bytes(view[position + 3 : position + 5], "big")
    columns = int.from_bytes(view[position + 5 : position + 7], "big")
    return Frame(rows, columns, view[position + 7], view[position + 2])


def _jpeg_2000(view: memoryview, start: int, end: int) -> Frame | None:
    """Read the SIZ marker segment (ISO/IEC 15444-1 A.5.1), behind JP2 boxes where a writer kept them."""
    position: int | None = start
    if bytes(view[start : start + 8]) == _JP2_SIGNATURE:
        position = _codestream_box(view, start, end)
    if position is None or position + 43 > end or bytes(view[position : position + 4]) != b"\xff\x4f\xff\x51":
        return None
    width, height, left, top = (
        int.from_bytes(view[position + at : position + at + 4], "big") for at in (8, 12, 16, 20)
    )
    components = int.from_bytes(view[position + 40 : position + 42], "big")
    depth = view[position + 42]
    return Frame(height - top, width - left, components, (depth & ~_SIGNED) + 1, bool(depth & _SIGNED))


def _codestream_box(view: memoryview, start: int, end: int) -> int | None:
    for _ in range(_JP2_BOXES):
        if start + 8 > end:
            return None
        length = int.from_bytes(view[start : start + 4], "big")
        if bytes(view[start + 4 : start + 8]) == b"jp2c":
            return start + 8
        if length < 8:  # noqa: PLR2004 - a box holds at least its own header
            return None
        start += length
    return None


def is_jpeg_xl(view: memoryview, start: int) -> bool:
    """Tell whether a JPEG XL codestream or its container begins here (ISO/IEC 18181-2)."""
    head = bytes(view[start : start + 12])
    return head.startswith(b"\xff\x0a") or head == _JXL_SIGNATURE


def rle_segments(view: memoryview, start: int, end: int) -> int | None:
    """Return the number of segments of an RLE frame, None if its header is not one (PS3.5 G.5)."""
    if start + _RLE_HEADER > end:
        return None
    count = int.from_bytes(view[start : start + 4], "little")
    if not 1 <= count <= _RLE_SEGMENTS:
        return None
    previous = _RLE_HEADER
    for index in range(count):
        at = start + 4 + 4 * index
        offset = int.from_bytes(view[at : at + 4], "little")
        if offset < previous or (index == 0 and offset != _RLE_HEADER) or start + offset > end:
            return None
        previous = offset
    return count
