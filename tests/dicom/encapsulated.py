"""Compressed frames made byte by byte, and objects that hold them in fragments."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from pydicom.uid import UID

from tests.deidentify.objects import ct, part10

JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_XL = "1.2.840.10008.1.2.4.110"
RLE = "1.2.840.10008.1.2.5"
RAW = "1.2.840.10008.1.2.1.98"
NEEDLE = b"Mustermann^Erika MRN778899 19330417 "
ROWS = COLUMNS = 8
_PIXELS = struct.pack("<HH", 0x7FE0, 0x10)
_SYNTAX = "1.2.840.10008.1.2.1"


def encapsulated(
    syntax: str,
    fragments: Sequence[bytes],
    *,
    table: bytes = b"",
    frames: int = 1,
    behind: bytes = b"",
    delimiter_length: int = 0,
) -> bytes:
    """Return a CT of 8 by 8 pixels of 8 bits whose Pixel Data are these fragments."""
    dataset = ct()
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = bytes(ROWS * COLUMNS * frames)
    if frames > 1:
        dataset.NumberOfFrames = frames
    file = part10(dataset, _SYNTAX)
    head = _renamed(file[: file.rindex(_PIXELS)], syntax)
    items = b"".join(item(one + b"\0" * (len(one) & 1)) for one in (table, *fragments))
    delimiter = struct.pack("<HHI", 0xFFFE, 0xE0DD, delimiter_length)
    return head + _PIXELS + b"OB\0\0\xff\xff\xff\xff" + items + delimiter + behind


def _renamed(head: bytes, syntax: str) -> bytes:
    """Give a file another transfer syntax."""
    old, new = (
        struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid) + (len(uid) & 1))
        + uid.encode()
        + b"\0" * (len(uid) & 1)
        for uid in (_SYNTAX, UID(syntax))
    )
    assert head.count(old) == 1
    length = struct.unpack_from("<I", head, 140)[0] + len(new) - len(old)
    return head[:140] + struct.pack("<I", length) + head[144:].replace(old, new)


def item(value: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def jpeg(extra: bytes = b"", tail: bytes = b"", start_of_frame: int = 0xC0, scan: bytes = bytes(20)) -> bytes:
    frame = segment(start_of_frame, struct.pack(">BHHB", 8, ROWS, COLUMNS, 1) + b"\1\x11\0")
    return b"\xff\xd8" + extra + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + scan + b"\xff\xd9" + tail


def jpeg_2000(
    extra: bytes = b"",
    tail: bytes = b"",
    in_tile: bytes = b"",
    packets: bytes = bytes(10),
    *,
    sized: bool = True,
) -> bytes:
    size = struct.pack(">HIIIIIIIIH", 0, COLUMNS, ROWS, 0, 0, COLUMNS, ROWS, 0, 0, 1) + bytes([7, 1, 1])
    body = in_tile + b"\xff\x93" + packets
    part = segment(0x90, struct.pack(">HIBB", 0, 12 + len(body) if sized else 0, 0, 1)) + body
    return b"\xff\x4f" + segment(0x51, size) + extra + part + b"\xff\xd9" + tail


def comment(text: bytes = NEEDLE) -> bytes:
    """Return a JPEG 2000 comment."""
    return segment(0x64, b"\0\1" + text)


def rle(slack: bytes = bytes(56), tail: bytes = b"", runs: bytes = b"\xc1\7") -> bytes:
    """Return a frame of one segment: one run of 64 bytes."""
    return struct.pack("<2I", 1, 64) + slack + runs + tail
