"""Small DICOM objects made in code, and what comes out of them, for the tests of de-identification."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from scanward.deidentify import datasetpath, profile
from scanward.deidentify.keys import Keys
from scanward.deidentify.policy import Policy
from scanward.deidentify.report import Cleaned
from scanward.dicom.pieces import Span
from scanward.dicom.structure import check

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SECRET = bytes(range(32))
DATA = Path(pydicom.__file__).parent / "data"
TEST_FILES = DATA / "test_files"
KEYS = Keys(SECRET)

Fill = Callable[[Dataset], None]


def policy(name: str = "hipaa-safe-harbor") -> Policy:
    return Policy(profile.load(name))


def ct(fill: Fill | None = None) -> Dataset:
    """Return a CT data set of 2 by 2 pixels with a patient in it."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CT
    dataset.SOPInstanceUID = "1.2.3.4.5.6.7.1"
    dataset.StudyDate = "20200517"
    dataset.ContentDate = "20200517"
    dataset.StudyTime = "101112"
    dataset.ContentTime = "101112"
    dataset.AccessionNumber = "ACC-90210"
    dataset.Modality = "CT"
    dataset.Manufacturer = "ACME"
    dataset.ReferringPhysicianName = "House^Gregory"
    dataset.StudyDescription = "CT Chest for Rossi"
    dataset.PatientName = "Rossi^Giulia"
    dataset.PatientID = "MRN-4711"
    dataset.PatientBirthDate = "19310203"
    dataset.PatientSex = "F"
    dataset.PatientAge = "094Y"
    dataset.StudyInstanceUID = "1.2.3.4.5.6.7.2"
    dataset.SeriesInstanceUID = "1.2.3.4.5.6.7.3"
    dataset.StudyID = "S1"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = 2
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.PixelData = b"\1\2\3\4\5\6\7\10"
    if fill is not None:
        fill(dataset)
    return dataset


def item(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def sequence(*items: Dataset) -> Sequence:
    return Sequence(items)


def part10(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the data set as a file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    dataset.file_meta = meta
    target = BytesIO()
    pydicom.dcmwrite(target, dataset, enforce_file_format=True)
    return target.getvalue()


def spliced(file: bytes, before: int, element: bytes) -> bytes:
    """Return a little endian file with raw bytes put in before the first element with this tag."""
    at = file.index(struct.pack("<HH", before >> 16, before & 0xFFFF), 200)
    return file[:at] + element + file[at:]


def cleaned(file: bytes, name: str | Policy = "hipaa-safe-harbor", keys: Keys = KEYS) -> Cleaned:
    """De-identify a file by the pydicom path."""
    view = memoryview(file)
    chosen = policy(name) if isinstance(name, str) else name
    return datasetpath.clean(view, check(view), chosen, keys)


def joined(result: Cleaned, file: bytes) -> bytes:
    """Return an output's bytes."""
    return b"".join(
        file[piece.offset : piece.offset + piece.length] if isinstance(piece, Span) else piece
        for piece in result.pieces
    )


def output(file: bytes, name: str | Policy = "hipaa-safe-harbor", keys: Keys = KEYS) -> Dataset:
    """Return the de-identified data set; its bytes have passed the gate."""
    made = joined(cleaned(file, name, keys), file)
    check(memoryview(made))
    return pydicom.dcmread(BytesIO(made))
