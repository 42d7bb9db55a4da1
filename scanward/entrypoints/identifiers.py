"""The identifiers of one object that may stand in its file's name, read from its header's bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

from scanward.deidentify.keys import is_placeholder
from scanward.deidentify.report import Cleaned, Identity
from scanward.deidentify.subjects import BIRTH_DATE, ID_TAGS, NAME_TAGS
from scanward.dicom.pieces import Span
from scanward.dicom.structure import check
from scanward.dicom.text import decode, encodings_of
from scanward.dicom.tokenizer import top_level
from scanward.store.keys import Hidden, Kind

Header = tuple[tuple[int, bytes], ...]


class Headed(Protocol):
    """An opened input."""

    @property
    def view(self) -> memoryview:
        """Return all bytes, mapped."""
        ...

    def head(self, length: int) -> bytes:
        """Return the first bytes."""
        ...


_CHARACTER_SET = 0x00080005
_PATIENT_ID = 0x00100020
_STUDY_ID = 0x00200010
_DATES = (0x00080020, 0x00080021, 0x00080022, 0x00080023)
_LEAST_STUDY_ID = 4  # a StudyID is often `1`, and then it tells nothing that `IM1` does not
_LEAST_NUMBER = 3
_WANTED = frozenset({_CHARACTER_SET, _STUDY_ID, BIRTH_DATE, *_DATES, *ID_TAGS, *NAME_TAGS})
_NUMBERS = {(tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little"): tag for tag in _WANTED}
_TAGS = re.compile(b"|".join(map(re.escape, sorted(_NUMBERS))), re.DOTALL)
_SHORT = frozenset({b"AE", b"CS", b"DA", b"DT", b"LO", b"LT", b"PN", b"SH", b"ST", b"TM", b"UI"})
_IRREGULAR = (b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.4.95")
_PREAMBLE = 132
_META = 1024
_LONGEST_VALUE = 4096
_LONGEST_HEADER = 16 << 20
_PIXELS = 64 << 10
_PATIENT_GROUP = 0x0010


def header_of(source: Headed, cleaned: Cleaned) -> Header:
    """Return tag and bytes of what may identify, in an object that passed the engine.

    The header's bytes are searched for the tags: quicker than to walk them, and what stands in sequences is
    found too.
    """
    head = source.head(_header_bytes(cleaned))
    if head[128:132] != b"DICM" or any(uid in head[:_META] for uid in _IRREGULAR):
        return _header_slowly(source.view)
    found: dict[tuple[int, bytes], None] = {}
    match = _TAGS.search(head, _PREAMBLE)
    while match:
        start = match.start()
        length = _value(head, start)
        if length is not None:
            found[_NUMBERS[match.group()], head[length]] = None
        match = _TAGS.search(head, start + 1)
    return tuple(found)


def _value(head: bytes, start: int) -> slice | None:
    """Return where the value behind a tag stands, in whichever VR encoding; None if that cannot be one."""
    value = start + 8
    if head[start + 4 : start + 6] in _SHORT:
        length = int.from_bytes(head[start + 6 : value], "little")
    elif head[start + 4 : start + 6] == b"UN":
        value += 4
        length = int.from_bytes(head[value - 4 : value], "little")
    else:
        length = int.from_bytes(head[start + 4 : value], "little")
    return slice(value, value + length) if 0 < length <= _LONGEST_VALUE else None


def _header_bytes(cleaned: Cleaned) -> int:
    """Return how many bytes stand before the pixels: those are the first long span that is taken over."""
    spans = (piece.offset for piece in cleaned.pieces if isinstance(piece, Span) and piece.length > _PIXELS)
    return min(next(spans, _LONGEST_HEADER), _LONGEST_HEADER)


def hidden_in_names(header: Header, original: Identity, replaced: Identity) -> Iterator[Hidden]:
    """Yield what must not be found in the output's name, the patient's own before the study's."""
    for old, new in _uids(original, replaced):
        yield Hidden(Kind.UID, old, new)
    patient = replaced.patient_id or f"PATIENT-{_short(replaced.study_uid)}"
    if _tells(original.patient_id) and original.patient_id != replaced.patient_id:
        yield Hidden(Kind.CODE, original.patient_id, patient)
    study = f"STUDY-{_short(replaced.study_uid)}"
    for tag, values in _texts(header).items():
        for value in filter(_tells, values):
            yield from _one(tag, value, patient, study)


def _one(tag: int, value: str, patient: str, study: str) -> Iterator[Hidden]:
    if tag in NAME_TAGS:
        yield Hidden(Kind.NAME, value, patient if tag >> 16 == _PATIENT_GROUP else study)
    elif tag == BIRTH_DATE:
        yield Hidden(Kind.DATE, value, patient)
    elif tag in _DATES:
        yield Hidden(Kind.DATE, value, study)
    elif tag in ID_TAGS and tag != _PATIENT_ID and len(value) >= _LEAST_NUMBER:
        yield Hidden(Kind.CODE, value, patient if tag >> 16 == _PATIENT_GROUP else study)
    elif tag == _STUDY_ID and len(value) >= _LEAST_STUDY_ID:
        yield Hidden(Kind.CODE, value, study)


@lru_cache(maxsize=1024)
def _texts(header: Header) -> Mapping[int, tuple[str, ...]]:
    encodings = encodings_of(next((value for tag, value in header if tag == _CHARACTER_SET), b""))
    texts: dict[int, tuple[str, ...]] = {}
    for tag, value in header:
        if tag != _CHARACTER_SET:
            decoded = decode(value, encodings, is_name=tag in NAME_TAGS).split("\\")
            texts[tag] = (*texts.get(tag, ()), *decoded)
    return texts


def _tells(value: str) -> bool:
    return bool(value) and not is_placeholder(value)


def _uids(original: Identity, replaced: Identity) -> Iterator[tuple[str, str]]:
    for old, new in (
        (original.study_uid, replaced.study_uid),
        (original.series_uid, replaced.series_uid),
        (original.instance_uid, replaced.instance_uid),
    ):
        if old and old != new:
            yield old, new


def _short(new_uid: str) -> str:
    """Return eight digits of a new UID, which tells nothing by itself."""
    return blake2b(new_uid.encode(), digest_size=4).hexdigest()


def _header_slowly(view: memoryview) -> Header:
    """Read a deflated or big endian object, which the byte walk does not take."""
    structure = check(view)
    body = structure.dataset_view(view)
    found = ((element.tag, element) for element in top_level(view, structure) if element.tag in _WANTED)
    return tuple((tag, bytes(body[element.value : element.stop])) for tag, element in found)
