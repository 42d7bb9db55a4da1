"""The identifiers of one object that may stand in its file's name, read from its header's bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b

from scanward.deidentify.keys import is_placeholder
from scanward.deidentify.report import Identity
from scanward.deidentify.subjects import BIRTH_DATE, ID_TAGS, NAME_TAGS
from scanward.dicom.structure import check
from scanward.dicom.structure.prologue import prologue
from scanward.dicom.text import decode, encodings_of
from scanward.dicom.tokenizer import elements, top_level
from scanward.store.keys import Hidden, Kind

Header = tuple[tuple[int, bytes], ...]

_CHARACTER_SET = 0x00080005
_PATIENT_ID = 0x00100020
_STUDY_ID = 0x00200010
_DATES = (0x00080020, 0x00080021, 0x00080022, 0x00080023)
_LEAST_STUDY_ID = 4  # a StudyID is often `1`, and then it tells nothing that `IM1` does not
_LEAST_NUMBER = 3
_WANTED = frozenset({_CHARACTER_SET, _STUDY_ID, BIRTH_DATE, *_DATES, *ID_TAGS, *NAME_TAGS})
_LAST = max(_WANTED)
_PATIENT_GROUP = 0x0010


def header_of(view: memoryview) -> Header:
    """Return tag and bytes of what may identify, from the top level of an object that passed the engine."""
    head = prologue(view)
    if not head.syntax.coding.little_endian or head.syntax.deflated:
        return _header_slowly(view)
    found = []
    for element in elements(view, head.dataset_offset, len(view), head.syntax.coding.explicit):
        if element.tag > _LAST:
            break
        if element.tag in _WANTED:
            found.append((element.tag, bytes(view[element.value : element.stop])))
    return tuple(found)


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
    encodings = encodings_of(dict(header).get(_CHARACTER_SET, b""))
    return {
        tag: tuple(decode(value, encodings, is_name=tag in NAME_TAGS).split("\\"))
        for tag, value in header
        if tag != _CHARACTER_SET
    }


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
