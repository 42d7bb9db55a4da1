"""The gate's checks of pixels on the byte path: remembered for native ones, anew for encapsulated ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from scanward.deidentify.bytepath_known import Known
from scanward.deidentify.bytepath_source import Buffered, Irregular, Source
from scanward.deidentify.encapsulated import residues_of
from scanward.dicom.iods import is_image
from scanward.dicom.structure import Bounds, Encapsulation, Findings, check_pixels
from scanward.dicom.structure.coding import PIXEL_TAGS, PIXELS, UNDEFINED, Element
from scanward.dicom.structure.residue import Residue
from scanward.dicom.structure.syntaxes import TransferSyntax
from scanward.dicom.structure.walk import Fragments

_MOST = 64
_HEADER = 8
_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where pixels lie: the header's start, and the end of everything; equal where there are none.

    `view` is what encapsulated ones are read by.
    """

    start: int
    end: int
    view: memoryview | None = None
    encapsulation: Encapsulation | None = None

    def residues(self) -> tuple[Residue, ...]:
        """Return what lies beside the image. Raises Quarantined where that cannot be told."""
        return () if self.view is None else residues_of(self.view, self.encapsulation)


class Coded(Protocol):
    """An object's SOP class and transfer syntax."""

    @property
    def syntax(self) -> TransferSyntax:
        """Return the transfer syntax."""
        ...

    @property
    def sop_class_uid(self) -> str:
        """Return the SOP class."""
        ...


class PixelGate:
    """Checks pixels against the attributes by the gate's own rules; any finding is Irregular."""

    def __init__(self, bounds: Bounds) -> None:
        """Take the bound of fragments."""
        self._bounds = bounds

    def check(self, source: Source, header: bytes, start: int, known: Known, kind: Coded) -> Pixels:
        """Return where the pixels lie that begin at `start` with `header`, if any do."""
        length = known.lengths.get(header)
        if length is None:
            if start == source.size:
                if is_image(kind.sop_class_uid):
                    raise Irregular
                return Pixels(start, start)
            pixels = self._pixels(source, header, start, kind.syntax)
            if pixels.undefined:
                return self._encapsulated(source, known, pixels, kind.syntax)
            length = self._native(known, pixels, kind.syntax)
            if len(known.lengths) < _MOST:
                known.lengths[header] = length
        if start + length > source.size:
            raise Irregular
        return Pixels(start, start + length)

    def _pixels(self, source: Source, header: bytes, start: int, syntax: TransferSyntax) -> Element:
        tag = int.from_bytes(header[:2], "little") << 16 | int.from_bytes(header[2:4], "little")
        explicit = syntax.coding.explicit
        value = start + (12 if explicit else 8)
        vr = header[4:6].decode("latin-1") if explicit else "OW"
        if tag not in PIXEL_TAGS or len(header) < value - start or vr not in {"OB", "OW", "OF", "OD"}:
            raise Irregular
        length = int.from_bytes(header[value - start - 4 : value - start], "little")
        if explicit and header[6:8] != b"\0\0":
            raise Irregular
        if length == UNDEFINED:
            if tag != PIXELS or vr not in {"OB", "OW"} or not syntax.encapsulated:
                raise Irregular
            return Element(tag, vr, start, value, value, value, undefined=True)
        if length & 1 or value + length > source.size:
            raise Irregular
        return Element(tag, vr, start, value, value + length, value + length, undefined=False)

    @staticmethod
    def _native(known: Known, pixels: Element, syntax: TransferSyntax) -> int:
        """Check native pixels by length alone: whatever would make the gate read them is Irregular."""
        findings = Findings()
        check_pixels(memoryview(known.joined), pixels, known.attributes, syntax, None, findings)
        if len(findings):
            raise Irregular
        return pixels.end - pixels.start

    def _encapsulated(self, source: Source, known: Known, pixels: Element, syntax: TransferSyntax) -> Pixels:
        # The gate only slices its view; a buffer that reads at need keeps memory flat.
        # The attributes follow behind the object's own bytes.
        view, size = cast("memoryview", Buffered(source, known.joined)), source.size
        ranges, end = self._fragments(source, pixels.value)
        attributes = {
            tag: one._replace(start=one.start + size, value=one.value + size, stop=one.stop + size)
            for tag, one in known.attributes.items()
        }
        findings = Findings()
        whole = pixels._replace(stop=end - _HEADER, end=end)
        check_pixels(view, whole, attributes, syntax, Fragments(tuple(ranges)), findings)
        if len(findings):
            raise Irregular
        return Pixels(pixels.start, end, view, Encapsulation(whole, tuple(ranges), attributes, syntax))

    def _fragments(self, source: Source, position: int) -> tuple[list[tuple[int, int]], int]:
        ranges: list[tuple[int, int]] = []
        read, size, most = source.read, source.size, self._bounds.fragments
        while True:
            header = read(position, _HEADER)
            position += _HEADER
            if header[:4] != _ITEM:
                break
            length = int.from_bytes(header[4:], "little")
            if length & 1 or position + length > size or len(ranges) >= most:
                raise Irregular
            ranges.append((position, position + length))
            position += length
        if header != _END:
            raise Irregular
        return ranges, position
