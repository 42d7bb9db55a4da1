"""Where an identifier may stand in an object, and how such an object is written."""

from __future__ import annotations

import struct
from io import BytesIO

from pydicom import dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID

from tests.e2e.needles import ROOT_UID, Person

CT = "1.2.840.10008.5.1.4.1.1.2"
SIDE = 16


def item(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def add(dataset: Dataset, tag: int, vr: str, value: object) -> None:
    dataset.add(DataElement(Tag(tag), vr, value))


def _identity(person: Person, sop_class: str, number: int) -> Dataset:
    """The patient, study and series as a scanner writes them."""
    return item(
        SpecificCharacterSet=person.charset,
        SOPClassUID=sop_class,
        SOPInstanceUID=f"{ROOT_UID}.{person.number}.3.{number}",
        StudyInstanceUID=f"{ROOT_UID}.{person.number}.1",
        SeriesInstanceUID=f"{ROOT_UID}.{person.number}.2.{number}",
        FrameOfReferenceUID=f"{ROOT_UID}.{person.number}.4",
        StudyDate="20170823",
        SeriesDate="20170824",
        AcquisitionDate="20170825",
        ContentDate="20170826",
        AcquisitionDateTime="20170827134753.318274+0130",
        StudyTime="134751.318271",
        SeriesTime="134752.318272",
        ContentTime="134754.318274",
        AcquisitionTime="134755.318275",
        AccessionNumber=person.accession,
        ReferringPhysicianName=person.physician,
        InstitutionName=person.institution,
        InstitutionAddress=person.address,
        StationName=person.station,
        OperatorsName=person.physician,
        PatientName=person.name,
        PatientID=person.patient_id,
        IssuerOfPatientID=person.institution,
        PatientBirthDate="19330417",
        PatientBirthTime="042917.5113",
        PatientSex="F",
        PatientAge="084Y",
        OtherPatientNames=[person.name, person.mother],
        PatientMotherBirthName=person.mother,
        PatientAddress=person.address,
        PatientTelephoneNumbers=person.telephone,
        Occupation=person.text,
        AdditionalPatientHistory=person.text,
        PatientComments=f"{person.text} {person.telephone}",
        StudyID=person.study_id,
        SeriesNumber=number,
        InstanceNumber=1,
        StudyDescription=f"CT ABDOMEN {person.text}",
        SeriesDescription=f"AXIAL {person.text}",
        ProtocolName=person.text,
        DeviceSerialNumber=person.serial,
        PerformedProcedureStepDescription=person.text,
        RequestedProcedureDescription=person.text,
        Manufacturer="ACME",
        PositionReferenceIndicator="",
        Laterality="",
    )


def _nested(dataset: Dataset, person: Person) -> None:
    """Sequences of some depth, each with an identifier at its bottom."""
    deepest = item(
        PatientID=person.patient_id, PatientName=person.name, ReferencedSOPInstanceUID=f"{ROOT_UID}.9"
    )
    for _ in range(6):
        deepest = item(PatientID=person.patient_id, ReferencedPatientSequence=Sequence([deepest]))
    dataset.ReferencedPatientSequence = Sequence([deepest])
    dataset.OtherPatientIDsSequence = Sequence(
        [
            item(
                PatientID=person.patient_id + "X",
                IssuerOfPatientID=person.institution,
                TypeOfPatientID="TEXT",
            )
        ]
    )
    dataset.RequestAttributesSequence = Sequence(
        [
            item(
                RequestedProcedureID=person.study_id,
                RequestedProcedureDescription=person.text,
                ScheduledProcedureStepDescription=person.text,
                ReferencedStudySequence=Sequence(
                    [item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=f"{ROOT_UID}.{person.number}.1")]
                ),
            )
        ]
    )
    dataset.ReferencedStudySequence = Sequence(
        [item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=f"{ROOT_UID}.{person.number}.1")]
    )
    dataset.ReferringPhysicianIdentificationSequence = Sequence(
        [
            item(
                InstitutionName=person.institution,
                PersonTelephoneNumbers=person.telephone,
                PersonIdentificationCodeSequence=Sequence(
                    [item(CodeValue=person.serial, CodingSchemeDesignator="L", CodeMeaning=person.text)]
                ),
            )
        ]
    )
    dataset["RequestAttributesSequence"].is_undefined_length = True


def _private(dataset: Dataset, person: Person) -> None:
    """Private blocks: a vendor's known one, a home-made one, one of a stranger inside an item."""
    block = dataset.private_block(0x0029, f"ACME {person.station}", create=True)
    block.add_new(0x01, "LO", person.patient_id)
    block.add_new(0x02, "OB", person.raw(person.text) + b"\0" * (len(person.raw(person.text)) % 2))
    inner = Dataset()
    inner.private_block(0x0031, "STRANGER", create=True).add_new(0x05, "PN", person.name)
    block.add_new(0x03, "SQ", Sequence([inner]))
    siemens = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    siemens.add_new(0x0C, "LO", person.text)
    siemens.add_new(0x0D, "UN", even(person.raw(person.text)))
    add(dataset, 0x00330010, "UN", even(person.raw(person.station)))
    add(dataset, 0x00331099, "UN", even(person.raw(person.text)))


def even(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


def _unknown(dataset: Dataset, person: Person) -> None:
    """Known tags that a router turned to UN, tags that no edition knows, and an implicit sequence as UN."""
    add(dataset, 0x00102297, "UN", even(person.raw(person.mother)))
    add(dataset, 0x00101090, "UN", even(person.raw(person.serial)))
    add(dataset, 0x00101081, "UN", even(person.raw(person.text)))
    add(dataset, 0x00120FF0, "UN", even(person.raw(person.text)))
    name = even(person.raw(person.name))
    element = struct.pack("<HHL", 0x0010, 0x0010, len(name)) + name
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(element)) + element
    add(dataset, 0x00101002, "UN", item)
    dataset[0x00101002].is_undefined_length = True


def _graphics(dataset: Dataset, person: Person) -> None:
    """Overlays and curves whose bits and texts name the patient."""
    ink = even(person.raw(person.text) + person.raw(person.patient_id)).ljust(SIDE * SIDE // 8, b"\0")
    for group in (0x6000, 0x601E):
        add(dataset, group << 16 | 0x0010, "US", SIDE)
        add(dataset, group << 16 | 0x0011, "US", len(ink) * 8 // SIDE)
        add(dataset, group << 16 | 0x0022, "LO", person.text)
        add(dataset, group << 16 | 0x0040, "CS", "G")
        add(dataset, group << 16 | 0x0050, "SS", [1, 1])
        add(dataset, group << 16 | 0x0100, "US", 1)
        add(dataset, group << 16 | 0x0102, "US", 0)
        add(dataset, group << 16 | 0x1500, "LO", person.text)
        add(dataset, group << 16 | 0x3000, "OB", ink)
    add(dataset, 0x50000005, "US", 1)
    add(dataset, 0x50000022, "LO", person.text)
    add(dataset, 0x50003000, "OW", ink)
    add(dataset, 0x50020022, "LO", person.text)


def pixels(dataset: Dataset, frames: int = 1, bits: int = 16) -> None:
    update(
        dataset,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=SIDE,
        Columns=SIDE,
        BitsAllocated=bits,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=0,
        PixelSpacing=[1, 1],
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        BurnedInAnnotation="NO",
        ImagePositionPatient=[0, 0, 0],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        SliceThickness=1,
        KVP=120,
        AcquisitionNumber=1,
    )
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.RescaleIntercept, dataset.RescaleSlope = 0, 1
    body = bytes(i * 7 % 251 for i in range(frames * SIDE * SIDE * max(bits // 8, 1)))
    dataset.add(DataElement(Tag("PixelData"), "OW" if bits > 8 else "OB", body))


def update(dataset: Dataset, **values: object) -> None:
    for keyword, value in values.items():
        setattr(dataset, keyword, value)


def _icon(dataset: Dataset, person: Person) -> None:
    """An icon whose pixels are letters: pixel data that a rule for the top level misses."""
    letters = even(person.raw(person.text)).ljust(SIDE * SIDE, b"\1")
    icon = item(
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=SIDE,
        Columns=SIDE,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        ImageComments=person.text,
    )
    icon.add(DataElement(Tag("PixelData"), "OB", letters[: SIDE * SIDE]))
    dataset.IconImageSequence = Sequence([icon])


def _behind_pixels(dataset: Dataset, person: Person) -> None:
    """What follows the pixels: signatures and padding, which a splice of the tail would carry along."""
    dataset.DigitalSignaturesSequence = Sequence(
        [
            item(
                MACIDNumber=1,
                DigitalSignatureUID=f"{ROOT_UID}.77",
                DigitalSignatureDateTime="20170828134756.318276",
                CertificateType="X509_1993_SIG",
                CertificateOfSigner=even(person.raw(person.text)),
                Signature=even(person.raw(person.name)),
            )
        ]
    )
    add(dataset, 0xFFFCFFFC, "OB", even(person.raw(person.text) + person.raw(person.patient_id)))


def _meta(dataset: Dataset, person: Person, syntax: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID(f"{ROOT_UID}.11")
    meta.ImplementationVersionName = person.station[:16]
    meta.SourceApplicationEntityTitle = person.station[:16]
    meta.SendingApplicationEntityTitle = person.station[:16]
    meta.ReceivingApplicationEntityTitle = person.station[:16]
    meta.PrivateInformationCreatorUID = UID(f"{ROOT_UID}.12")
    meta.PrivateInformation = even(person.raw(person.text))
    return meta


def written(dataset: Dataset, person: Person, syntax: str) -> bytes:
    target = BytesIO()
    preamble = (person.raw(person.text) + person.raw(person.patient_id))[:128].ljust(128, b"\0")
    file = FileDataset("", dataset, preamble=preamble, file_meta=_meta(dataset, person, syntax))
    dcmwrite(target, file, enforce_file_format=True)
    return target.getvalue()


def common(person: Person, sop_class: str, number: int) -> Dataset:
    dataset = _identity(person, sop_class, number)
    _nested(dataset, person)
    _private(dataset, person)
    _unknown(dataset, person)
    return dataset


def image(person: Person, sop_class: str, modality: str, number: int) -> Dataset:
    """Return an image with everything planted."""
    dataset = common(person, sop_class, number)
    dataset.Modality = modality
    dataset.ImageComments = person.text
    pixels(dataset)
    _graphics(dataset, person)
    _icon(dataset, person)
    _behind_pixels(dataset, person)
    return dataset
