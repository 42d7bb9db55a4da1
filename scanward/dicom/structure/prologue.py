"""What stands before the data set: preamble, file meta and the coding that they promise (PS3.10 7.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scanward.dicom.ranged import unpack_at
from scanward.dicom.structure.bounds import DEFAULT, Bounds
from scanward.dicom.structure.coding import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    HEADER,
    ILLEGAL,
    IMPLICIT_LITTLE,
    KINDS,
    Coding,
    Element,
    Kind,
    tag_text,
)
from scanward.dicom.structure.findings import Findings, refuse
from scanward.dicom.structure.syntaxes import (
    EXPLICIT_BIG_ENDIAN,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    SYNTAXES,
    UNSUPPORTED,
    TransferSyntax,
)
from scanward.errors import Fault, InvalidDicom

PREAMBLE = 132
META_GROUP_LENGTH = 0x00020000
META_CLASS = 0x00020002
META_INSTANCE = 0x00020003
META_SYNTAX = 0x00020010
_META_ELEMENTS = 256
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_FIRST_GROUPS = frozenset({0x0002, 0x0004, 0x0008})
_LOW_GROUP = 0xFF
_NOT_DICOM = "neither `DICM` at byte 128 nor a bare data set"
_LOOKS_LIKE = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip file"),
)


@dataclass(frozen=True, slots=True)
class Prologue:
    """What the bytes before the data set say; `meta` by tag. Offsets count from the file's first byte."""

    has_preamble: bool
    dataset_offset: int
    syntax: TransferSyntax
    meta: Mapping[int, Element]
    warnings: tuple[Fault, ...]

    def text(self, view: memoryview, tag: int) -> str:
        """Return a meta element's value without its padding, "" if it has none."""
        element = self.meta.get(tag)
        return "" if element is None else _text(view, element)


def prologue(view: memoryview, bounds: Bounds = DEFAULT) -> Prologue:
    """Read preamble and file meta. Raises InvalidDicom if the data set's coding cannot be known for sure.

    A file without preamble is taken only if its first element is one of group 0002, 0004 or 0008 in a coding
    that the following walk then proves to the last byte.
    """
    if not len(view):
        raise refuse("empty", 0)
    if len(view) > bounds.object_bytes:
        raise refuse("object-too-large", bound=bounds.object_bytes)
    findings = Findings()
    has_preamble = bytes(view[128:PREAMBLE]) == b"DICM"
    if not has_preamble:
        _check_bare(view, findings)
    meta, offset = _meta(view, PREAMBLE if has_preamble else 0, findings)
    findings.raise_rejected()
    if offset == len(view):
        raise refuse("dataset-missing", offset)
    syntax = _syntax(view, meta, offset, findings)
    return Prologue(has_preamble, offset, syntax, meta, findings.warnings)


def peek(head: bytes) -> tuple[str, str]:
    """Return SOP class and instance UID of an object that may be refused, "" for what cannot be read."""
    view, found = memoryview(head), dict[int, str]()
    position = PREAMBLE if head[128:PREAMBLE] == b"DICM" else 0
    try:
        while head[position : position + 2] == b"\x02\x00":
            element = _meta_element(view, position)
            text = _text(view, element)
            found[element.tag] = text if _UID.fullmatch(text) else ""
            position = element.end
    except InvalidDicom:
        pass  # What stands before the break was read.
    return found.get(META_CLASS, ""), found.get(META_INSTANCE, "")


def guess(view: memoryview, offset: int) -> Coding | None:
    """Return the coding that the first element's header shows, None if it shows none.

    The first group of a data set is below 0100, so the byte order shows in it; a VR shows by its two letters.
    """
    first = bytes(view[offset : offset + HEADER])
    if len(first) < HEADER or bool(first[0]) == bool(first[1]):
        return None
    explicit = first[4:6] in KINDS
    if first[0]:
        return EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
    return EXPLICIT_BIG if explicit else None


def _check_bare(view: memoryview, findings: Findings) -> None:
    coding = guess(view, 0)
    group = int.from_bytes(view[:2], "little" if coding is None or coding.little_endian else "big")
    if coding is None or group not in _FIRST_GROUPS:
        head = bytes(view[:4])
        kind = next((kind for magic, kind in _LOOKS_LIKE if head.startswith(magic)), "")
        raise refuse("not-dicom", 0, why=f"it looks like {kind}" if kind else _NOT_DICOM)
    findings.add("preamble-missing", 0)


def _meta(view: memoryview, start: int, findings: Findings) -> tuple[dict[int, Element], int]:
    """Read group 0002, always Explicit VR Little Endian."""
    meta: dict[int, Element] = {}
    position, previous = start, -1
    while bytes(view[position : position + 2]) == b"\x02\x00":
        element = _meta_element(view, position)
        path = tag_text(element.tag)
        if element.tag <= previous:
            findings.add("meta-order", position, path, tag=path)
        if len(meta) >= _META_ELEMENTS:
            raise refuse("element-bound", position, bound=_META_ELEMENTS)
        if (element.stop - element.value) & 1:
            findings.add("odd-length", position, path, what="A value")
        meta[element.tag] = element
        previous, position = element.tag, element.end
    if meta and not _group_length_is_right(view, meta, position):
        findings.add("meta-group-length", start, tag_text(META_GROUP_LENGTH))
    return meta, position


def _meta_element(view: memoryview, position: int) -> Element:
    end = len(view)
    if position + HEADER > end:
        raise refuse("meta-truncated", position)
    group, number, vr, length = unpack_at(EXPLICIT_LITTLE.explicit_header, view, position)
    tag = group << 16 | number
    kind = KINDS.get(vr, ILLEGAL)
    if kind in (ILLEGAL, Kind.SEQUENCE):
        raise refuse("meta-vr", position, tag=tag_text(tag))
    value = position + HEADER
    if kind:
        if value + 4 > end:
            raise refuse("meta-truncated", position)
        length = int.from_bytes(view[value : value + 4], "little")
        value += 4
    stop = value + length
    if stop > end:
        raise refuse(
            "length-outside", position, tag_text(tag), what="An element", length=length, left=end - value
        )
    return Element(tag, vr.decode("ascii"), position, value, stop, stop, undefined=False)


def _group_length_is_right(view: memoryview, meta: Mapping[int, Element], end: int) -> bool:
    element = meta.get(META_GROUP_LENGTH)
    if element is None:
        return False
    return int.from_bytes(view[element.value : element.stop][:4], "little") == end - element.end


def _syntax(view: memoryview, meta: Mapping[int, Element], offset: int, findings: Findings) -> TransferSyntax:
    element = meta.get(META_SYNTAX)
    said = "" if element is None else _text(view, element)
    if element is None or not said:
        return _guessed_syntax(view, offset, findings)
    syntax = SYNTAXES.get(said)
    if syntax is None and said in UNSUPPORTED:
        raise refuse(
            "transfer-syntax-unsupported", element.start, tag_text(META_SYNTAX), why=UNSUPPORTED[said]
        )
    if syntax is None:
        raise refuse("transfer-syntax-unknown", element.start, tag_text(META_SYNTAX))
    if not syntax.deflated:
        check_promise(view, offset, syntax.coding)
    return syntax


def check_promise(view: memoryview, offset: int, coding: Coding) -> None:
    """Hold the declared coding against the first element: a wrongly declared byte order must never pass."""
    if not _begins_in_order(view, offset, coding):
        raise refuse("byte-order-differs", offset)
    explicit = bytes(view[offset + 4 : offset + 6]) in KINDS
    if explicit != coding.explicit:
        found, declared = ("explicit", "implicit") if explicit else ("implicit or broken", "explicit")
        raise refuse("vr-encoding-differs", offset, found=found, declared=declared)


def _begins_in_order(view: memoryview, offset: int, coding: Coding) -> bool:
    """Tell whether the first group can be one of the declared byte order.

    It is 0008 in all composite objects, and below 0100 in all that hold an identity; a private one is odd.
    """
    group = int.from_bytes(view[offset : offset + 2], "little" if coding.little_endian else "big")
    swapped = (group & _LOW_GROUP) << 8 | group >> 8
    return group <= _LOW_GROUP or (bool(group & 1) and swapped > _LOW_GROUP)


def _guessed_syntax(view: memoryview, offset: int, findings: Findings) -> TransferSyntax:
    coding = guess(view, offset)
    if coding is None:
        raise refuse("transfer-syntax-missing", offset)
    findings.add("transfer-syntax-guessed", offset)
    if not coding.little_endian:
        return SYNTAXES[EXPLICIT_BIG_ENDIAN]
    return SYNTAXES[EXPLICIT_LITTLE_ENDIAN if coding.explicit else IMPLICIT_LITTLE_ENDIAN]


def _text(view: memoryview, element: Element) -> str:
    return bytes(view[element.value : element.stop]).decode("latin-1").rstrip("\0 ")
