"""An object's metadata in five sections, as plain strings and numbers for programs and the models."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

__all__ = ["MetadataExtractor"]

Reader = Callable[[object], object]

_SHARED_GROUPS: Final = "SharedFunctionalGroupsSequence"
_PIXEL_MEASURES: Final = "PixelMeasuresSequence"
_OLD_DATE: Final = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})")
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?")
_AGE: Final = re.compile(r"\d{3}[DWMY]")
_SEXES: Final = frozenset("MFO")


def _components(value: object) -> list[object]:
    if isinstance(value, MultiValue | Sequence | list | tuple):
        return list(value)
    return [] if value is None else [value]


def _text(value: object) -> str | None:
    text = "\\".join(str(part) for part in _components(value)).strip(" \0")
    return text or None


def _identifier(value: object) -> str:
    return _text(value) or ""


def _number(value: object) -> float | None:
    for part in _components(value)[:1]:
        try:
            number = float(str(part).strip(" \0"))
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


def _integer(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _numbers(value: object) -> list[float] | None:
    numbers = [_number(part) for part in _components(value)]
    known = [number for number in numbers if number is not None]
    return known if known and len(known) == len(numbers) else None


def _date(value: object) -> str | None:
    text = _text(value) or ""
    found = _DATE.fullmatch(text) or _OLD_DATE.fullmatch(text)
    if not found:
        return None
    year, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return None
    return year + month + day


def _time(value: object) -> str | None:
    text = (_text(value) or "").replace(":", "")
    return text if _TIME.fullmatch(text) else None


def _sex(value: object) -> str | None:
    text = _text(value)
    return text if text in _SEXES else None


def _age(value: object) -> str | None:
    text = _text(value) or ""
    return text if _AGE.fullmatch(text) else None


_SECTIONS: Final[Mapping[str, Mapping[str, tuple[str, Reader]]]] = MappingProxyType(
    {
        "patient": {
            "patient_id": ("PatientID", _identifier),
            "patient_name": ("PatientName", _text),
            "patient_birth_date": ("PatientBirthDate", _date),
            "patient_sex": ("PatientSex", _sex),
            "patient_age": ("PatientAge", _age),
        },
        "study": {
            "study_instance_uid": ("StudyInstanceUID", _text),
            "study_date": ("StudyDate", _date),
            "study_time": ("StudyTime", _time),
            "study_description": ("StudyDescription", _text),
            "accession_number": ("AccessionNumber", _text),
        },
        "series": {
            "series_instance_uid": ("SeriesInstanceUID", _text),
            "series_number": ("SeriesNumber", _integer),
            "modality": ("Modality", _text),
            "series_description": ("SeriesDescription", _text),
            "body_part_examined": ("BodyPartExamined", _text),
        },
        "image": {
            "sop_instance_uid": ("SOPInstanceUID", _text),
            "instance_number": ("InstanceNumber", _integer),
            "rows": ("Rows", _integer),
            "columns": ("Columns", _integer),
            "bits_allocated": ("BitsAllocated", _integer),
            "pixel_spacing": ("PixelSpacing", _numbers),
        },
        "acquisition": {
            "kvp": ("KVP", _number),
            "exposure_time": ("ExposureTime", _number),
            "tube_current": ("XRayTubeCurrent", _number),
            "slice_thickness": ("SliceThickness", _number),
            "spacing_between_slices": ("SpacingBetweenSlices", _number),
            "repetition_time": ("RepetitionTime", _number),
            "echo_time": ("EchoTime", _number),
            "magnetic_field_strength": ("MagneticFieldStrength", _number),
            "flip_angle": ("FlipAngle", _number),
            "manufacturer": ("Manufacturer", _text),
            "model_name": ("ManufacturerModelName", _text),
            "protocol_name": ("ProtocolName", _text),
            "contrast_agent": ("ContrastBolusAgent", _text),
        },
    }
)


class MetadataExtractor:
    """Reads what `DICOMMetadataModel` holds from a data set, with or without its pixels."""

    def __init__(self) -> None:
        """Need nothing: the extractor keeps no state."""

    # `Any` is what seeds/api.md prints; the values are strings, numbers, lists of numbers and None.
    def extract_metadata(self, dataset: Dataset) -> dict[str, Any]:
        """Return the sections patient, study, series, image and acquisition; never raises for a value.

        Strings are decoded with the object's character set and trimmed, several values are joined by a
        backslash; numbers are numbers. Absent, empty and malformed values are None, only `patient_id` is
        then "" (type 2, PS3.3 C.7.1.1). Dates are YYYYMMDD, the form of ACR-NEMA included. Spacing and
        thickness that are missing at the top are those of the shared functional groups (PS3.3 C.7.6.16.2.1).
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sources = tuple(_sources(dataset))
            return {
                section: {name: _read(sources, keyword, reader) for name, (keyword, reader) in fields.items()}
                for section, fields in _SECTIONS.items()
            }


def _sources(dataset: Dataset) -> Iterable[Dataset]:
    yield dataset
    for shared in _items(dataset, _SHARED_GROUPS):
        yield from _items(shared, _PIXEL_MEASURES)


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    items = _value(dataset, keyword, _components)
    return [item for item in items if isinstance(item, Dataset)][:1] if isinstance(items, list) else []


def _read(sources: Iterable[Dataset], keyword: str, reader: Reader) -> object:
    """Return the value of the first source that has one, or what the reader makes of none."""
    found = (_value(source, keyword, reader) for source in sources)
    return next((value for value in found if value is not None and value != ""), reader(None))


def _value(dataset: Dataset, keyword: str, reader: Reader) -> object:
    try:
        return reader(dataset.get(keyword))
    except Exception:  # noqa: BLE001 - pydicom converts when asked, and no list says what it raises then
        return reader(None)
