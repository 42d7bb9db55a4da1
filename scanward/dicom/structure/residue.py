"""What lies in encapsulated Pixel Data beside the image: comments, Exif, bytes behind a frame's end.

No de-identification of attributes reaches it, and no viewer shows it. It is found by walking each frame's
markers; nothing is decoded. What cannot be walked is not passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from scanward.dicom.pieces import Piece, Span
from scanward.dicom.structure.coding import Element
from scanward.dicom.structure.findings import Findings
from scanward.dicom.structure.fragments import FrameBytes, Range, Steps, Unread, table_of
from scanward.dicom.structure.pixels import ImageShape, image_shape
from scanward.dicom.structure.residue_jpeg import jpeg, jpeg_ls
from scanward.dicom.structure.residue_jpeg_2000 import jpeg_2000
from scanward.dicom.structure.residue_rle import rle
from scanward.dicom.structure.syntaxes import Codec, TransferSyntax
from scanward.dicom.structure.trail import any_but_zeros

_STEPS = 1 << 20
_STEPS_OF_FRAME = 64
_MOST_RESIDUES = 1 << 18
_LENGTH = 4
_ZEROS = bytes(64 << 10)


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """Encapsulated Pixel Data that passed the gate: ranges of the offset table and of the fragments.

    `attributes` are the notable top-level elements, all places in the view that the gate was given.
    """

    pixels: Element
    ranges: tuple[Range, ...]
    attributes: Mapping[int, Element]
    syntax: TransferSyntax


@dataclass(frozen=True, slots=True)
class Residue:
    """A range of the object that holds no image; written as `new`, or as zeros where that is None."""

    start: int
    stop: int
    new: bytes | None = None


def residues(view: memoryview, image: Encapsulation) -> tuple[Residue, ...]:
    """Return what is not image, in order. Raises Unread where that cannot be told."""
    shape = image_shape(view, image.pixels, image.attributes, image.syntax, Findings())
    if shape is None:
        raise Unread
    table, data = image.ranges[0], image.ranges[1:]
    starts, found = _frame_starts(view, table, data, shape.frames)
    beside = _of_frames(view, image.syntax.codec, data, starts, shape)
    delimiter_length = image.pixels.end - _LENGTH, image.pixels.end
    for start, stop in chain(beside, [delimiter_length]):
        if any_but_zeros(view, start, stop):
            found.append(Residue(start, stop))
            if len(found) > _MOST_RESIDUES:
                raise Unread
    return tuple(found)


def without(span: Span, found: Sequence[Residue]) -> list[Piece]:
    """Return a span of the source in pieces, residues overwritten."""
    pieces: list[Piece] = []
    at = span.offset
    for residue in found:
        if at < residue.start:
            pieces.append(Span(at, residue.start - at))
        pieces += _zeros(residue.stop - residue.start) if residue.new is None else [residue.new]
        at = residue.stop
    end = span.offset + span.length
    return [*pieces, Span(at, end - at)] if at < end else pieces


def _zeros(length: int) -> list[Piece]:
    """Return zeros as references to one buffer, so that however many of them take no memory."""
    return [*[_ZEROS] * (length // len(_ZEROS)), _ZEROS[: length % len(_ZEROS)]]


def _frame_starts(
    view: memoryview, table: Range, data: Sequence[Range], frames: int
) -> tuple[list[int], list[Residue]]:
    """Return which fragments begin a frame; a table that says something else goes, which PS3.5 A.4 allows."""
    found: list[Residue] = []
    if table[0] < table[1]:
        starts = table_of(view, table, data, frames)
        if starts and not starts[0]:
            return starts, found
        found.append(Residue(table[0] - _LENGTH, table[1], bytes(_LENGTH)))
    if frames == 1:
        return [0], found
    if len(data) != frames:
        raise Unread
    return list(range(frames)), found


def _of_frames(
    view: memoryview, codec: Codec, data: Sequence[Range], starts: Sequence[int], shape: ImageShape
) -> Iterator[Range]:
    """Yield the ranges of all frames that hold no image."""
    reader = _READERS.get(codec)
    if reader is None:
        raise Unread
    steps = Steps(_STEPS + _STEPS_OF_FRAME * len(starts))
    for index, first in enumerate(starts):
        last = starts[index + 1] if index + 1 < len(starts) else len(data)
        frame = FrameBytes(view, data[first:last])
        for start, stop in reader(frame, shape, steps):
            yield from frame.places(start, stop)


def _raw(frame: FrameBytes, shape: ImageShape, _: Steps) -> Iterator[Range]:
    """Yield what follows an uncompressed frame (PS3.5 A.4.11)."""
    yield (shape.frame_bits + 7) // 8, frame.length


_Reader = Callable[[FrameBytes, ImageShape, Steps], Iterator[Range]]
_READERS: Mapping[Codec, _Reader] = {
    Codec.RAW: _raw,
    Codec.JPEG: jpeg,
    Codec.JPEG_LS: jpeg_ls,
    Codec.JPEG_2000: jpeg_2000,
    Codec.RLE: rle,
}
