"""Objects of many kinds with unmistakable identifiers planted wherever DICOM lets one stand.

The planting knows nothing of Scanward: it is written with pydicom and by hand, from the standard.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom.config
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.e2e.dressing import CT, common, image, item, pixels, update, written
from tests.e2e.needles import ROOT_UID, Person

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
REPORT = "1.2.840.10008.5.1.4.1.1.88.11"


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted file below a folder; `kind` is its sentence in a test's name."""

    kind: str
    name: str
    body: bytes


def _for_big_endian(dataset: Dataset) -> Dataset:
    """Take out what is little endian by definition, whatever the transfer syntax; PS3.5 6.2.2."""
    del dataset[0x00101002]
    return dataset


def _rle(dataset: Dataset) -> Dataset:
    """Return the image with its pixels as one RLE fragment, made by hand; PS3.5 Annex G."""
    plain = dataset.PixelData
    planes = [plain[1::2], plain[0::2]]
    segments = [b"".join(_literal_runs(plane)) for plane in planes]
    segments = [segment + b"\x80" * (len(segment) % 2) for segment in segments]
    offsets = [64, 64 + len(segments[0])]
    header = struct.pack("<16L", 2, *offsets, *([0] * 13))
    dataset.PixelData = encapsulate([header + b"".join(segments)])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def _literal_runs(plane: bytes) -> Iterator[bytes]:
    for start in range(0, len(plane), 128):
        run = plane[start : start + 128]
        yield bytes([len(run) - 1]) + run


def _rtstruct(person: Person, number: int) -> Dataset:
    dataset = common(person, RTSTRUCT, number)
    del dataset.FrameOfReferenceUID
    update(
        dataset,
        Modality="RTSTRUCT",
        StructureSetLabel="PLAN",
        StructureSetName=person.text,
        StructureSetDate="20170823",
        StructureSetTime="134751.318271",
        ApprovalStatus="UNAPPROVED",
        ReviewerName=person.physician,
        StructureSetROISequence=Sequence(
            [
                item(
                    ROINumber=1,
                    ReferencedFrameOfReferenceUID=f"{ROOT_UID}.{person.number}.4",
                    ROIName="LIVER",
                    ROIDescription=person.text,
                    ROIGenerationAlgorithm="MANUAL",
                )
            ]
        ),
        ROIContourSequence=Sequence([item(ReferencedROINumber=1, ROIDisplayColor=[255, 0, 0])]),
        RTROIObservationsSequence=Sequence(
            [
                item(
                    ObservationNumber=1,
                    ReferencedROINumber=1,
                    RTROIInterpretedType="ORGAN",
                    ROIInterpreter=person.physician,
                )
            ]
        ),
    )
    return dataset


def _enhanced(person: Person, number: int) -> Dataset:
    dataset = image(person, ENHANCED_CT, "CT", number)
    pixels(dataset, frames=3)
    dataset.SharedFunctionalGroupsSequence = Sequence(
        [
            item(
                ReferencedImageSequence=Sequence(
                    [
                        item(
                            ReferencedSOPClassUID=CT,
                            ReferencedSOPInstanceUID=f"{ROOT_UID}.{person.number}.3.1",
                        )
                    ]
                )
            )
        ]
    )
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [
            item(
                FrameContentSequence=Sequence(
                    [
                        item(
                            FrameAcquisitionDateTime=f"2017082{frame}134753.318274",
                            FrameReferenceDateTime=f"2017082{frame}134753.318274",
                            FrameComments=person.text,
                        )
                    ]
                )
            )
            for frame in (7, 8, 9)
        ]
    )
    return dataset


def _segmentation(person: Person, number: int) -> Dataset:
    dataset = common(person, SEGMENTATION, number)
    pixels(dataset, frames=2, bits=8)
    update(
        dataset,
        Modality="SEG",
        SegmentationType="FRACTIONAL",
        SegmentationFractionalType="PROBABILITY",
        MaximumFractionalValue=255,
        ContentLabel="SEGMENTATION",
        ContentDescription=f"{person.name} {person.patient_id}",
        ContentCreatorName=person.physician,
        ImageType=["DERIVED", "PRIMARY"],
        LossyImageCompression="00",
        SegmentSequence=Sequence(
            [
                item(
                    SegmentNumber=1,
                    SegmentLabel="LIVER",
                    SegmentDescription=f"{person.name} {person.patient_id}",  # no row of the table names it
                    SegmentAlgorithmType="MANUAL",
                )
            ]
        ),
    )
    return dataset


def _report(person: Person, number: int) -> Dataset:
    dataset = common(person, REPORT, number)
    update(
        dataset,
        Modality="SR",
        ValueType="CONTAINER",
        CompletionFlag="COMPLETE",
        VerificationFlag="UNVERIFIED",
        ContinuityOfContent="SEPARATE",
        ContentSequence=Sequence(
            [
                item(RelationshipType="CONTAINS", ValueType="TEXT", TextValue=person.text),
                item(RelationshipType="HAS OBS CONTEXT", ValueType="PNAME", PersonName=person.physician),
            ]
        ),
    )
    return dataset


def _burned(person: Person, number: int) -> Dataset:
    dataset = image(person, SECONDARY, "OT", number)
    dataset.BurnedInAnnotation = "YES"
    dataset.ConversionType = "WSD"
    return dataset


def _with_group_lengths(body: bytes) -> bytes:
    """Return an explicit object with a retired group length in front of its patient group; PS3.5 7.2."""
    group = body.rindex(struct.pack("<HH", 0x0010, 0x0010) + b"PN")
    length = struct.pack("<HH2sHL", 0x0010, 0x0000, b"UL", 4, 0)
    return body[:group] + length + body[group:]


def _bare(body: bytes) -> bytes:
    """Return the data set of an implicit object alone: no preamble, no meta."""
    (length,) = struct.unpack_from("<L", body, 140)
    return body[144 + length :]


def _truncated(body: bytes) -> bytes:
    """Return an object cut inside its pixels; the gate has to refuse it without a word of what is in it."""
    return body[: len(body) - len(body) // 3]


def _wrong_order(body: bytes) -> bytes:
    """Return little-endian bytes that say big endian: readers then see no known tag and keep every value."""
    return body.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1)


Builder = Callable[[Person, int], bytes]


def _explicit(build: Callable[[Person, int], Dataset]) -> Builder:
    return lambda person, number: written(build(person, number), person, ExplicitVRLittleEndian)


def _ct_in(syntax: str) -> Builder:
    return lambda person, number: written(image(person, CT, "CT", number), person, syntax)


KINDS: dict[str, Builder] = {
    "CT explicit": _ct_in(ExplicitVRLittleEndian),
    "CT implicit": _ct_in(ImplicitVRLittleEndian),
    "CT big endian": lambda p, n: written(_for_big_endian(image(p, CT, "CT", n)), p, ExplicitVRBigEndian),
    "CT deflated": _ct_in(DeflatedExplicitVRLittleEndian),
    "CT with group lengths": lambda p, n: _with_group_lengths(
        written(image(p, CT, "CT", n), p, ExplicitVRLittleEndian)
    ),
    "CT bare data set": lambda p, n: _bare(written(image(p, CT, "CT", n), p, ImplicitVRLittleEndian)),
    "MR RLE": lambda p, n: written(_rle(image(p, MR, "MR", n)), p, RLELossless),
    "enhanced CT": _explicit(_enhanced),
    "RTSTRUCT": _explicit(_rtstruct),
    "SEG": _explicit(_segmentation),
    "structured report": _explicit(_report),
    "burned-in secondary capture": _explicit(_burned),
    "truncated CT": lambda p, n: _truncated(written(image(p, CT, "CT", n), p, ExplicitVRLittleEndian)),
    "CT of a wrong byte order": lambda p, n: _wrong_order(
        written(image(p, CT, "CT", n), p, ExplicitVRLittleEndian)
    ),
}
DELIVERED = frozenset(
    {
        "CT explicit",
        "CT implicit",
        "CT big endian",
        "CT deflated",
        "MR RLE",
        "enhanced CT",
        "RTSTRUCT",
        "SEG",
    }
)


def planted(person: Person) -> Iterator[Planted]:
    """Yield an object of every kind for a person, in folders and files named after the person."""
    # pydicom would turn UN back into the VR it knows; here it has to stay as a router leaves it.
    pydicom.config.replace_un_with_known_vr = False
    try:
        yield from _planted(person)
    finally:
        pydicom.config.replace_un_with_known_vr = True


def _planted(person: Person) -> Iterator[Planted]:
    for number, (kind, build) in enumerate(KINDS.items(), start=1):
        names = (
            f"{person.patient_id}/{person.latin_family}_{person.latin_given}/{number}.dcm",
            f"{person.latin_family}/{person.accession}/IM{number}",
            f"studies/{ROOT_UID}.{person.number}.1/{ROOT_UID}.{person.number}.3.{number}.dcm",
            f"{person.latin_given.lower()} {person.latin_family.lower()}/born 19330417/{number}",
        )
        yield Planted(kind, names[number % len(names)], build(person, number))


def plant(folder: Path, people: tuple[Person, ...]) -> list[Planted]:
    """Write every planted object of every person below a folder."""
    files = [file for person in people for file in planted(person)]
    for file in files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.body)
    return files


def inflated(body: bytes) -> bytes:
    """Return an object's bytes with a deflated data set inflated behind them, so that a search sees it."""
    if DeflatedExplicitVRLittleEndian.encode() not in body[:1024]:
        return body
    (length,) = struct.unpack_from("<L", body, 140)
    return body + zlib.decompress(body[144 + length :], -zlib.MAX_WBITS)
