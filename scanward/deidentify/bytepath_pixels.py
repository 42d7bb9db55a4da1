"""The gate's checks of pixels on the byte path: remembered for native ones, each header read for encapsulated ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from scanward.deidentify.bytepath_source import Irregular, Source, Window, Buffered
from scanward.deidentify.bytepath_walk import Walked
from scanward.dicom.iods import is_image
from scanward.dicom.structure import Bounds, Findings, check_pixels
from scanward.dicom.structure.coding import KINDS, PIXEL_TAGS, PIXELS, UNDEFINED, Element
from scanward.dicom.structure.syntaxes import TransferSyntax
from scanward.dicom.structure.walk import Fragments

_MOST = 4096
_HEADER = 8
_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where pixels lie: the header's start, and the end of everything; equal where there are none."""

    start: int
    end: int


class PixelGate:
    """Checks pixels against the attributes by the gate's own rules; any finding is Irregular."""

    def __init__(self, bounds: Bounds) -> None:
        """Begin with nothing remembered."""
        self._bounds = bounds
        self._sound: dict[tuple[str, bytes, tuple[bytes, ...]], int] = {}

    def check(
        self, source: Source, window: Window, walked: Walked, syntax: TransferSyntax, sop_class_uid: str
    ) -> Pixels:
        """Return where the pixels lie that begin where the walk stopped."""
        start = walked.end
        if start == source.size:
            if is_image(sop_class_uid):
                raise Irregular
            return Pixels(start, start)
        header = window[start : start + 12]
        key = (syntax.uid, bytes(header), tuple(walked.shape))
        length = self._sound.get(key, -1)
        if length < 0:
            pixels = self._pixels(source, bytes(header), start, syntax)
            if pixels.undefined:
                return self._encapsulated(source, walked, pixels, syntax)
            length = self._native(walked, pixels, syntax)
            if len(self._sound) >= _MOST:
                self._sound.clear()
            self._sound[key] = length
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

    def _native(self, walked: Walked, pixels: Element, syntax: TransferSyntax) -> int:
        """Check native pixels by length alone: whatever would make the gate read them is Irregular."""
        attributes, at = {}, 0
        for (tag, start, stop), raw in zip(walked.shapes, walked.shape, strict=True):
            header = _header(raw, syntax)
            end = at + stop - start
            attributes[tag] = Element(tag, "", at, at + header, end, end, undefined=False)
            at += len(raw)
        findings = Findings()
        check_pixels(memoryview(b"".join(walked.shape)), pixels, attributes, syntax, None, findings)
        if len(findings):
            raise Irregular
        return pixels.end - pixels.start

    def _encapsulated(
        self, source: Source, walked: Walked, pixels: Element, syntax: TransferSyntax
    ) -> Pixels:
        # The gate's functions slice their view and nothing else; a buffer that reads at need keeps memory flat.
        view = cast(memoryview, Buffered(source))
        ranges, end = self._fragments(source, pixels.value)
        attributes = {
            tag: Element(tag, "", start, start + _header(raw, syntax), stop, stop, undefined=False)
            for (tag, start, stop), raw in zip(walked.shapes, walked.shape, strict=True)
        }
        findings = Findings()
        whole = pixels._replace(stop=end - _HEADER, end=end)
        check_pixels(view, whole, attributes, syntax, Fragments(tuple(ranges)), findings)
        if len(findings):
            raise Irregular
        return Pixels(pixels.start, end)

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


def _header(raw: bytes, syntax: TransferSyntax) -> int:
    """Return the length of an element's header."""
    return 12 if syntax.coding.explicit and KINDS[raw[4:6]] else _HEADER
