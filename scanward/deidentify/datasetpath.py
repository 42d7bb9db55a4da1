"""The pydicom path: de-identifies what the byte path does not take (big endian, deflated, known tags as UN).

Slower and plainer than the byte path, and held to it by differential tests. The output keeps the transfer
syntax of the input; pixels are a range of the source, except where the whole data set is deflated.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from scanward.deidentify import nested, pixels
from scanward.deidentify.charset import Charsets, charsets_of, values_at_any_price
from scanward.deidentify.datasetwalk import DatasetWalk, Place
from scanward.deidentify.encapsulated import CHANGE, overwritten, residues_of
from scanward.deidentify.keys import Keys
from scanward.deidentify.meta import file_meta
from scanward.deidentify.policy import Policy, vr_of
from scanward.deidentify.report import Cleaned, Identity
from scanward.deidentify.subjects import (
    INSTANCE_UID,
    ISSUER,
    PATIENT_ID,
    SERIES_UID,
    STUDY_UID,
    TAGS,
    subject_of,
)
from scanward.deidentify.writer import Writer, marker_elements
from scanward.dicom.pieces import Piece, Span
from scanward.dicom.structure import Structure
from scanward.errors import BadInput, Fault, InvalidDicom, Quarantined

CHARSET = 0x00080005
MODALITY = 0x00080060

_IDENTITY = (PATIENT_ID, ISSUER, STUDY_UID, SERIES_UID, INSTANCE_UID)
_RAW_DEFLATE = -15


@dataclass(frozen=True, slots=True)
class Body:
    """A de-identified data set: what stands before the pixels, what behind them, and what was done.

    `ahead` is how many of the changes stand before the pixels.
    """

    head: bytes
    tail: bytes
    changes: tuple[tuple[str, str], ...]
    ahead: int
    original: Identity
    replaced: Identity
    modality: str
    warnings: tuple[Fault, ...]


def clean(view: memoryview, structure: Structure, policy: Policy, keys: Keys) -> Cleaned:
    """De-identify one object that the gate has passed.

    Raises Quarantined, or InvalidDicom if pydicom fails on it.
    """
    body = structure.dataset_view(view)
    start = 0 if structure.deflated else structure.dataset_offset
    first, last = structure.pixel_offset, structure.pixel_end
    writer = Writer(structure.explicit, structure.little_endian)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        head = _parse(body[start : structure.dataset_end if first is None else first], writer)
        tail = Dataset() if last is None else _parse(body[last : structure.dataset_end], writer)
        risk_of(head, structure.transfer_syntax, writer)
        cleaned = clean_dataset(head, tail, structure.sop_class_uid, writer, policy, keys)
    prologue = file_meta(structure.sop_class_uid, cleaned.replaced.instance_uid, structure.transfer_syntax)
    middle, spoken = _pixel_pieces(body, structure)
    ahead, behind = cleaned.changes[: cleaned.ahead], cleaned.changes[cleaned.ahead :]
    if structure.deflated:
        pieces = _deflated(prologue, (cleaned.head, *middle, cleaned.tail), body)
    else:
        pieces = (prologue + cleaned.head, *middle, cleaned.tail)
    return Cleaned(
        pieces=pieces,
        changes=(*ahead, *([CHANGE] if spoken else ()), *behind),
        original=cleaned.original,
        replaced=cleaned.replaced,
        sop_class_uid=structure.sop_class_uid,
        transfer_syntax=structure.transfer_syntax,
        modality=cleaned.modality,
        warnings=(*structure.warnings, *cleaned.warnings, *spoken),
    )


def clean_dataset(
    head: Dataset, tail: Dataset, sop_class_uid: str, writer: Writer, policy: Policy, keys: Keys
) -> Body:
    """De-identify what stands before and behind the pixels.

    Both must have passed the gate or its bound of depth.
    """
    charsets = charsets_of(_raw(head, CHARSET))
    found = {tag: _values(head, tag, charsets) for tag in TAGS | {*_IDENTITY, MODALITY} if tag in head}
    place = Place(charsets=charsets, implicit=not writer.explicit)
    try:
        named = nested.with_nested(found, nested.in_dataset(head, charsets, writer))
        subject = subject_of(named, keys, policy.profile)
        walk = DatasetWalk(policy, keys, subject, sop_class_uid, writer)
        elements = walk.dataset(head, place) + marker_elements(writer, policy.markers)
        ahead = len(walk.changes)
        behind = walk.dataset(tail, place)
    except BadInput:
        raise
    except Exception as error:  # noqa: BLE001 - pydicom raises what it likes, and its texts hold values
        raise InvalidDicom(f"The data set cannot be read by pydicom ({type(error).__name__})") from None
    new = {tag: values_at_any_price(raw, "LO", charsets) for tag, raw in walk.top.items() if tag in _IDENTITY}
    return Body(
        head=b"".join(raw for _, raw in sorted(elements)),
        tail=b"".join(raw for _, raw in behind),
        changes=tuple(walk.changes),
        ahead=ahead,
        original=_identity(found),
        replaced=_identity(new),
        modality="".join(found.get(MODALITY, ())[:1]),
        warnings=subject.warnings,
    )


def risk_of(dataset: Dataset, transfer_syntax: str, writer: Writer) -> None:
    """Raise Quarantined if the object cannot be cleaned safely."""
    found = {name: _text(dataset, tag, writer) for tag, name in pixels.attributes().items() if tag in dataset}
    order = "little" if writer.little_endian else "big"
    for tag in dataset.keys():  # noqa: SIM118 - a Dataset iterates over decoded elements
        position = int.from_bytes(_raw(dataset, tag) or b"", order)  # type: ignore[arg-type]
        if pixels.is_embedded_overlay(tag, position):
            found[pixels.EMBEDDED_OVERLAY] = ""
    fault = pixels.risk(found, transfer_syntax)
    if fault is not None:
        raise Quarantined(fault.message, faults=(fault,))


def _parse(raw: memoryview, writer: Writer) -> Dataset:
    try:
        return read_dataset(BytesIO(bytes(raw)), not writer.explicit, writer.little_endian)
    except Exception as error:  # noqa: BLE001 - as above
        raise InvalidDicom(f"The data set cannot be read by pydicom ({type(error).__name__})") from None


def _raw(dataset: Dataset, tag: int) -> bytes | None:
    item = dataset.get_item(tag, keep_deferred=True) if tag in dataset else None
    return item.value or b"" if isinstance(item, RawDataElement) else None


def _values(dataset: Dataset, tag: int, charsets: Charsets) -> tuple[str, ...]:
    return values_at_any_price(_raw(dataset, tag) or b"", vr_of(tag, ""), charsets)


def _text(dataset: Dataset, tag: int, writer: Writer) -> str:
    raw = _raw(dataset, tag)
    if raw is None:
        return ""
    if vr_of(tag, "") == "US":
        return str(int.from_bytes(raw, "little" if writer.little_endian else "big"))
    return raw.decode("latin-1").strip(" \0")


def _identity(found: dict[int, tuple[str, ...]]) -> Identity:
    return Identity(*("\\".join(found.get(tag, ())) for tag in _IDENTITY))


def _pixel_pieces(body: memoryview, structure: Structure) -> tuple[list[Piece], tuple[Fault, ...]]:
    """Return the pixels from header to end; of even length even where the source's are not."""
    first, value, last = structure.pixel_offset, structure.pixel_value, structure.pixel_end
    if first is None or value is None or last is None:
        return [], ()
    length = last - value
    if structure.encapsulation is not None or not length & 1:
        return overwritten(Span(first, last - first), residues_of(body, structure.encapsulation))
    header = bytes(body[first : value - 4]) + (length + 1).to_bytes(
        4, "little" if structure.little_endian else "big"
    )
    return [header, Span(value, length), b"\0"], ()


def _deflated(prologue: bytes, pieces: Sequence[Piece], body: memoryview) -> tuple[Piece, ...]:
    """Return the file with its data set deflated, padded to even length (PS3.5 A.5)."""
    deflater = zlib.compressobj(wbits=_RAW_DEFLATE)
    out = [prologue]
    for piece in pieces:
        plain = body[piece.offset : piece.offset + piece.length] if isinstance(piece, Span) else piece
        out.append(deflater.compress(plain))
    out.append(deflater.flush())
    length = sum(map(len, out)) - len(prologue)
    return (b"".join(out) + b"\0" * (length & 1),)
