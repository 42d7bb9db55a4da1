"""Elements to bytes in any of the three codings of PS3.5 7.1; values come in as bytes of that coding."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from scanward.deidentify.charset import pad
from scanward.deidentify.markers import Marker

UNDEFINED = 0xFFFFFFFF

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT_MOST = 0xFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes in one coding."""

    explicit: bool
    little_endian: bool

    def element(self, tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
        """Return header and value; a text too long for its VR's length field becomes UN (PS3.5 6.2.2)."""
        length = len(value) if length is None else length
        if not self.explicit:
            return self._tag(tag) + self._pack("I", length) + value
        if vr in _LONG:
            return self._tag(tag) + vr.encode() + self._pack("HI", 0, length) + value
        if length > _SHORT_MOST:
            return self.element(tag, "UN", value, length)
        return self._tag(tag) + vr.encode() + self._pack("H", length) + value

    def sequence(self, tag: int, items: Sequence[tuple[bytes, bool]], *, undefined: bool) -> bytes:
        """Return a sequence of items (content, of undefined length).

        Lengths are as they were, undefined or not.
        """
        content = b"".join(self._item(item, undefined=open_ended) for item, open_ended in items)
        if not undefined:
            return self.element(tag, "SQ", content)
        return self.element(tag, "SQ", content, UNDEFINED) + self._bare(_SEQUENCE_END, 0)

    def _item(self, content: bytes, *, undefined: bool) -> bytes:
        if undefined:
            return self._bare(_ITEM, UNDEFINED) + content + self._bare(_ITEM_END, 0)
        return self._bare(_ITEM, len(content)) + content

    def _bare(self, tag: int, length: int) -> bytes:
        return self._tag(tag) + self._pack("I", length)

    def _tag(self, tag: int) -> bytes:
        return self._pack("HH", tag >> 16, tag & 0xFFFF)

    def _pack(self, form: str, *numbers: int) -> bytes:
        return struct.pack(("<" if self.little_endian else ">") + form, *numbers)


def marker_elements(writer: Writer, markers: Sequence[Marker]) -> list[tuple[int, bytes]]:
    """Return marker elements in bytes, each with its tag; sequences and items of defined length."""
    return [(marker.tag, _marker(writer, marker)) for marker in markers]


def _marker(writer: Writer, marker: Marker) -> bytes:
    if marker.vr == "SQ":
        items = [(b"".join(_marker(writer, one) for one in item), False) for item in marker.items]
        return writer.sequence(marker.tag, items, undefined=False)
    return writer.element(marker.tag, marker.vr, pad("\\".join(marker.values).encode("ascii"), marker.vr))
