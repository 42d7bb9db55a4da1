"""The metadata models of the API document: what a program may rely on in an object's metadata.

Forms are checked as far as a reader would stumble over them: dates, times, ages and sex by PS3.5 6.2, unique
identifiers by length and repertoire only, since archives are full of components with leading zeros. Empty
strings pass: they are how type 2 attributes say "not known". No error shows the value it is about.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = [
    "AcquisitionModel",
    "DICOMMetadataModel",
    "ImageModel",
    "PatientModel",
    "SeriesModel",
    "StudyModel",
]

_UID: Final = re.compile(r"[0-9.]{1,64}")
_DATE: Final = re.compile(r"\d{8}")
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?")
_AGE: Final = re.compile(r"\d{3}[DWMY]")


def _uid(text: str) -> str:
    if not _UID.fullmatch(text):
        raise ValueError("must be 1 to 64 digits and dots")
    return text


def _date(text: str) -> str:
    if not text:
        return text
    if not _DATE.fullmatch(text):
        raise ValueError("must be a date as YYYYMMDD")
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise ValueError("must be a day of the calendar") from None
    return text


def _time(text: str) -> str:
    if text and not _TIME.fullmatch(text):
        raise ValueError("must be a time as HHMMSS, with a fraction or without seconds and minutes")
    return text


def _sex(text: str) -> str:
    if text not in {"", "M", "F", "O"}:
        raise ValueError("must be M, F or O")
    return text


def _age(text: str) -> str:
    if text and not _AGE.fullmatch(text):
        raise ValueError("must be three digits and D, W, M or Y")
    return text


Uid = Annotated[str, AfterValidator(_uid)]
Date = Annotated[str, AfterValidator(_date)]
Time = Annotated[str, AfterValidator(_time)]
Sex = Annotated[str, AfterValidator(_sex)]
Age = Annotated[str, AfterValidator(_age)]


class _Section(BaseModel):
    # pydantic prints the offending input into its errors, which end in logs: here it is a patient's.
    model_config = ConfigDict(hide_input_in_errors=True, protected_namespaces=())


class PatientModel(_Section):
    """Who the object is of (PS3.3 C.7.1.1, C.7.2.2)."""

    patient_id: str = Field(..., description="Patient identifier")
    patient_name: str | None = Field(None, description="Patient name")
    patient_birth_date: Date | None = Field(None, description="YYYYMMDD")
    patient_sex: Sex | None = Field(None, description="M, F, O")
    patient_age: Age | None = Field(None, description="Age string")


class StudyModel(_Section):
    """The study the object belongs to (PS3.3 C.7.2.1)."""

    study_instance_uid: Uid = Field(..., description="Study UID")
    study_date: Date | None = Field(None, description="YYYYMMDD")
    study_time: Time | None = Field(None, description="HHMMSS")
    study_description: str | None = None
    accession_number: str | None = None


class SeriesModel(_Section):
    """The series the object belongs to (PS3.3 C.7.3.1)."""

    series_instance_uid: Uid = Field(..., description="Series UID")
    series_number: int | None = None
    modality: str | None = Field(None, description="CT, MR, etc.")
    series_description: str | None = None
    body_part_examined: str | None = None


class ImageModel(_Section):
    """The object itself and the size of its pixels (PS3.3 C.12.1, C.7.6.3, C.7.6.2)."""

    sop_instance_uid: Uid = Field(..., description="Image UID")
    instance_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    bits_allocated: int | None = None
    pixel_spacing: list[float] | None = None


class AcquisitionModel(_Section):
    """How the object was made; millimetres, milliseconds, milliamperes, kilovolts, tesla and degrees."""

    kvp: float | None = Field(None, description="Peak kilo voltage of the X-ray generator")
    exposure_time: float | None = Field(None, description="Exposure time in ms")
    tube_current: float | None = Field(None, description="X-ray tube current in mA")
    slice_thickness: float | None = Field(None, description="Nominal slice thickness in mm")
    spacing_between_slices: float | None = Field(None, description="Spacing between slices in mm")
    repetition_time: float | None = Field(None, description="Repetition time in ms")
    echo_time: float | None = Field(None, description="Echo time in ms")
    magnetic_field_strength: float | None = Field(None, description="Field strength in tesla")
    flip_angle: float | None = Field(None, description="Flip angle in degrees")
    manufacturer: str | None = None
    model_name: str | None = None
    protocol_name: str | None = None
    contrast_agent: str | None = None


class DICOMMetadataModel(_Section):
    """All of it, as `MetadataExtractor.extract_metadata` returns it."""

    patient: PatientModel
    study: StudyModel
    series: SeriesModel
    image: ImageModel
    acquisition: AcquisitionModel | None = None
