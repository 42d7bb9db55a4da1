"""Sound objects, and what the rules say of one that is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from struct import pack

from pydicom import Dataset, Sequence
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from scanward.dicom import structure, tokenizer
from scanward.errors import Fault, Severity
from scanward.validate import validate

CT = "1.2.840.10008.5.1.4.1.1.2"
_LONG = frozenset({"OB", "OW", "SQ", "UC", "UN", "UR", "UT"})


def ct_image() -> Dataset:
    """Return a CT image that breaks no rule."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, "1.2.3.4"
    dataset.StudyDate, dataset.StudyTime = "20240229", "120000"
    dataset.ContentDate, dataset.ContentTime = "20240229", "120001.5"
    dataset.AccessionNumber = dataset.StudyID = ""
    dataset.Modality, dataset.Manufacturer = "CT", "Maker"
    dataset.ReferringPhysicianName = ""
    dataset.PatientName, dataset.PatientID = "Grün^Änne", "P1"
    dataset.PatientBirthDate, dataset.PatientSex = "19700101", "F"
    dataset.SliceThickness, dataset.KVP = "1.5", "120"
    dataset.PatientPosition, dataset.AcquisitionNumber = "HFS", 1
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    dataset.SeriesNumber, dataset.InstanceNumber = 1, 1
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = "1.2.3.3", ""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns, dataset.PixelSpacing = 2, 2, [0.5, 0.5]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "HU"
    dataset.PixelData = bytes(8)
    return dataset


def written(dataset: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the Part 10 bytes of a data set."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CT)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3.4")
    target = BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    spliced = getattr(dataset, "spliced", {})
    return _splice(target.getvalue(), spliced) if spliced else target.getvalue()


def faults_of(raw: bytes, severities: Mapping[str, Severity] | None = None) -> tuple[Fault, ...]:
    """Return what the rules find in Part 10 bytes that the gate passes."""
    view = memoryview(raw)
    return validate(view, structure.check(view), severities or {})


def faults_after(
    change: Callable[[Dataset], object], severities: Mapping[str, Severity] | None = None
) -> tuple[Fault, ...]:
    """Return what the rules find in a sound CT image after a change."""
    dataset = ct_image()
    change(dataset)
    return faults_of(written(dataset), severities)


def item(**values: object) -> Sequence:
    """Return a sequence of one item."""
    inner = Dataset()
    for keyword, value in values.items():
        setattr(inner, keyword, value)
    return Sequence([inner])


def put(dataset: Dataset, tag: int, vr: str, value: bytes) -> None:
    """Set a top-level element to bytes that pydicom would not write; a blank makes their length even."""
    dataset.spliced = {**getattr(dataset, "spliced", {}), tag: (vr, value + b" " * (len(value) % 2))}


def _splice(raw: bytes, elements: dict[int, tuple[str, bytes]]) -> bytes:
    view = memoryview(raw)
    found = structure.check(view)
    held = {element.tag: raw[element.start : element.end] for element in tokenizer.top_level(view, found)}
    for tag, (vr, value) in elements.items():
        length = pack("<H", len(value)) if vr not in _LONG else pack("<HI", 0, len(value))
        held[tag] = pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + length + value
    return raw[: found.dataset_offset] + b"".join(held[tag] for tag in sorted(held))
