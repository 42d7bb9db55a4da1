"""Whole objects in another transfer syntax, written frame by frame to a file (PS3.5 A.1, A.2, A.4)."""

from __future__ import annotations

import io
import struct
import warnings
from array import array
from typing import BinaryIO, Final

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from scanward.deliver.pixels import Pixels, Viewed
from scanward.deliver.transcode import HTJ2K, JPEG_2000, RLE, TARGETS, Frames
from scanward.dicom.structure import Structure, check
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.errors import NotFound
from scanward.ports.decoder import Image, Undecodable
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

_ELEMENT: Final = struct.Struct("<HH2sHI")
_ITEM: Final = struct.Struct("<HHI")
_UNDEFINED: Final = 0xFFFFFFFF
_MOST: Final = 0xFFFFFFFE
_BYTE: Final = 8
_CHUNK: Final = 1 << 20
_WORDS: Final = {"OW": "H", "OF": "I", "OL": "I", "OD": "Q", "OV": "Q"}
_WIDTHS: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_TABLES: Final = (0x7FE00001, 0x7FE00002, 0x7FE00003)


def transcoded(frames: Frames, zone: Zone, entry: Entry, target: str, sink: BinaryIO) -> str:
    """Write an object in another transfer syntax and return it: without pixels Explicit VR Little Endian.

    No sample changes, so that the object keeps its UID. What stands behind the pixels is left out. Raises
    Undecodable.
    """
    if target not in TARGETS:
        raise Undecodable("Objects are given as they are stored, decoded, or compressed without loss.")
    try:
        pixels: Pixels | None = frames.pixels(zone, entry)
    except NotFound:
        pixels = None
    with frames.objects.open(zone, entry.key) as opened:
        structure = check(opened.view)
        header = _header(opened.view)
        if pixels is None:
            if structure.pixels is not None:
                raise Undecodable("Nothing tells where the object's frames are.")
            _write_header(header, EXPLICIT_LITTLE_ENDIAN, sink)
            return EXPLICIT_LITTLE_ENDIAN
        _describe(header, pixels, target)
        _write_header(header, target, sink)
        if target == EXPLICIT_LITTLE_ENDIAN and pixels.is_native:
            _copy(structure.dataset_view(opened.view), structure, pixels, sink)
            return target
    if target == EXPLICIT_LITTLE_ENDIAN:
        _decode(frames, zone, entry, pixels, sink)
    else:
        _encapsulate(frames, zone, entry, pixels, target, sink)
    return target


def _header(view: memoryview) -> FileDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = dcmread(Viewed(view), stop_before_pixels=True, force=True)
    for tag in _TABLES:
        header.pop(tag, None)
    _check_nested(header)
    if header.original_encoding[1] is False:
        _swap(header)
    return header


def _check_nested(header: Dataset) -> None:
    """Refuse an icon in fragments: only a data set that is compressed may hold it. Raises Undecodable."""
    nested = (item for element in header if element.VR == "SQ" for item in element.value)
    for item in nested:
        if "PixelData" in item and item["PixelData"].is_undefined_length:
            raise Undecodable("The object holds a compressed picture inside a sequence.")
        _check_nested(item)


def _swap(header: Dataset) -> None:
    """Turn words that pydicom keeps as bytes into little endian ones (PS3.5 7.3)."""
    for element in header:
        if element.VR == "SQ":
            for item in element.value:
                _swap(item)
        elif element.VR in _WORDS and isinstance(element.value, bytes):
            words = array(_WORDS[element.VR], element.value)
            words.byteswap()
            element.value = words.tobytes()


def _describe(header: Dataset, pixels: Pixels, target: str) -> None:
    """Say of the samples what they are in the target (PS3.5 8.2)."""
    image = pixels.image
    if image.samples == 1 or (pixels.is_native and target == EXPLICIT_LITTLE_ENDIAN):
        return
    header.PhotometricInterpretation = _colours(image, target)
    if target not in {EXPLICIT_LITTLE_ENDIAN, RLE}:
        header.PlanarConfiguration = 0


def _colours(image: Image, target: str) -> str:
    if image.is_subsampled:
        return "YBR_FULL"
    plain = "RGB" if image.photometric in {"YBR_RCT", "YBR_ICT"} else image.photometric
    return "YBR_RCT" if plain == "RGB" and target in {JPEG_2000, HTJ2K} else plain


def _write_header(header: FileDataset, target: str, sink: BinaryIO) -> None:
    header.file_meta.TransferSyntaxUID = UID(target)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A data set of fragments needs its pixels here, which are written behind it; both are explicit alike.
        dcmwrite(buffer, header, implicit_vr=False, little_endian=True)
    sink.write(buffer.getbuffer())


def _copy(body: memoryview, structure: Structure, pixels: Pixels, sink: BinaryIO) -> None:
    """Write native pixels as they are, in little endian."""
    start, end, element = pixels.table.start, pixels.table.end, structure.pixels
    if element is None:
        return
    vr = {0x7FE00008: b"OF", 0x7FE00009: b"OD"}.get(element.tag, _vr(pixels.image))
    _begin(element.tag, vr, end - start, sink)
    for at in range(start, end, _CHUNK):
        chunk = bytes(body[at : min(at + _CHUNK, end)])
        if pixels.swapped > 1:
            words = array(_WIDTHS[pixels.swapped], chunk + b"\0" * (-len(chunk) % pixels.swapped))
            words.byteswap()
            chunk = words.tobytes()[: len(chunk)]
        sink.write(chunk)
    sink.write(b"\0" * (end - start & 1))


def _vr(image: Image) -> bytes:
    return b"OW" if image.allocated > _BYTE else b"OB"


def _begin(tag: int, vr: bytes, length: int, sink: BinaryIO) -> None:
    if length > _MOST:
        raise Undecodable("The object is too large for that transfer syntax: its pixels have 4 GiB or more.")
    sink.write(_ELEMENT.pack(tag >> 16, tag & 0xFFFF, vr, 0, length + (length & 1)))


def _decode(frames: Frames, zone: Zone, entry: Entry, pixels: Pixels, sink: BinaryIO) -> None:
    image, count = pixels.image, pixels.table.count
    size = image.rows * image.columns * image.samples * image.allocated
    if size % _BYTE and count > 1:
        raise Undecodable("Frames of single bits that share bytes are given one by one.")
    length = (size + 7) // _BYTE * count
    _begin(0x7FE00010, _vr(image), length, sink)
    sink.writelines(frames.made(zone, entry, index, EXPLICIT_LITTLE_ENDIAN) for index in range(count))
    sink.write(b"\0" * (length & 1))


def _encapsulate(
    frames: Frames, zone: Zone, entry: Entry, pixels: Pixels, target: str, sink: BinaryIO
) -> None:
    """Write one fragment a frame, and the table of where they begin (PS3.5 A.4)."""
    count = pixels.table.count
    sink.write(_ELEMENT.pack(0x7FE0, 0x0010, b"OB", 0, _UNDEFINED))
    sink.write(_ITEM.pack(0xFFFE, 0xE000, 4 * count))
    table = sink.tell()
    sink.write(bytes(4 * count))
    begin, offsets = sink.tell(), array("I")
    for index in range(count):
        if sink.tell() - begin > _MOST:
            raise Undecodable("The object is too large for a table of offsets: ask for its frames.")
        offsets.append(sink.tell() - begin)
        frame = frames.made(zone, entry, index, target)
        sink.write(_ITEM.pack(0xFFFE, 0xE000, len(frame) + (len(frame) & 1)))
        sink.write(frame + b"\0" * (len(frame) & 1))
    sink.write(_ITEM.pack(0xFFFE, 0xE0DD, 0))
    sink.seek(table)
    sink.write(struct.pack(f"<{count}I", *offsets))
    sink.seek(0, io.SEEK_END)
