"""Objects made by code, with new UIDs at each run, so that an archive that holds others can be asked too."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
BYTE_FRAMES = "1.2.840.10008.5.1.4.1.1.7.2"
RLE, EXPLICIT = str(RLELossless), str(ExplicitVRLittleEndian)
CREATOR = "SCANWARD TESTS"
LOOKUP = bytes(range(256)) * 32
SIDE, FRAMES = 16, 3


@dataclass(frozen=True)
class Corpus:
    """Objects by label: study, series and instance, as `a11`; `run` is every study's StudyID."""

    run: str
    objects: dict[str, FileDataset]

    def bytes_of(self, label: str) -> bytes:
        """Return an object's Part 10 file."""
        return encoded(self.objects[label])

    def path_of(self, label: str) -> str:
        """Return the path of a study (`a`), series (`a1`) or instance (`a11`), relative to the root."""
        one = next(made for name, made in self.objects.items() if name.startswith(label))
        path = f"studies/{one.StudyInstanceUID}"
        path += f"/series/{one.SeriesInstanceUID}" if len(label) > 1 else ""
        return path + (f"/instances/{one.SOPInstanceUID}" if len(label) > 2 else "")

    def label_of(self, match: dict[str, dict[str, list[object]]], letters: int) -> str:
        """Return which study, series or instance a result is of; "?" for one of somebody else."""
        told = [match.get(tag, {}).get("Value", [None])[0] for tag in _UIDS[:letters]]
        for label, one in self.objects.items():
            if told == [one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID][:letters]:
                return label[:letters]
        return "?"


_UIDS = ("0020000D", "0020000E", "00080018")


def encoded(dataset: FileDataset) -> bytes:
    """Return a data set's Part 10 file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def make() -> Corpus:
    """Return three studies: CT with a capture (a), MR of a name in three groups (b), frames (c)."""
    run = secrets.token_hex(6)
    studies = {letter: generate_uid() for letter in "abc"}
    series = {name: generate_uid() for name in ("a1", "a2", "b1", "c1", "c2")}
    objects = {}
    for label in ("a11", "a12", "a21", "b11", "c11", "c21"):
        one = _image(run, label, studies[label[0]], series[label[:2]])
        objects[label] = one
    _add_requests(objects["b11"])
    _add_oddities(objects["b11"])
    _add_frames(objects["c11"])
    _add_frames(objects["c21"])
    objects["c21"].compress(RLELossless, generate_instance_uid=False)
    return Corpus(run, objects)


_OF_STUDY: dict[str, dict[str, object]] = {
    "a": {
        "PatientName": "Conform^Anna", "PatientBirthDate": "19701231", "PatientSex": "F",
        "StudyDate": "20200115", "StudyTime": "083000", "StudyDescription": "CHEST two & a half",
        "ReferringPhysicianName": "House^Gregory",
    },
    "b": {
        "PatientName": "Wang^XiaoDong=王^小東=わん^しょうとう",
        "PatientBirthDate": "19800229", "PatientSex": "M",
        "StudyDate": "20200131", "StudyTime": "120000.5", "StudyDescription": "Head",
        "ReferringPhysicianName": "Grey^Meredith",
    },
    "c": {
        "PatientName": "Conform^Ännchen", "PatientBirthDate": "", "PatientSex": "O",
        "StudyDate": "20210301", "StudyTime": "235959", "StudyDescription": "Film",
        "ReferringPhysicianName": "",
    },
}  # fmt: skip
_OF_SERIES: dict[str, dict[str, object]] = {
    "a1": {"SOPClassUID": CT_IMAGE, "Modality": "CT", "SeriesDescription": "Axial"},
    "a2": {"SOPClassUID": CAPTURE, "Modality": "OT", "SeriesDescription": "Capture"},
    "b1": {"SOPClassUID": MR_IMAGE, "Modality": "MR", "SeriesDescription": "T1"},
    "c1": {"SOPClassUID": BYTE_FRAMES, "Modality": "XC", "SeriesDescription": "Frames"},
    "c2": {"SOPClassUID": BYTE_FRAMES, "Modality": "XC", "SeriesDescription": "Packed frames"},
}


def _image(run: str, label: str, study_uid: str, series_uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one = FileDataset("", Dataset(), file_meta=meta, preamble=bytes(128))
    one.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in (_OF_STUDY[label[0]] | _OF_SERIES[label[:2]]).items():
        setattr(one, keyword, value)
    one.SOPInstanceUID = generate_uid()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
    one.StudyInstanceUID, one.SeriesInstanceUID = study_uid, series_uid
    one.PatientID, one.AccessionNumber, one.StudyID = f"CF-{run}-{label[0]}", f"A{run}{label[0]}", run
    one.SeriesNumber, one.InstanceNumber = int(label[1]), int(label[2])
    one.PerformedProcedureStepStartDate = f"202002{label[1]:0>2}"
    one.PerformedProcedureStepStartTime = f"1{label[1]}0000"
    one.TimezoneOffsetFromUTC = "+0100"
    one.Manufacturer = "Scanward"
    one.Rows = one.Columns = SIDE
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    one.PixelData = b"".join((17 * at % 4096).to_bytes(2, "little") for at in range(SIDE * SIDE))
    return one


def _add_requests(one: FileDataset) -> None:
    items = []
    for number in (1, 2):
        item = Dataset()
        item.ScheduledProcedureStepID, item.RequestedProcedureID = f"SPS{number}", f"RP{number}"
        items.append(item)
    one.RequestAttributesSequence = Sequence(items)


def _add_oddities(one: FileDataset) -> None:
    """Add what the models of PS3.18 F and PS3.19 A.1 tell each in its own way."""
    one.ImageType = ["ORIGINAL", "PRIMARY", "", "M"]
    one.PixelSpacing = ["0.50", "1.25"]
    one.AdditionalPatientHistory = "one\\two"
    one.FrameIncrementPointer = 0x00181063
    one.SpecialNeeds = ""
    one.ProcedureCodeSequence = Sequence()
    one.ReferencedStudySequence = Sequence([Dataset()])
    one.add_new(0x00186050, "UL", 4294967295)
    one.add_new(0x00189219, "SS", -5)
    one.add_new(0x00189073, "FD", 12.5)
    one.add_new(0x00189461, "FL", [1.5, -2.25])
    one.add_new(0x00090010, "LO", CREATOR)
    one.add_new(0x00091001, "LO", "private")
    one.add_new(0x00091002, "OB", b"\x00\x01\x02\x03")
    one.add_new(0x00091003, "OB", LOOKUP)


def _add_frames(one: FileDataset) -> None:
    one.NumberOfFrames = FRAMES
    one.BitsAllocated, one.BitsStored, one.HighBit = 8, 8, 7
    one.PixelData = b"".join(frame_of(number) for number in range(1, FRAMES + 1))


def frame_of(number: int) -> bytes:
    """Return what a frame of c11 and c21 shows."""
    return bytes((number * 40 + at // SIDE) % 256 for at in range(SIDE * SIDE))


def read(raw: bytes) -> Dataset:
    """Return the data set of a Part 10 file."""
    return pydicom.dcmread(BytesIO(raw))
