"""Small CT-like objects, made fast: one is written by pydicom, the others are it with other UIDs and IDs."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

_ROOT = "1.2.826.0.1.3680043.8.498.7"
_NUMBER = "1000000000"
_INSTANCE = f"{_ROOT}.3.{_NUMBER}"
_STUDY = f"{_ROOT}.1.{_NUMBER}"
_PATIENT = f"MRN{_NUMBER}"
_NAME = "Planted^Name"


@cache
def _template(side: int) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(_INSTANCE)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", Dataset(), file_meta=meta, preamble=bytes(128))
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = _INSTANCE
    image.StudyInstanceUID, image.SeriesInstanceUID = _STUDY, f"{_STUDY}.1"
    image.PatientName, image.PatientID, image.PatientSex = _NAME, _PATIENT, "F"
    image.PatientBirthDate, image.StudyDate, image.StudyTime = "19700102", "20240304", "101112"
    image.Modality, image.StudyID, image.SeriesNumber, image.InstanceNumber = "CT", "1", "1", "1"
    image.AccessionNumber = "ACC4711"
    image.ImageType, image.KVP = ["ORIGINAL", "PRIMARY", "AXIAL"], "120"
    image.FrameOfReferenceUID = f"{_STUDY}.9"
    image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    image.PixelSpacing, image.SliceThickness = [1, 1], "1"
    image.RescaleIntercept, image.RescaleSlope = "0", "1"
    image.Rows = image.Columns = side
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
    image.PixelData = bytes(range(256)) * (side * side * 2 // 256)
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def ct(number: int, *, patient: int | None = None, name: str = _NAME, side: int = 16) -> bytes:
    """Return one object; `patient` (by default a tenth of the number) decides patient and study."""
    patient = number // 10 if patient is None else patient
    changes = {
        _INSTANCE: f"{_ROOT}.3.{1_000_000_000 + number}",
        _STUDY: f"{_ROOT}.1.{1_000_000_000 + patient}",
        _PATIENT: f"MRN{1_000_000_000 + patient}",
        _NAME: name.ljust(len(_NAME)),
    }
    content = _template(side)
    for old, new in changes.items():
        content = content.replace(old.encode(), new.encode())
    return content
