"""Where each frame of an object lies, so that one is read by place alone (PS3.5 8.2, A.4)."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from scanward.dicom.pieces import Span
from scanward.dicom.structure.coding import EXTENDED_OFFSETS
from scanward.dicom.structure.findings import Findings
from scanward.dicom.structure.fragments import Range, table_of
from scanward.dicom.structure.gate import Structure
from scanward.dicom.structure.pixels import image_shape
from scanward.dicom.structure.syntaxes import Codec

_NATIVE, _FRAGMENTS = b"N", b"F"
_HEAD = struct.Struct("<cQQI")
_WIDTH = 8
_BYTE = 8
_STARTS = {Codec.JPEG: b"\xff\xd8", Codec.JPEG_LS: b"\xff\xd8", Codec.JPEG_2000: b"\xff\x4f"}


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Frames of one object; offsets count in the object's own bytes.

    bits: of a native frame, 0 for encapsulated ones; start, end: of native pixels; fragments: of encapsulated
    pixels; firsts: which fragment begins each frame.
    """

    count: int
    bits: int = 0
    start: int = 0
    end: int = 0
    fragments: tuple[Range, ...] = ()
    firsts: tuple[int, ...] = ()

    def spans(self, index: int) -> tuple[Span, ...]:
        """Return where frame `index` (from 0) lies. Raises IndexError.

        A native frame of single bits may begin inside its first byte: at bit `index * bits % 8`.
        """
        if not 0 <= index < self.count:
            raise IndexError(index)
        if self.bits:
            first, last = index * self.bits // _BYTE, ((index + 1) * self.bits + _BYTE - 1) // _BYTE
            return (Span(self.start + first, last - first),)
        last = self.firsts[index + 1] if index + 1 < self.count else len(self.fragments)
        return tuple(Span(start, stop - start) for start, stop in self.fragments[self.firsts[index] : last])

    def packed(self) -> bytes:
        """Return the table for keeping."""
        if self.bits:
            return _HEAD.pack(_NATIVE, self.start, self.bits, self.count) + struct.pack("<Q", self.end)
        numbers = array("Q", [place for one in self.fragments for place in one])
        numbers.extend(self.firsts)
        if sys.byteorder == "big":
            numbers.byteswap()
        return _HEAD.pack(_FRAGMENTS, len(self.fragments), 0, self.count) + numbers.tobytes()


def unpacked(table: bytes) -> FrameTable:
    """Return a kept table."""
    kind, first, bits, count = _HEAD.unpack_from(table)
    rest = array("Q")
    rest.frombytes(table[_HEAD.size :])
    if sys.byteorder == "big":
        rest.byteswap()
    if kind == _NATIVE:
        return FrameTable(count, bits, first, rest[0])
    places = rest[: 2 * first]
    return FrameTable(
        count,
        fragments=tuple(zip(places[::2], places[1::2], strict=True)),
        firsts=tuple(rest[2 * first :]),
    )


def packed_table(view: memoryview, structure: Structure) -> bytes:
    """Return an object's frame table for keeping, b"" where it has none."""
    table = frame_table(view, structure)
    return b"" if table is None else table.packed()


def frame_table(view: memoryview, structure: Structure) -> FrameTable | None:
    """Return where the frames lie of an object that the gate has passed.

    None without top-level pixels, in a deflated or big endian data set, whose bytes no client can use as they
    lie, and where nothing tells which fragments make which frame.
    """
    pixels, start, end = structure.pixels, structure.pixel_value, structure.pixel_end
    if pixels is None or start is None or end is None or not structure.regular:
        return None
    shape = image_shape(view, pixels, structure.attributes, structure.prologue.syntax, Findings())
    if shape is None:
        return None
    if structure.encapsulation is None:
        return FrameTable(shape.frames, shape.frame_bits, start, end)
    ranges = structure.encapsulation.ranges
    firsts = _firsts(view, ranges[0], ranges[1:], shape.frames, structure)
    return None if firsts is None else FrameTable(shape.frames, fragments=ranges[1:], firsts=tuple(firsts))


def _firsts(
    view: memoryview, table: Range, data: Sequence[Range], frames: int, structure: Structure
) -> list[int] | None:
    """Return which fragments begin a frame: by a table, by their number, or by how codestreams begin."""
    if table[0] < table[1]:
        said = table_of(view, table, data, frames)
        if said and not said[0]:
            return said
    if frames == 1 or structure.prologue.syntax.codec is Codec.VIDEO:
        return [0] * frames if frames == 1 else None
    if len(data) == frames:
        return list(range(frames))
    return _extended(view, data, frames, structure) or _by_codestream(view, data, frames, structure)


def _extended(view: memoryview, data: Sequence[Range], frames: int, structure: Structure) -> list[int] | None:
    """Return what the Extended Offset Table says (PS3.3 C.7.6.3.1.8)."""
    element = structure.attributes.get(EXTENDED_OFFSETS)
    if element is None or element.stop - element.value != _WIDTH * frames:
        return None
    said = struct.unpack(f"<{frames}Q", view[element.value : element.stop])
    where = {start - data[0][0]: index for index, (start, _) in enumerate(data)}
    found = [where.get(offset, -1) for offset in said]
    return found if found == sorted(set(found)) and not found[0] else None


def _by_codestream(
    view: memoryview, data: Sequence[Range], frames: int, structure: Structure
) -> list[int] | None:
    begin = _STARTS.get(structure.prologue.syntax.codec)
    found = [index for index, (start, _) in enumerate(data) if bytes(view[start : start + 2]) == begin]
    return found if len(found) == frames and not found[0] else None
