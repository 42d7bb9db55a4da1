"""DICOM JSON with bulk data parts, written as Part 10 (PS3.18 8.6.1.2, F.2; PS3.10 7.1).

The header is made in memory, within a bound; pixels are copied from their part. Nothing is fetched: a
BulkDataURI is only the name of a part of the same body.
"""

from __future__ import annotations

import json
import warnings
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID

from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN, SYNTAXES
from scanward.errors import BadInput, TooLarge

Model = dict[str, Any]
Write = Callable[[bytes], None]

MODEL_BYTES: Final = 8 << 20
_OBJECTS: Final = 10_000
_DEPTH: Final = 200
_INLINE_BYTES: Final = 32 << 20
_CHUNK: Final = 1 << 18
_PIXELS, _SYNTAX, _UTF8 = "7FE00010", "00020010", "ISO_IR 192"
_PIXEL_TAG: Final = 0x7FE00010
_UNDEFINED: Final = b"\xff\xff\xff\xff"
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_OF_KIND: Final = {
    "image/jpeg": "1.2.840.10008.1.2.4.50",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jphc": "1.2.840.10008.1.2.4.201",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
}
"""Transfer syntax of a part that names none, by its media type (PS3.18 Table 8.7.3-5)."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """One bulk data part, on the disk."""

    path: Path
    size: int
    kind: str
    transfer_syntax: str


def models(text: bytes) -> list[Model]:
    """Read the root part: one object or an array of them (PS3.18 F.2.1). Raises BadInput or TooLarge."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput("the first part is no JSON") from None
    listed = found if isinstance(found, list) else [found]
    if len(listed) > _OBJECTS:
        raise TooLarge(f"the body describes more than {_OBJECTS} objects; send it in several requests")
    if not listed or not all(isinstance(one, dict) for one in listed):
        raise BadInput("the first part is no array of DICOM JSON objects")
    return listed


def uid_of(model: Model, tag: str) -> str:
    """Return a UID of an object, "" if it has none that is text."""
    element = model.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else ""


def write_object(model: Model, parts: Mapping[str, Bulk], write: Write) -> None:
    """Write one object as Part 10. Raises BadInput; whatever pydicom raises besides is to be caught."""
    _check_depth(model)
    pixels = model.get(_PIXELS)
    bulk = _bulk_of(pixels, parts)
    syntax = _syntax_of(model, bulk)
    described = {
        tag: element for tag, element in model.items() if tag != _PIXELS and not tag.startswith("0002")
    }
    left = [_INLINE_BYTES]
    with warnings.catch_warnings():
        # pydicom's warnings quote values.
        warnings.simplefilter("ignore")
        dataset = Dataset.from_json(
            described, bulk_data_uri_handler=lambda uri: _read(_named(parts, uri), left)
        )
        dataset.SpecificCharacterSet = _UTF8
        write(_head(dataset, syntax))
        if isinstance(pixels, dict):
            for chunk in _pixels(pixels, bulk, dataset, syntax):
                write(chunk)
        write(_encoded(dataset[_PIXEL_TAG + 1 :]))


def _head(dataset: Dataset, syntax: str) -> bytes:
    """Return preamble, file meta and all that stands before the pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(dataset.SOPClassUID)
    meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
    meta.TransferSyntaxUID = UID(syntax)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_file_meta_info(buffer, meta, enforce_standard=True)
    return bytes(128) + b"DICM" + buffer.getvalue() + _encoded(dataset[:_PIXEL_TAG])


def _encoded(dataset: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def _pixels(element: Model, bulk: Bulk | None, dataset: Dataset, syntax: str) -> Iterator[bytes]:
    """Yield Pixel Data: native, or as the only fragment of the only frame (PS3.5 A.4)."""
    inline = b"" if bulk else b64decode(str(element.get("InlineBinary", "")), validate=True)
    size = bulk.size if bulk else len(inline)
    pad = size & 1
    if SYNTAXES[syntax].encapsulated:
        if int(dataset.get("NumberOfFrames") or 1) != 1:
            raise BadInput("compressed pixels of several frames cannot be told apart in one part")
        yield b"\xe0\x7f\x10\x00OB\0\0" + _UNDEFINED + _ITEM + bytes(4)
        yield _ITEM + _length(size + pad)
    else:
        vr = b"OB" if element.get("vr") == "OB" else b"OW"
        yield b"\xe0\x7f\x10\x00" + vr + b"\0\0" + _length(size + pad)
    yield from _chunks(bulk.path) if bulk else [inline]
    yield bytes(pad) + (_DELIMITER if SYNTAXES[syntax].encapsulated else b"")


def _length(size: int) -> bytes:
    if size >= 0xFFFFFFFF:  # noqa: PLR2004 - what a length of 32 bits cannot say
        raise TooLarge("pixels of 4 GiB and more cannot be told in an element")
    return size.to_bytes(4, "little")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _syntax_of(model: Model, pixels: Bulk | None) -> str:
    """Return the transfer syntax: what the object says, or its pixels' part, or its media type."""
    said = uid_of(model, _SYNTAX) or (pixels.transfer_syntax if pixels else "")
    syntax = said or (_OF_KIND.get(pixels.kind, "") if pixels else "") or EXPLICIT_LITTLE_ENDIAN
    known = SYNTAXES.get(syntax)
    if known is None or known.deflated or not (known.encapsulated or syntax == EXPLICIT_LITTLE_ENDIAN):
        raise BadInput(
            "an object of DICOM JSON is taken in Explicit VR Little Endian or with compressed pixels"
        )
    return syntax


def _bulk_of(element: object, parts: Mapping[str, Bulk]) -> Bulk | None:
    if not isinstance(element, dict) or "BulkDataURI" not in element:
        return None
    return _named(parts, element["BulkDataURI"])


def _named(parts: Mapping[str, Bulk], uri: object) -> Bulk:
    found = parts.get(uri) if isinstance(uri, str) else None
    if found is None:
        raise BadInput("a BulkDataURI is the Content-Location of no part of the body")
    return found


def _read(bulk: Bulk, left: list[int]) -> bytes:
    left[0] -= bulk.size
    if left[0] < 0:
        raise TooLarge(f"bulk data other than pixels is taken up to {_INLINE_BYTES} bytes an object")
    return bulk.path.read_bytes()


def _check_depth(model: Model) -> None:
    """Refuse what nests deeper than the recursive library behind this may be given."""
    level: list[object] = [model]
    for _ in range(_DEPTH):
        level = [
            inside
            for one in level
            for inside in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inside, (dict, list))
        ]
        if not level:
            return
    raise BadInput("the sequences of an object nest too deep")
