"""Pixels that are not what the attributes say, and what follows them."""

# ruff: noqa: E501 - a case is one line, so that the table can be read as one

from __future__ import annotations

import struct

from tests.hostile import build as b
from tests.hostile.cases import Case, accepted, rejected, warned


def _image(changes: dict[int, bytes | None], pixels: bytes = bytes(32)) -> bytes:
    return b.part10(b.ct(changes, pixels=pixels))


def _words(**numbers: int) -> dict[int, bytes | None]:
    tags = {
        "rows": b.ROWS_TAG,
        "columns": b.COLUMNS_TAG,
        "samples": b.SAMPLES_TAG,
        "allocated": b.ALLOCATED_TAG,
        "stored": b.STORED_TAG,
    }
    return {tags[name]: b.explicit(tags[name], "US", b.word(number)) for name, number in numbers.items()}


def _frames(text: bytes) -> dict[int, bytes | None]:
    return {b.FRAMES_TAG: b.explicit(b.FRAMES_TAG, "IS", b.even(text))}


def _photometric(text: bytes) -> dict[int, bytes | None]:
    return {b.PHOTOMETRIC_TAG: b.explicit(b.PHOTOMETRIC_TAG, "CS", b.even(text))}


def _compressed(syntax: str, *fragments: bytes, table: bytes = b"", frames: bytes = b"") -> bytes:
    changes: dict[int, bytes | None] = {b.PIXELS_TAG: b.encapsulated(*fragments, table=table)}
    return b.part10(b.ct(changes | (_frames(frames) if frames else {})), syntax)


def _cut_compressed(mark: bytes, more: int) -> bytes:
    whole = _compressed(b.JPEG, b.jpeg())
    return whole[: whole.rindex(mark) + more]


NATIVE = (
    rejected("image-without-pixels", "pixels-missing", lambda: b.part10(b.ct(pixels=None))),
    rejected("image-with-empty-pixels", "pixel-length", lambda: _image({}, b"")),
    rejected("65535-x-65535-x-9999-declared", "pixel-length", lambda: _image(_words(rows=65535, columns=65535) | _frames(b"9999"))),
    rejected("pixels-too-short", "pixel-length", lambda: _image({}, bytes(30))),
    rejected("pixels-followed-by-text", "pixel-length", lambda: _image({}, bytes(32) + b"Doe^Jane")),
    warned("pixels-padded", "pixel-padding", lambda: _image({}, bytes(48))),
    rejected("rows-zero", "pixel-attributes", lambda: _image(_words(rows=0))),
    rejected("rows-missing", "pixel-attributes", lambda: _image({b.ROWS_TAG: None})),
    rejected("rows-as-a-uid", "pixel-attributes", lambda: _image({b.ROWS_TAG: b.explicit(b.ROWS_TAG, "UI", b.word(4))})),
    accepted("rows-of-unknown-vr", lambda: _image({b.ROWS_TAG: b.explicit(b.ROWS_TAG, "UN", b.word(4))})),
    rejected("bits-zero", "pixel-attributes", lambda: _image(_words(allocated=0))),
    rejected("bits-of-one-byte", "pixel-attributes", lambda: _image({b.ALLOCATED_TAG: b.explicit(b.ALLOCATED_TAG, "US", b"\x10")})),
    rejected("frames-negative", "pixel-attributes", lambda: _image(_frames(b"-1"))),
    rejected("frames-a-word", "pixel-attributes", lambda: _image(_frames(b"many"))),
    rejected("frames-of-40-digits", "pixel-attributes", lambda: _image(_frames(b"9" * 40))),
    rejected("frames-zero", "pixel-attributes", lambda: _image(_frames(b"0"))),
    accepted("one-bit-pixels", lambda: _image(_words(allocated=1, stored=1, rows=3, columns=3), bytes(2))),
    accepted("subsampled-pixels", lambda: _image(_words(samples=3, allocated=8, stored=8) | _photometric(b"YBR_FULL_422"))),
    accepted("float-pixels", lambda: _image({b.PIXELS_TAG: b.explicit(0x7FE00008, "OF", bytes(64))})),
    rejected("float-pixels-and-others", "pixels-twice", lambda: _image({0x7FE00008: b.explicit(0x7FE00008, "OF", bytes(64))})),
    accepted("pixels-in-an-icon", lambda: _image({0x00880200: b.sequence(b.item(b.explicit(b.PIXELS_TAG, "OW", bytes(8))), tag=0x00880200)})),
)  # fmt: skip
ENCAPSULATED = (
    accepted("sound-jpeg", lambda: _compressed(b.JPEG, b.jpeg())),
    accepted("sound-jpeg-ls", lambda: _compressed(b.JPEG_LS, b.jpeg(marker=0xF7))),
    accepted("sound-jpeg-2000", lambda: _compressed(b.JPEG_2000, b.jpeg_2000())),
    accepted("sound-jpeg-2000-in-boxes", lambda: _compressed(b.JPEG_2000, b.boxed(b.jpeg_2000()))),
    accepted("sound-jpeg-xl", lambda: _compressed(b.JPEG_XL, b"\xff\x0a" + bytes(20))),
    rejected("jpeg-xl-that-is-text", "codestream-header", lambda: _compressed(b.JPEG_XL, b"Doe^Jane")),
    accepted("sound-encapsulated-uncompressed", lambda: _compressed(b.RAW, bytes(32), bytes(32), frames=b"2")),
    rejected("encapsulated-uncompressed-too-short", "codestream-size", lambda: _compressed(b.RAW, bytes(30))),
    accepted("video-of-100-frames-in-one-fragment", lambda: _compressed(b.VIDEO, bytes(200), frames=b"100")),
    rejected("video-without-a-fragment", "fragments-missing", lambda: _compressed(b.VIDEO, frames=b"100")),
    accepted("sound-rle", lambda: _compressed(b.RLE, b.rle())),
    accepted("two-frames-with-a-table", lambda: _compressed(b.JPEG, b.jpeg(), b.jpeg(), table=struct.pack("<2I", 0, 8 + len(b.jpeg())), frames=b"2")),
    accepted("one-frame-in-three-fragments", lambda: _compressed(b.JPEG, b.jpeg(), b"\0\0", b"\0\0")),
    rejected("fragments-under-a-native-syntax", "pixels-encapsulated", lambda: _compressed(b.EXPLICIT, b.jpeg())),
    rejected("native-under-jpeg", "pixels-native", lambda: b.part10(b.ct(), b.JPEG)),
    rejected("fragments-never-closed", "delimiter-missing", lambda: _cut_compressed(b.SEQUENCE_END, 0)),
    rejected("cut-in-the-fragments-delimiter", "delimiter-missing", lambda: _cut_compressed(b.SEQUENCE_END, 4)),
    rejected("cut-in-a-fragment", "length-outside", lambda: _cut_compressed(b"\xff\xd9", 0)),
    rejected("cut-in-a-fragment-header", "delimiter-missing", lambda: _cut_compressed(b"\xff\xd8", -2)),
    rejected("cut-before-the-offset-table", "delimiter-missing", lambda: _cut_compressed(b"OB", 8)),
    rejected("element-between-fragments", "item-expected", lambda: _image({b.PIXELS_TAG: b.explicit(b.PIXELS_TAG, "OB", b.item() + b.explicit(0x7FE10010, "LO"), b.UNDEFINED)}).replace(b.meta(), b.meta(b.JPEG))),
    rejected("fragment-longer-than-the-file", "length-outside", lambda: _image({b.PIXELS_TAG: b.explicit(b.PIXELS_TAG, "OB", b.item() + b.item(b.jpeg(), 0xFFFFFFFE), b.UNDEFINED)}).replace(b.meta(), b.meta(b.JPEG))),
    rejected("no-offset-table", "fragments-missing", lambda: _image({b.PIXELS_TAG: b.explicit(b.PIXELS_TAG, "OB", b.SEQUENCE_END, b.UNDEFINED)}).replace(b.meta(), b.meta(b.JPEG))),
    rejected("no-fragment", "fragments-missing", lambda: _compressed(b.JPEG)),
    rejected("fewer-fragments-than-frames", "fragments-missing", lambda: _compressed(b.JPEG, b.jpeg(), frames=b"9999")),
    rejected("a-million-fragments", "fragment-bound", lambda: _compressed(b.JPEG, *[b""] * 1_000_001)),
    warned("fragment-of-odd-length", "odd-length", lambda: _compressed(b.JPEG, b.jpeg() + b"\0")),
    warned("offset-table-past-the-end", "offset-table", lambda: _compressed(b.JPEG, b.jpeg(), table=b"\xff\xff\xff\x7f")),
    warned("offset-table-of-odd-size", "offset-table", lambda: _compressed(b.JPEG, b.jpeg(), table=b"\0\0")),
    warned("offset-table-of-too-many", "offset-table", lambda: _compressed(b.JPEG, b.jpeg(), table=bytes(4_000))),
)  # fmt: skip
CODESTREAMS = (
    rejected("jpeg-that-is-text", "codestream-header", lambda: _compressed(b.JPEG, b"Doe^Jane")),
    rejected("jpeg-without-a-frame", "codestream-header", lambda: _compressed(b.JPEG, b"\xff\xd8\xff\xd9")),
    rejected("jpeg-of-fill-bytes", "codestream-header", lambda: _compressed(b.JPEG, b"\xff\xd8" + b"\xff" * 1_000_000)),
    rejected("jpeg-of-restart-markers", "codestream-header", lambda: _compressed(b.JPEG, b"\xff\xd8" + b"\xff\xd0" * 500_000)),
    rejected("jpeg-of-empty-segments", "codestream-header", lambda: _compressed(b.JPEG, b"\xff\xd8" + b"\xff\xe0\0\0" * 250_000)),
    rejected("jpeg-cut-in-its-frame", "codestream-header", lambda: _compressed(b.JPEG, b.jpeg()[:8])),
    rejected("jpeg-of-another-size", "codestream-size", lambda: _compressed(b.JPEG, b.jpeg(rows=65535, columns=65535))),
    warned("jpeg-of-another-precision", "codestream-differs", lambda: _compressed(b.JPEG, b.jpeg(precision=8))),
    warned("jpeg-in-colour", "codestream-differs", lambda: _compressed(b.JPEG, b.jpeg(components=3))),
    rejected("jpeg-ls-under-jpeg", "codestream-header", lambda: _compressed(b.JPEG, b.jpeg(marker=0xF7))),
    rejected("jpeg-2000-under-jpeg", "codestream-header", lambda: _compressed(b.JPEG, b.jpeg_2000())),
    rejected("jpeg-2000-of-another-size", "codestream-size", lambda: _compressed(b.JPEG_2000, b.jpeg_2000(rows=60_000))),
    rejected("jpeg-2000-without-size", "codestream-header", lambda: _compressed(b.JPEG_2000, b"\xff\x4f\xff\xd9")),
    rejected("jpeg-2000-of-empty-boxes", "codestream-header", lambda: _compressed(b.JPEG_2000, b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08free" * 10_000)),
    rejected("rle-of-16-segments", "codestream-header", lambda: _compressed(b.RLE, b.rle(15)[:0] + b"\x10\0\0\0" + bytes(60))),
    rejected("rle-of-too-few-segments", "codestream-size", lambda: _compressed(b.RLE, b.rle(1))),
    rejected("rle-offset-past-the-end", "codestream-header", lambda: _compressed(b.RLE, b.rle(2, offset=60_000))),
    rejected("rle-without-a-header", "codestream-header", lambda: _compressed(b.RLE, b"\xf1\0")),
)  # fmt: skip
TRAILING = (
    warned("zeros-behind-the-last-element", "trailing-zeros", lambda: b.part10(b.ct() + bytes(1000))),
    warned("four-zeros-behind-the-last-element", "trailing-zeros", lambda: b.part10(b.ct() + bytes(4))),
    accepted("trailing-padding", lambda: b.part10(b.ct() + b.explicit(0xFFFCFFFC, "OB", bytes(100)))),
    rejected("text-behind-the-last-element", "vr-unknown", lambda: b.part10(b.ct() + b"Patient: Jane Doe, born 1970")),
    rejected("an-object-behind-the-object", "tag-illegal", lambda: b.part10(b.ct()) * 2),
    rejected("zip-behind-the-object", "vr-unknown", lambda: b.part10(b.ct() + b"PK\x03\x04" + bytes(40))),
)  # fmt: skip
IMAGES: tuple[Case, ...] = NATIVE + ENCAPSULATED + CODESTREAMS + TRAILING
