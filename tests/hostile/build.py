"""Makes DICOM bytes by hand, well formed or not, without a library's help."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

UNDEFINED = 0xFFFFFFFF
LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_XL = "1.2.840.10008.1.2.4.110"
RAW = "1.2.840.10008.1.2.1.98"
VIDEO = "1.2.840.10008.1.2.4.102"
RLE = "1.2.840.10008.1.2.5"
CT = "1.2.840.10008.5.1.4.1.1.2"
REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
INSTANCE = "1.2.826.0.1.3680043.8.498.1.1"

CLASS_TAG, INSTANCE_TAG, STUDY_TAG, SERIES_TAG = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
NAME_TAG, ID_TAG, CHARSET_TAG = 0x00100010, 0x00100020, 0x00080005
SAMPLES_TAG, PHOTOMETRIC_TAG, FRAMES_TAG = 0x00280002, 0x00280004, 0x00280008
ROWS_TAG, COLUMNS_TAG, ALLOCATED_TAG, STORED_TAG, SIGN_TAG = (
    0x00280010,
    0x00280011,
    0x00280100,
    0x00280101,
    0x00280103,
)
REFERENCED_TAG, PRIVATE_TAG, PIXELS_TAG = 0x00081140, 0x00091010, 0x7FE00010

ITEM_END = bytes.fromhex("feff0de000000000")
SEQUENCE_END = bytes.fromhex("feffdde000000000")


def even(value: bytes, pad: bytes = b" ") -> bytes:
    """Pad to even length."""
    return value + pad if len(value) & 1 else value


def tag_bytes(tag: int, order: str = "<") -> bytes:
    """Return a tag's four bytes."""
    return struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)


def explicit(tag: int, vr: str, value: bytes = b"", length: int | None = None, order: str = "<") -> bytes:
    """Return an element in explicit VR; `length` may lie."""
    said = len(value) if length is None else length
    if vr in LONG:
        return tag_bytes(tag, order) + vr.encode() + b"\0\0" + struct.pack(order + "I", said) + value
    return tag_bytes(tag, order) + vr.encode() + struct.pack(order + "H", said) + value


def implicit(tag: int, value: bytes = b"", length: int | None = None) -> bytes:
    """Return an element in implicit VR; `length` may lie."""
    return tag_bytes(tag) + struct.pack("<I", len(value) if length is None else length) + value


def item(content: bytes = b"", length: int | None = None) -> bytes:
    """Return an item; `length` may lie."""
    return bytes.fromhex("feff00e0") + struct.pack("<I", len(content) if length is None else length) + content


def uid(text: str) -> bytes:
    """Return a UID's value."""
    return even(text.encode("latin-1"), b"\0")


def word(number: int, order: str = "<") -> bytes:
    """Return an US."""
    return struct.pack(order + "H", number)


def meta(syntax: str = EXPLICIT, sop_class: str = CT, instance: str = INSTANCE, extra: bytes = b"") -> bytes:
    """Return a file meta group."""
    rest = explicit(0x00020001, "OB", b"\0\1") + explicit(0x00020002, "UI", uid(sop_class))
    rest += explicit(0x00020003, "UI", uid(instance))
    rest += (explicit(0x00020010, "UI", uid(syntax)) if syntax else b"") + extra
    return explicit(0x00020000, "UL", struct.pack("<I", len(rest))) + rest


def part10(
    dataset: bytes, syntax: str = EXPLICIT, *, head: bytes | None = None, preamble: bytes = b"\0" * 128
) -> bytes:
    """Return a file."""
    return preamble + b"DICM" + (meta(syntax) if head is None else head) + dataset


def fields(order: str = "<", pixels: bytes | None = b"\0" * 32) -> dict[int, tuple[str, bytes]]:
    """Return the elements of a sound CT of 4 x 4 pixels, 16 bits."""
    made = {
        CLASS_TAG: ("UI", uid(CT)),
        INSTANCE_TAG: ("UI", uid(INSTANCE)),
        0x00080060: ("CS", b"CT"),
        NAME_TAG: ("PN", b"Doe^Jane"),
        ID_TAG: ("LO", b"12345678"),
        STUDY_TAG: ("UI", uid(INSTANCE + ".2")),
        SERIES_TAG: ("UI", uid(INSTANCE + ".3")),
        SAMPLES_TAG: ("US", word(1, order)),
        PHOTOMETRIC_TAG: ("CS", b"MONOCHROME2 "),
        ROWS_TAG: ("US", word(4, order)),
        COLUMNS_TAG: ("US", word(4, order)),
        ALLOCATED_TAG: ("US", word(16, order)),
        STORED_TAG: ("US", word(12, order)),
        SIGN_TAG: ("US", word(0, order)),
    }
    if pixels is not None:
        made[PIXELS_TAG] = ("OW", pixels)
    return made


def elements(
    changes: Mapping[int, bytes | None] | None = None, *, pixels: bytes | None = b"\0" * 32
) -> dict[int, bytes]:
    """Return a sound CT as coded elements; `changes` replaces, adds or (None) removes some."""
    made = {tag: explicit(tag, vr, value) for tag, (vr, value) in fields(pixels=pixels).items()}
    for tag, coded in (changes or {}).items():
        if coded is None:
            made.pop(tag, None)
        else:
            made[tag] = coded
    return made


def ct(changes: Mapping[int, bytes | None] | None = None, *, pixels: bytes | None = b"\0" * 32) -> bytes:
    """Return the data set of a CT, changed."""
    made = elements(changes, pixels=pixels)
    return b"".join(made[tag] for tag in sorted(made))


def ct_implicit() -> bytes:
    """Return the same in implicit VR."""
    return b"".join(implicit(tag, value) for tag, (_, value) in fields().items())


def ct_big() -> bytes:
    """Return the same in big endian."""
    return b"".join(explicit(tag, vr, value, order=">") for tag, (vr, value) in fields(">").items())


def deflate(dataset: bytes) -> bytes:
    """Return a deflated data set."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return even(packer.compress(dataset) + packer.flush(), b"\0")


def sequence(*items: bytes, tag: int = REFERENCED_TAG) -> bytes:
    """Return a sequence of defined length."""
    return explicit(tag, "SQ", b"".join(items))


def open_sequence(*items: bytes, tag: int = REFERENCED_TAG, end: bytes = SEQUENCE_END) -> bytes:
    """Return a sequence of undefined length."""
    return explicit(tag, "SQ", b"".join(items) + end, UNDEFINED)


def encapsulated(*fragments: bytes, table: bytes = b"", end: bytes = SEQUENCE_END) -> bytes:
    """Return encapsulated pixels."""
    coded = item(table) + b"".join(item(fragment) for fragment in fragments)
    return explicit(PIXELS_TAG, "OB", coded + end, UNDEFINED)


def jpeg(
    rows: int = 4, columns: int = 4, precision: int = 12, marker: int = 0xC1, components: int = 1
) -> bytes:
    """Return a JPEG's header without a picture; 0xF7 makes it JPEG-LS."""
    frame = struct.pack(">BHHB", precision, rows, columns, components) + b"\1\x11\0" * components
    return even(
        b"\xff\xd8\xff" + bytes([marker]) + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9", b"\0"
    )


def jpeg_2000(rows: int = 4, columns: int = 4, precision: int = 12) -> bytes:
    """Return a JPEG 2000 main header."""
    size = struct.pack(">HIIIIIIII", 0, columns, rows, 0, 0, columns, rows, 0, 0) + struct.pack(
        ">HBBB", 1, precision - 1, 1, 1
    )
    return even(b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + b"\xff\xd9", b"\0")


def boxed(codestream: bytes) -> bytes:
    """Return a codestream in JP2 boxes, as some writers leave it."""
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x0aftypjp"
    return even(boxes + struct.pack(">I", len(codestream) + 8) + b"jp2c" + codestream, b"\0")


def rle(segments: int = 2, offset: int = 64) -> bytes:
    """Return an RLE frame of 4 x 4 zeros a segment."""
    offsets = [offset + 2 * index for index in range(segments)]
    return struct.pack("<16I", segments, *offsets, *[0] * (15 - segments)) + b"\xf1\0" * segments
