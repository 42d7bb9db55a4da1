"""Whether pixels are what the attributes say: native length, fragments, offset table, codestream headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scanward.dicom.structure.codestream import (
    CODECS_WITH_HEADER,
    Frame,
    is_jpeg_xl,
    read_header,
    rle_segments,
)
from scanward.dicom.structure.coding import (
    BITS_ALLOCATED,
    BITS_STORED,
    COLUMNS,
    DOUBLE_PIXELS,
    EXTENDED_LENGTHS,
    EXTENDED_OFFSETS,
    FLOAT_PIXELS,
    NUMBER_OF_FRAMES,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_REPRESENTATION,
    ROWS,
    SAMPLES_PER_PIXEL,
    Element,
    tag_text,
)
from scanward.dicom.structure.findings import Findings
from scanward.dicom.structure.fragments import table_of
from scanward.dicom.structure.syntaxes import Codec, TransferSyntax
from scanward.dicom.structure.trail import Fragments, any_but_zeros

_FRAMES = 1 << 31
_SUBSAMPLED = frozenset({b"YBR_FULL_422", b"YBR_PARTIAL_422"})
_NEEDED = "Rows, Columns, Samples per Pixel and Bits Allocated"
_PATH = "(7FE0,0010)"
_EXTENDED_WIDTH = 8
_SHAPE = {
    SAMPLES_PER_PIXEL: "US",
    PHOTOMETRIC_INTERPRETATION: "CS",
    NUMBER_OF_FRAMES: "IS",
    ROWS: "US",
    COLUMNS: "US",
    BITS_ALLOCATED: "US",
    BITS_STORED: "US",
    PIXEL_REPRESENTATION: "US",
}


@dataclass(frozen=True, slots=True)
class ImageShape:
    """The attributes that pixels must agree with (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits: int
    stored: int
    signed: bool
    subsampled: bool

    @property
    def frame_bits(self) -> int:
        """Return the bits of one native frame."""
        samples = 2 if self.subsampled and self.samples == 3 else self.samples  # noqa: PLR2004 - PS3.3 C.7.6.3.1.2
        return self.rows * self.columns * samples * self.bits


def check_pixels(
    view: memoryview,
    pixels: Element,
    attributes: Mapping[int, Element],
    syntax: TransferSyntax,
    fragments: Fragments | None,
    findings: Findings,
) -> None:
    """Hold top-level pixels against the attributes; faults go into `findings`.

    `attributes` are the notable top-level elements by tag; `fragments` is given for encapsulated pixels.
    """
    _check_vrs(attributes, findings)
    shape = image_shape(view, pixels, attributes, syntax, findings)
    if shape is None:
        return
    if fragments is None:
        _check_native(view, pixels, shape, syntax, findings)
    else:
        _check_fragments(view, fragments, attributes, shape, syntax, findings)


def _check_vrs(attributes: Mapping[int, Element], findings: Findings) -> None:
    """Refuse an attribute of another VR: who writes the object anew could not keep its number.

    UN is what an archive makes of what it does not know; an empty VR is not told by the caller.
    """
    for tag, vr in _SHAPE.items():
        element = attributes.get(tag)
        if element is not None and element.vr not in {vr, "UN", ""}:
            findings.add("pixel-attributes", element.start, tag_text(tag), what=f"{tag_text(tag)} of VR {vr}")


def image_shape(
    view: memoryview,
    pixels: Element,
    attributes: Mapping[int, Element],
    syntax: TransferSyntax,
    findings: Findings,
) -> ImageShape | None:
    """Return what the attributes say of the image, None if they do not say enough; faults as above."""
    order: Literal["little", "big"] = "little" if syntax.coding.little_endian else "big"

    def number(tag: int, default: int) -> int:
        element = attributes.get(tag)
        if element is None or element.stop - element.value < 2:  # noqa: PLR2004 - the width of US
            return default
        return int.from_bytes(view[element.value : element.value + 2], order)

    bits = {FLOAT_PIXELS: 32, DOUBLE_PIXELS: 64}.get(pixels.tag) or number(BITS_ALLOCATED, 0)
    shape = ImageShape(
        rows=number(ROWS, 0),
        columns=number(COLUMNS, 0),
        samples=number(SAMPLES_PER_PIXEL, 1),
        frames=_frames(view, attributes, findings),
        bits=bits,
        stored=number(BITS_STORED, bits),
        signed=bool(number(PIXEL_REPRESENTATION, 0)),
        subsampled=_is_subsampled(view, attributes),
    )
    if shape.rows and shape.columns and shape.samples and shape.bits:
        return shape
    findings.add("pixel-attributes", pixels.start, tag_text(pixels.tag), what=_NEEDED)
    return None


def _frames(view: memoryview, attributes: Mapping[int, Element], findings: Findings) -> int:
    element = attributes.get(NUMBER_OF_FRAMES)
    text = (
        b""
        if element is None
        else bytes(view[element.value : min(element.stop, element.value + 16)]).strip(b"\0 ")
    )
    if not text or element is None:
        return 1
    digits = text.removeprefix(b"+")
    if digits.isdigit() and 0 < int(digits) < _FRAMES:
        return int(digits)
    findings.add("pixel-attributes", element.start, "(0028,0008)", what="a positive Number of Frames")
    return 1


def _is_subsampled(view: memoryview, attributes: Mapping[int, Element]) -> bool:
    element = attributes.get(PHOTOMETRIC_INTERPRETATION)
    return (
        element is not None and bytes(view[element.value : element.stop][:16]).rstrip(b"\0 ") in _SUBSAMPLED
    )


def _check_native(
    view: memoryview, pixels: Element, shape: ImageShape, syntax: TransferSyntax, findings: Findings
) -> None:
    path = tag_text(pixels.tag)
    if syntax.encapsulated:
        findings.add("pixels-native", pixels.start, path)
        return
    length = pixels.stop - pixels.value
    expected = (shape.frame_bits * shape.frames + 7) // 8
    if length in {expected, expected + (expected & 1)}:
        return
    if expected < length and not any_but_zeros(view, pixels.value + expected, pixels.stop):
        findings.add("pixel-padding", pixels.start, path, more=length - expected)
        return
    findings.add("pixel-length", pixels.start, path, found=length, expected=expected)


def _check_fragments(
    view: memoryview,
    fragments: Fragments,
    attributes: Mapping[int, Element],
    shape: ImageShape,
    syntax: TransferSyntax,
    findings: Findings,
) -> None:
    data = fragments.ranges[1:]
    if not data or (syntax.codec is not Codec.VIDEO and len(data) < shape.frames):
        findings.add("fragments-missing", None, _PATH, found=len(data), frames=shape.frames)
    if not data:
        return
    starts = _frame_starts(view, fragments.ranges[0], data, shape.frames, findings)
    _check_extended_table(attributes, shape.frames, findings)
    for index in starts:
        _check_frame(view, data[index], shape, syntax.codec, findings)


def _frame_starts(
    view: memoryview,
    table: tuple[int, int],
    data: tuple[tuple[int, int], ...],
    frames: int,
    findings: Findings,
) -> list[int]:
    """Return the indices of the fragments that begin a frame, as far as that can be known."""
    starts = list(range(frames)) if len(data) == frames else [0]
    start, end = table
    if start == end:
        return starts
    said = table_of(view, table, data, frames)
    if said is None:
        findings.add("offset-table", start, _PATH)
    return starts if said is None else said


def _check_extended_table(attributes: Mapping[int, Element], frames: int, findings: Findings) -> None:
    for tag in (EXTENDED_OFFSETS, EXTENDED_LENGTHS):
        element = attributes.get(tag)
        if element is not None and element.stop - element.value != _EXTENDED_WIDTH * frames:
            findings.add("offset-table", element.start, tag_text(tag))


def _check_frame(
    view: memoryview, fragment: tuple[int, int], shape: ImageShape, codec: Codec, findings: Findings
) -> None:
    start, end = fragment
    if codec is Codec.RLE:
        _check_rle(view, fragment, shape, findings)
    elif codec is Codec.RAW:
        _check_raw(fragment, shape, findings)
    elif codec is Codec.JPEG_XL and not is_jpeg_xl(view, start):
        findings.add("codestream-header", start, _PATH, codec=codec.value)
    elif codec in CODECS_WITH_HEADER:
        frame = read_header(view, start, end, codec)
        if frame is None:
            findings.add("codestream-header", start, _PATH, codec=codec.value)
        else:
            _compare(frame, shape, start, findings)


def _check_raw(fragment: tuple[int, int], shape: ImageShape, findings: Findings) -> None:
    """Check a frame of Encapsulated Uncompressed: one fragment, padded to even length (PS3.5 A.4.11)."""
    expected = (shape.frame_bits + 7) // 8
    found = fragment[1] - fragment[0]
    if found != expected + (expected & 1):
        findings.add("codestream-size", fragment[0], _PATH, found=f"{found} bytes", expected=expected)


def _compare(frame: Frame, shape: ImageShape, start: int, findings: Findings) -> None:
    # A JPEG may leave its height to a later marker (DNL): its rows are then 0.
    if frame.columns != shape.columns or frame.rows not in {0, shape.rows}:
        found, expected = f"{frame.rows} x {frame.columns}", f"{shape.rows} x {shape.columns}"
        findings.add("codestream-size", start, _PATH, found=found, expected=expected)
    checks = (
        ("components", frame.components != shape.samples),
        ("precision", not shape.stored <= frame.precision <= shape.bits),
        ("sign", frame.signed is not None and frame.signed != shape.signed),
    )
    differs = [name for name, wrong in checks if wrong]
    if differs:
        findings.add("codestream-differs", start, _PATH, what=", ".join(differs))


def _check_rle(view: memoryview, fragment: tuple[int, int], shape: ImageShape, findings: Findings) -> None:
    segments = rle_segments(view, *fragment)
    expected = shape.samples * ((shape.bits + 7) // 8)
    if segments is None:
        findings.add("codestream-header", fragment[0], _PATH, codec="RLE")
    elif segments != expected:
        findings.add("codestream-size", fragment[0], _PATH, found=f"{segments} segments", expected=expected)
