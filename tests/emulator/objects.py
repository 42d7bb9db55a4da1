"""Objects to upload: a real image under planted identifiers, and what can be wrong with one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import dcmread
from pydicom.uid import UID

REAL = Path(pydicom.__file__).parent / "data/test_files"
CT = REAL / "CT_small.dcm"
UID_ROOT = "1.2.826.0.1.3680043.9.77418"
FAMILY, GIVEN = "Quellbrunnzq", "Isoldezq"
NEEDLES = tuple(
    spelling.encode()
    for word in (FAMILY, GIVEN, "QZPAT77", "QZACC55", "QZSTUDY33", "19330417", UID_ROOT)
    for spelling in {word, word.upper(), word.lower()}
)
"""What stands in every object made here, and may stand nowhere else than in raw."""


def patient(number: int) -> str:
    """Return the PatientID of an object."""
    return f"QZPAT77{number:04}"


def scan(number: int = 1, patient_number: int | None = None, **changes: str) -> bytes:
    """Return a sound CT image; `changes` are values by keyword. A value of "" empties the attribute."""
    dataset = dcmread(CT)
    dataset.PatientName = f"{FAMILY}^{GIVEN}"
    dataset.PatientID = patient(number if patient_number is None else patient_number)
    dataset.PatientBirthDate, dataset.PatientSex = "19330417", "F"
    dataset.AccessionNumber, dataset.StudyID = f"QZACC55{number:04}", f"QZSTUDY33{number:02}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{UID_ROOT}.{number}.1", f"{UID_ROOT}.{number}.2"
    instance_uid = UID(f"{UID_ROOT}.{number}.3")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = instance_uid
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    target = BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def large(number: int = 1) -> bytes:
    """Return an image of 84 MB: above what the functions read whole."""
    dataset = dcmread(BytesIO(scan(number)))
    dataset.Rows = dataset.Columns = 6_500
    dataset.PixelData = bytes(2 * 6_500 * 6_500)
    target = BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def corrupt(number: int = 1) -> bytes:
    """Return an image that was cut in a transfer: the gate refuses it."""
    return scan(number)[:-700]


def invalid(number: int = 1) -> bytes:
    """Return an image that the gate passes and that does not say what its numbers mean as light."""
    dataset = dcmread(BytesIO(scan(number)))
    del dataset.PhotometricInterpretation
    target = BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def unclean(number: int = 1) -> bytes:
    """Return an image that says of itself that text is burned into its pixels."""
    return scan(number, BurnedInAnnotation="YES")
