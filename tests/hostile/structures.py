"""Truncations, lying lengths, broken delimiters, bombs, and what text may hold."""

# ruff: noqa: E501 - a case is one line, so that the table can be read as one

from __future__ import annotations

import random
import zlib

from tests.hostile import build as b
from tests.hostile.cases import Case, accepted, rejected, warned

_ITEM = b.explicit(0x00081150, "UI", b.uid(b.CT))
_LAST = 0x7FE00001


def _cut(dataset: bytes, mark: bytes, more: int = 0) -> bytes:
    return b.part10(dataset[: dataset.index(mark) + more])


def _with(tag: int, coded: bytes) -> bytes:
    return b.part10(b.ct({tag: coded}))


def _nested(depth: int, *, defined: bool = False, vr: str = "SQ", tag: int = b.REFERENCED_TAG) -> bytes:
    if not defined:
        head = b.explicit(tag, vr, b"", b.UNDEFINED) + b.item(b"", b.UNDEFINED)
        inner = head if vr == "SQ" else b.implicit(tag, b"", b.UNDEFINED) + b.item(b"", b.UNDEFINED)
        return head + inner * (depth - 1) + (b.ITEM_END + b.SEQUENCE_END) * depth
    coded = b""
    for _ in range(depth):
        coded = b.explicit(tag, vr, b.item(coded))
    return coded


def _nested_implicit(depth: int, tag: int) -> bytes:
    coded = b""
    for _ in range(depth):
        coded = b.implicit(tag, b.item(coded))
    fields = {key: b.implicit(key, value) for key, (_, value) in b.fields().items()} | {tag: coded}
    return b.part10(b"".join(fields[key] for key in sorted(fields)), b.IMPLICIT)


def _bomb(ratio_block: bytes, blocks: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(ratio_block) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.flush()
    first = b.ct({0x00420011: b.explicit(0x00420011, "OB", b"", len(ratio_block) * blocks)}, pixels=None)
    head = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = head.compress(first) + head.flush(zlib.Z_FULL_FLUSH)
    return b.part10(start + packed * blocks + last, b.DEFLATED)


def _within_ratio() -> bytes:
    """Return a mebibyte that deflates by about 100:1."""
    return random.Random(2).randbytes(9_000) + bytes((1 << 20) - 9_000)  # noqa: S311 - reproducible noise


_SEQUENCED = b.ct({b.REFERENCED_TAG: b.sequence(b.item(_ITEM))})
_OPENED = b.ct({b.REFERENCED_TAG: b.open_sequence(b.item(_ITEM + b.ITEM_END, b.UNDEFINED))})
_PIXELS = b.tag_bytes(b.PIXELS_TAG)
TRUNCATIONS = (
    rejected("cut-in-the-first-header", "trailing-bytes", lambda: b.part10(b.ct()[:6])),
    rejected("cut-before-a-value", "length-outside", lambda: _cut(b.ct(), b.tag_bytes(b.ROWS_TAG), 8)),
    rejected("cut-in-a-value", "length-outside", lambda: _cut(b.ct(), b"Doe^", 3)),
    rejected("cut-between-elements", "pixels-missing", lambda: _cut(b.ct(), b.tag_bytes(b.ROWS_TAG))),
    rejected("cut-in-a-long-header", "header-truncated", lambda: _cut(b.ct(), _PIXELS, 9)),
    rejected("cut-before-the-pixels", "length-outside", lambda: _cut(b.ct(), _PIXELS, 12)),
    rejected("cut-in-the-pixels", "length-outside", lambda: _cut(b.ct(), _PIXELS, 40)),
    rejected("cut-before-an-item", "length-outside", lambda: _cut(_SEQUENCED, b"SQ", 8)),
    rejected("cut-in-an-item-header", "length-outside", lambda: _cut(_SEQUENCED, b"SQ", 12)),
    rejected("cut-in-an-item", "length-outside", lambda: _cut(_SEQUENCED, b"SQ", 20)),
    rejected("cut-before-an-open-item", "delimiter-missing", lambda: _cut(_OPENED, b"SQ", 8)),
    rejected("cut-in-an-open-item-header", "delimiter-missing", lambda: _cut(_OPENED, b"SQ", 12)),
    rejected("cut-in-an-open-item", "delimiter-missing", lambda: _cut(_OPENED, b.ITEM_END)),
    rejected("cut-in-an-item-delimiter", "trailing-bytes", lambda: _cut(_OPENED, b.ITEM_END, 4)),
    rejected("cut-before-a-sequence-delimiter", "delimiter-missing", lambda: _cut(_OPENED, b.SEQUENCE_END)),
)
LENGTHS = (
    rejected("length-one-past-the-end", "length-outside", lambda: _with(b.PIXELS_TAG, b.explicit(b.PIXELS_TAG, "OW", bytes(32), 34))),
    rejected("length-4-gb", "length-outside", lambda: _with(b.PIXELS_TAG, b.explicit(b.PIXELS_TAG, "OW", bytes(32), 0xFFFFFFFE))),
    rejected("length-swallows-what-follows", "length-outside", lambda: _with(b.NAME_TAG, b.explicit(b.NAME_TAG, "PN", b"Doe^Jane", 0xFFFE))),
    rejected("element-longer-than-its-item", "length-outside", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(_ITEM, 12)))),
    rejected("item-longer-than-its-sequence", "length-outside", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(_ITEM, 60)))),
    rejected("sequence-ends-inside-an-item", "length-outside", lambda: _with(b.REFERENCED_TAG, b.explicit(b.REFERENCED_TAG, "SQ", b.item(_ITEM), 20))),
    rejected("item-ends-inside-a-header", "trailing-bytes", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(_ITEM + b"\x08\0")))),
    warned("odd-length", "odd-length", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "LO", b"123"))),
    warned("odd-length-in-an-item", "odd-length", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(b.explicit(0x00081150, "UI", b"1.2"))))),
    rejected("odd-length-that-shifts", "vr-unknown", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "LO", b"1234", 3))),
    rejected("undefined-length-of-a-text", "undefined-length", lambda: _with(0x00420010, b.explicit(0x00420010, "UT", b"text" + b.SEQUENCE_END, b.UNDEFINED))),
    rejected("undefined-length-of-a-blob", "undefined-length", lambda: _with(0x00420011, b.explicit(0x00420011, "OB", b.item(b"blob") + b.SEQUENCE_END, b.UNDEFINED))),
    rejected("sequence-never-closed", "item-expected", lambda: _with(b.REFERENCED_TAG, b.open_sequence(b.item(_ITEM), end=b""))),
    rejected("item-never-closed", "delimiter-unexpected", lambda: _with(b.REFERENCED_TAG, b.open_sequence(b.item(_ITEM, b.UNDEFINED)))),
    rejected("last-sequence-never-closed", "delimiter-missing", lambda: b.part10(b.ct() + b.open_sequence(b.item(_ITEM), tag=0x7FE10010, end=b""))),
    rejected("unknown-never-closed", "delimiter-missing", lambda: b.part10(b.ct() + b.explicit(0x7FE11010, "UN", b.item(), b.UNDEFINED))),
    rejected("stray-item-delimiter", "delimiter-unexpected", lambda: b.part10(b.ct() + b.ITEM_END)),
    rejected("stray-sequence-delimiter", "delimiter-unexpected", lambda: b.part10(b.ct() + b.SEQUENCE_END)),
    rejected("stray-item", "delimiter-unexpected", lambda: b.part10(b.ct() + b.item(_ITEM))),
    rejected("delimiter-in-a-closed-sequence", "delimiter-unexpected", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(_ITEM), b.SEQUENCE_END))),
    rejected("delimiter-disguised-as-text", "delimiter-unexpected", lambda: b.part10(b.ct() + b.explicit(0xFFFEE00D, "LO", b"text"))),
    rejected("element-between-items", "item-expected", lambda: _with(b.REFERENCED_TAG, b.open_sequence(b.item(_ITEM), _ITEM))),
    warned("delimiter-with-a-length", "delimiter-length", lambda: _with(b.REFERENCED_TAG, b.open_sequence(b.item(_ITEM), end=b.SEQUENCE_END[:4] + b"\4\0\0\0"))),
    warned("reserved-bytes-used", "reserved-bytes", lambda: b.part10(b.ct().replace(b"OW\0\0", b"OWhi"))),
)  # fmt: skip
TAGS = (
    rejected("duplicate-tag", "tag-duplicate", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "LO", b"1234") + b.explicit(b.ID_TAG, "LO", b"5678"))),
    warned("repeated-tag", "tag-repeated", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "LO", b"1234") * 2)),
    rejected("duplicate-tag-in-an-item", "tag-duplicate", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(_ITEM + b.explicit(0x00081150, "UI", b"1.2\0"))))),
    rejected("unordered-tags", "tag-order", lambda: _with(b.ROWS_TAG, b.explicit(b.NAME_TAG, "PN", b"Doe^Jane"))),
    rejected("name-behind-the-pixels", "tag-order", lambda: b.part10(b.ct() + b.explicit(b.NAME_TAG, "PN", b"Doe^Jane"))),
    rejected("group-0000", "tag-illegal", lambda: b.part10(b.explicit(b.CLASS_TAG, "UI", b.uid(b.CT)) + b.explicit(0x00000002, "UI", b"1.2\0") + b.ct()[30:])),
    rejected("file-meta-in-an-item", "tag-illegal", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(b.explicit(0x00020010, "UI", b.uid(b.BIG)))))),
    rejected("group-0001", "tag-illegal", lambda: b.part10(b.explicit(0x00010010, "LO", b"creator ") + b.ct())),
    rejected("vr-unknown", "vr-unknown", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "ZZ", b"12345678"))),
    rejected("vr-lower-case", "vr-unknown", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "lo", b"12345678"))),
    rejected("vr-nulls", "vr-unknown", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "\0\0", b"12345678"))),
    accepted("vr-known-but-wrong", lambda: _with(b.ID_TAG, b.explicit(b.ID_TAG, "UT", b"12345678"))),
    accepted("unknown-vr-of-a-known-tag", lambda: _with(b.NAME_TAG, b.explicit(b.NAME_TAG, "UN", b"Doe^Jane"))),
    accepted("unknown-vr-that-only-begins-like-items", lambda: _with(b.PRIVATE_TAG, b.explicit(b.PRIVATE_TAG, "UN", b.item(b"no elements", 400) + b"\1"))),
    accepted("unknown-vr-of-a-known-sequence", lambda: _with(b.REFERENCED_TAG, b.explicit(b.REFERENCED_TAG, "UN", b.item(b.implicit(0x00081150, b"1.2\0"))))),
    warned("unknown-vr-with-explicit-items", "un-explicit", lambda: _with(b.REFERENCED_TAG, b.explicit(b.REFERENCED_TAG, "UN", b.item(_ITEM)))),
    rejected("unknown-vr-of-a-broken-sequence", "length-outside", lambda: _with(b.REFERENCED_TAG, b.explicit(b.REFERENCED_TAG, "UN", b.item(b"", 400)))),
    rejected("unknown-vr-of-a-known-sequence-without-items", "item-expected", lambda: _with(b.REFERENCED_TAG, b.explicit(b.REFERENCED_TAG, "UN", b"Doe^Jane"))),
    rejected("open-unknown-vr-with-explicit-items", "vr-encoding-differs", lambda: _with(b.REFERENCED_TAG, b.explicit(b.REFERENCED_TAG, "UN", b.item(_ITEM) + b.SEQUENCE_END, b.UNDEFINED))),
)  # fmt: skip
BOMBS = (
    accepted("nested-64-deep", lambda: _with(b.REFERENCED_TAG, _nested(64))),
    rejected("nested-65-deep", "depth-bound", lambda: _with(b.REFERENCED_TAG, _nested(65))),
    rejected("nested-10000-deep-open", "depth-bound", lambda: _with(b.REFERENCED_TAG, _nested(10_000))),
    rejected("nested-10000-deep-never-closed", "depth-bound", lambda: _with(b.REFERENCED_TAG, _nested(10_000)[:200_000])),
    rejected("nested-290-deep-closed", "depth-bound", lambda: _with(b.REFERENCED_TAG, _nested(290, defined=True))),
    rejected("nested-10000-deep-closed", "depth-bound", lambda: _with(b.REFERENCED_TAG, _nested(10_000, defined=True))),
    rejected("nested-10000-deep-unknown", "depth-bound", lambda: _with(b.PRIVATE_TAG, _nested(10_000, vr="UN", tag=b.PRIVATE_TAG))),
    rejected("nested-10000-deep-in-a-private-blob", "depth-bound", lambda: _with(b.PRIVATE_TAG, b.explicit(b.PRIVATE_TAG, "UN", b.item(_nested(10_000))))),
    rejected("nested-10000-deep-implicit-private", "depth-bound", lambda: _nested_implicit(10_000, b.PRIVATE_TAG)),
    rejected("nested-10000-deep-implicit", "depth-bound", lambda: _nested_implicit(10_000, b.REFERENCED_TAG)),
    rejected("a-million-empty-items", "item-bound", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item() * 1_000_000))),
    rejected("a-million-open-empty-items", "item-bound", lambda: _with(b.REFERENCED_TAG, b.open_sequence(b.item(b.ITEM_END, b.UNDEFINED) * 1_000_000))),
    accepted("a-hundred-thousand-empty-items", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item() * 100_000))),
    rejected("a-hundred-thousand-items-deflated", "item-bound", lambda: b.part10(b.deflate(b.ct({b.REFERENCED_TAG: b.sequence(b.item() * 100_000)})), b.DEFLATED)),
    accepted("a-million-elements", lambda: b.part10(b.ct() + b"".join(b.explicit(0x7FE30000 + (i << 1 & 0xFFFE0000) + (i & 0xFFFF), "LO") for i in range(1_000_000)))),
    warned("a-million-odd-lengths", "odd-length", lambda: b.part10(b.ct() + b"".join(b.explicit(0x7FE30000 + (i << 1 & 0xFFFE0000) + (i & 0xFFFF), "LO", b"1") for i in range(1_000_000)))),
    rejected("four-million-elements", "element-bound", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(b"".join(b.explicit(i, "LO") for i in range(0x00080000, 0x00080000 + 65_000))) * 62))),
    rejected("a-million-elements-deflated", "element-bound", lambda: b.part10(b.deflate(b.ct() + b"".join(b.explicit(0x7FE30000 + (i << 1 & 0xFFFE0000) + (i & 0xFFFF), "LO") for i in range(1_000_000))), b.DEFLATED)),
    rejected("a-million-duplicates", "tag-duplicate", lambda: _with(b.ID_TAG, (b.explicit(b.ID_TAG, "LO", b"12") + b.explicit(b.ID_TAG, "LO", b"34")) * 500_000)),
    warned("a-hundred-thousand-odd-lengths", "odd-length", lambda: _with(b.REFERENCED_TAG, b.sequence(b.item(b.explicit(0x00081150, "UI", b"1")) * 100_000))),
    rejected("deflate-bomb", "inflate-bound", lambda: _bomb(bytes(1 << 20), 2_000)),
    rejected("deflate-bomb-within-the-ratio", "inflate-bound", lambda: _bomb(_within_ratio(), 520)),
    rejected("deflate-cut", "deflate-truncated", lambda: b.part10(b.deflate(b.ct())[:-20], b.DEFLATED)),
    rejected("deflate-garbage", "deflate-broken", lambda: b.part10(b"\xff" * 100, b.DEFLATED)),
    rejected("deflate-nothing", "dataset-missing", lambda: b.part10(b.deflate(b""), b.DEFLATED)),
    rejected("deflate-followed-by-text", "trailing-bytes", lambda: b.part10(b.deflate(b.ct()) + b"Doe^Jane", b.DEFLATED)),
)  # fmt: skip


def _uid(name: str, tag: int, text: bytes, rule: str = "uid-form") -> Case:
    expected = rejected if rule == "uid-form" else warned
    return expected(name, rule, lambda: _with(tag, b.explicit(tag, "UI", b.even(text, b"\0"))))


def _name(name: str, value: bytes, charset: bytes = b"ISO_IR 100") -> Case:
    changes = {
        b.NAME_TAG: b.explicit(b.NAME_TAG, "PN", b.even(value)),
        b.CHARSET_TAG: b.explicit(b.CHARSET_TAG, "CS", b.even(charset)),
    }
    return accepted(name, lambda: b.part10(b.ct(changes)))


VALUES = (
    _uid("uid-a-path", b.STUDY_TAG, b"../../../etc/passwd"),
    _uid("uid-an-absolute-path", b.INSTANCE_TAG, b"/etc/passwd"),
    _uid("uid-with-letters", b.SERIES_TAG, b"1.2.abc"),
    _uid("uid-a-script", b.STUDY_TAG, b"<script>alert(1)</script>"),
    _uid("uid-with-a-null", b.INSTANCE_TAG, b"1.2\0003.4"),
    _uid("uid-with-a-newline", b.INSTANCE_TAG, b"1.2.3\n"),
    _uid("uid-of-two-values", b.STUDY_TAG, b"1.2.3\\1.2.4"),
    _uid("uid-of-65-characters", b.STUDY_TAG, b"1." + b"2" * 63),
    _uid("uid-of-60000-characters", b.STUDY_TAG, b"1" * 60_000),
    _uid("uid-with-other-digits", b.STUDY_TAG, b"1.2.\xb2"),
    _uid("uid-with-a-leading-zero", b.STUDY_TAG, b"1.2.03", "uid-mild"),
    _uid("uid-with-a-dot-at-its-end", b.SERIES_TAG, b"1.2.3.", "uid-mild"),
    _uid("class-a-path", b.CLASS_TAG, b"..\\..\\windows"),
    _name("name-a-script", b"<script>alert(1)</script>"),
    _name("name-with-nulls", b"Doe\0\0Jane\0^\0"),
    _name("name-with-terminal-escapes", b"\x1b]0;title\x07\x1b[2J"),
    _name("name-a-path", b"../../../../tmp/x"),
    _name("name-a-formula", b"=cmd|' /C calc'!A0"),
    _name("name-of-60000-characters", b"x" * 60_000),
    _name("name-not-utf-8", b"\xff\xfe\xfd", b"ISO_IR 192"),
    _name("name-with-broken-escapes", b"\x1b$B\x1b$)C\x1b(J", b"\\ISO 2022 IR 87\\ISO 2022 IR 149"),
    _name("charset-unknown", b"Doe^Jane\xe9", b"ISO_IR 999"),
    _name("charset-a-python-codec", b"Doe^Jane\xe9", b"hex_codec"),
    _name("charset-of-100-values", b"Doe^Jane", b"\\".join([b"ISO 2022 IR 87"] * 100)),
)  # fmt: skip
STRUCTURES: tuple[Case, ...] = TRUNCATIONS + LENGTHS + TAGS + BOMBS + VALUES
