"""One object's header in a line: what the catalog, the tables and the log of the raw side need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from scanward.dicom.structure.coding import Element
from scanward.dicom.structure.gate import Structure
from scanward.dicom.text import decode, encodings_of
from scanward.dicom.tokenizer import top_level


@dataclass(frozen=True, slots=True)
class Instance:
    """Header summary of one object. Strings are "" and numbers None where the object has none."""

    study_uid: str
    series_uid: str
    instance_uid: str
    sop_class_uid: str
    transfer_syntax: str
    modality: str = ""
    patient_id: str = ""
    issuer: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    accession_number: str = ""
    study_id: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    series_number: int | None = None
    series_date: str = ""
    series_description: str = ""
    body_part: str = ""
    instance_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    frames: int | None = None


class _Texts(TypedDict, total=False):
    modality: str
    patient_id: str
    issuer: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    accession_number: str
    study_id: str
    study_date: str
    study_time: str
    study_description: str
    series_date: str
    series_description: str
    body_part: str


class _Numbers(TypedDict, total=False):
    series_number: int | None
    instance_number: int | None
    rows: int | None
    columns: int | None
    frames: int | None


_CHARACTER_SET = 0x00080005
_PATIENT_NAME = 0x00100010
_LAST = 0x00280011
_TEXTS = {
    0x00080020: "study_date",
    0x00080021: "series_date",
    0x00080030: "study_time",
    0x00080050: "accession_number",
    0x00080060: "modality",
    0x00081030: "study_description",
    0x0008103E: "series_description",
    0x00100010: "patient_name",
    0x00100020: "patient_id",
    0x00100021: "issuer",
    0x00100030: "patient_birth_date",
    0x00100040: "patient_sex",
    0x00180015: "body_part",
    0x00200010: "study_id",
}
_DECIMALS = {0x00200011: "series_number", 0x00200013: "instance_number", 0x00280008: "frames"}
_WORDS = {0x00280010: "rows", 0x00280011: "columns"}
_LONGEST = 1024
_LARGEST = 1 << 31


def describe(view: memoryview, structure: Structure) -> Instance:
    """Summarise an object that the gate has passed, decoded with its own character set."""
    body = structure.dataset_view(view)
    encodings = encodings_of(b"")
    texts, numbers = _Texts(), _Numbers()
    for element in top_level(view, structure):
        tag = element.tag
        if tag > _LAST:
            break
        if tag in _TEXTS:
            texts[_TEXTS[tag]] = decode(_raw(body, element), encodings, is_name=tag == _PATIENT_NAME)  # type: ignore[literal-required]  # the table holds the class's keys
        elif tag in _DECIMALS:
            numbers[_DECIMALS[tag]] = _decimal(_raw(body, element))  # type: ignore[literal-required]  # as above
        elif tag in _WORDS:
            numbers[_WORDS[tag]] = _word(_raw(body, element), little_endian=structure.little_endian)  # type: ignore[literal-required]  # as above
        elif tag == _CHARACTER_SET:
            encodings = encodings_of(_raw(body, element))
    return Instance(
        study_uid=structure.study_uid,
        series_uid=structure.series_uid,
        instance_uid=structure.instance_uid,
        sop_class_uid=structure.sop_class_uid,
        transfer_syntax=structure.transfer_syntax,
        **texts,
        **numbers,
    )


def _raw(body: memoryview, element: Element) -> bytes:
    return bytes(body[element.value : min(element.stop, element.value + _LONGEST)])


def _decimal(raw: bytes) -> int | None:
    """Read an IS; what is not one, or too large for a database's integer, is None."""
    try:
        number = int(raw.split(b"\\")[0].strip(b"\0 ").decode("ascii"))
    except ValueError:
        return None
    return number if -_LARGEST <= number < _LARGEST else None


def _word(raw: bytes, *, little_endian: bool) -> int | None:
    return int.from_bytes(raw[:2], "little" if little_endian else "big") if len(raw) > 1 else None
