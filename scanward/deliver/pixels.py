"""Where frames lie and what their samples mean, in every transfer syntax (PS3.5 8, PS3.3 C.7.6.3)."""

from __future__ import annotations

import io
import warnings
from array import array
from dataclasses import dataclass
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset

from scanward.dicom.frames import FrameTable, unpacked
from scanward.dicom.structure import check
from scanward.dicom.structure.findings import Findings
from scanward.dicom.structure.pixels import image_shape
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN, SYNTAXES, Codec
from scanward.errors import NotFound
from scanward.ports.decoder import Image, Undecodable

_WORD: Final = {2: "H", 4: "I", 8: "Q"}
_BYTE: Final = 8
_HEADER: Final = [
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "PlanarConfiguration",
]


@dataclass(frozen=True, slots=True)
class Pixels:
    """The pixels of one object. swapped: bytes that change places to be little endian, 1 for none.

    syntax: what its frames are coded in; in_place: whether the offsets count in the object's own bytes.
    """

    table: FrameTable
    image: Image
    syntax: str
    swapped: int = 1
    in_place: bool = True

    @property
    def codec(self) -> Codec:
        """Return how frames are coded."""
        return SYNTAXES[self.syntax].codec

    @property
    def is_native(self) -> bool:
        """Return whether frames are bare samples."""
        return self.codec is Codec.NATIVE


def pixels_of(view: memoryview, syntax: str, frames: bytes) -> Pixels:
    """Return an object's pixels. frames: its kept table, b"" if it has none. Raises NotFound."""
    header = header_of(view, _HEADER)
    if frames:
        table = unpacked(frames)
        coded = SYNTAXES[syntax].codec is not Codec.NATIVE
        return Pixels(table, _image(header), syntax if coded else EXPLICIT_LITTLE_ENDIAN)
    return _irregular(view, header)


def _irregular(view: memoryview, header: Dataset) -> Pixels:
    """Find the frames of a deflated or big endian object, whose table is not kept."""
    structure = check(view)
    pixels, start, end = structure.pixels, structure.pixel_value, structure.pixel_end
    if structure.regular or pixels is None or start is None or end is None:
        raise NotFound("The object has no frames that could be given one by one.")
    body = structure.dataset_view(view)
    shape = image_shape(body, pixels, structure.attributes, structure.prologue.syntax, Findings())
    if shape is None:
        raise NotFound("The object does not say of what size its frames are.")
    wide = max(shape.bits // _BYTE, 1)
    # Bytes of an OW lie in swapped words even where a sample is a single byte (PS3.5 7.3).
    unit = max(wide, 2) if pixels.vr == "OW" else wide
    return Pixels(
        FrameTable(shape.frames, shape.frame_bits, start, end),
        _image(header),
        EXPLICIT_LITTLE_ENDIAN,
        swapped=1 if structure.little_endian else unit,
        in_place=not structure.deflated,
    )


def frame_of(view: memoryview, pixels: Pixels, index: int) -> bytes:
    """Return one frame, counted from 0; native ones little endian, from their own first bit."""
    body = view if pixels.in_place else check(view).dataset_view(view)
    table = pixels.table
    if table.bits and (pixels.swapped > 1 or table.bits % _BYTE):
        return _native(body, pixels, index)
    return b"".join(bytes(body[one.offset : one.offset + one.length]) for one in table.spans(index))


def _native(body: memoryview, pixels: Pixels, index: int) -> bytes:
    """Return a native frame that is to be turned: into little endian, or to begin with its own bit."""
    (span,) = pixels.table.spans(index)
    unit, start = pixels.swapped, pixels.table.start
    first = (span.offset - start) // unit * unit
    last = -(-(span.offset + span.length - start) // unit) * unit
    raw = bytes(body[start + first : start + last])
    if unit > 1:
        words = array(_WORD[unit], raw + b"\0" * (-len(raw) % unit))
        words.byteswap()
        raw = words.tobytes()
    begin = span.offset - start - first
    raw = raw[begin : begin + span.length]
    shift = index * pixels.table.bits % _BYTE
    if not shift and not pixels.table.bits % _BYTE:
        return raw
    # Bits are counted from the least of each byte (PS3.5 8.1.1), as in one little endian number.
    number = int.from_bytes(raw, "little") >> shift & (1 << pixels.table.bits) - 1
    return number.to_bytes((pixels.table.bits + 7) // _BYTE, "little")


def header_of(view: memoryview, keywords: list[str]) -> Dataset:
    """Return some attributes of an object that the gate has passed, without its pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(
            Viewed(view),
            stop_before_pixels=True,
            force=True,
            specific_tags=list(keywords),
        )


class Viewed:
    """A map as a file for pydicom: nothing but what is read is copied."""

    name = ""

    def __init__(self, view: memoryview) -> None:
        """Begin at the first byte."""
        self._view = view
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, which is returned."""
        self._at = offset + (0, self._at, len(self._view))[whence]
        return self._at

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Return so many bytes, or all that are left."""
        chunk = bytes(self._view[self._at : self._at + size if size >= 0 else None])
        self._at += len(chunk)
        return chunk


def _image(header: Dataset) -> Image:
    allocated = _number(header, "BitsAllocated", 8)
    return Image(
        rows=_number(header, "Rows", 0),
        columns=_number(header, "Columns", 0),
        samples=_number(header, "SamplesPerPixel", 1),
        allocated=allocated,
        stored=min(_number(header, "BitsStored", allocated), allocated) or allocated,
        signed=bool(_number(header, "PixelRepresentation", 0)),
        photometric=str(header.get("PhotometricInterpretation") or "").strip(),
        planar=_number(header, "PlanarConfiguration", 0),
        # Only integers have a representation to name (PS3.3 C.7.6.24, C.7.6.25).
        floating=allocated in {32, 64} and "PixelRepresentation" not in header,
    )


def _number(header: Dataset, keyword: str, default: int) -> int:
    value = header.get(keyword)
    return value if isinstance(value, int) else default


def check_given(pixels: Pixels) -> None:
    """Raise Undecodable for what no codec here opens: films."""
    if pixels.codec is Codec.VIDEO:
        raise Undecodable("A film is given as it is stored only.")
