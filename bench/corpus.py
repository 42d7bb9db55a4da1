"""Make CT-like objects for the benchmarks: always the same ones for one seed, and no two headers alike.

50 patients, 4 series each with its own equipment, dates and descriptions (200 distinct headers), so that an
engine that remembers what it saw cannot win by remembering. Every name and number is made up.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

ROWS = COLUMNS = 512
SERIES_A_PATIENT = 4

_FAMILIES = (
    "Ångström",
    "Brandão",
    "Castelli",
    "Dupont",
    "Eriksen",
    "Fontaine",
    "García",
    "Hagen",
    "Jørgensen",
)
_GIVEN = ("Ada", "Bruno", "Clara", "Dmitri", "Elena")
_MAKERS = (("Meridian", "Ray 64"), ("Kestrel", "Volume X"), ("Nordlicht", "Iris 128"), ("Tellus", "Prime CT"))
_REGIONS = ("CHEST", "ABDOMEN", "HEAD", "PELVIS", "SPINE", "NECK", "KNEE", "SINUS")
_KERNELS = ("B30f", "B60s", "STANDARD", "LUNG", "FC13", "BONE")


@dataclass(frozen=True, slots=True)
class Plan:
    """What all slices of one series have in common: the made-up facts from which its header is built."""

    patient: int
    series: int
    rng: random.Random
    day: date
    region: str
    maker: str
    model: str

    def uid(self, *parts: object) -> str:
        """Return a UID under a documentation root, fixed by the parts."""
        text = "/".join(map(str, (self.patient, *parts)))
        return f"1.2.826.0.1.3680043.2.1143.{int(hashlib.sha256(text.encode()).hexdigest()[:20], 16)}"

    def clock(self, seconds: float) -> str:
        """Return a TM value some seconds after the series began."""
        whole = 8 * 3600 + self.series * 1800 + self.patient * 60 + seconds
        return f"{int(whole // 3600):02}{int(whole // 60) % 60:02}{whole % 60:09.6f}"


def make(folder: Path, count: int = 1000, seed: int = 20261125, patients: int = 50) -> list[Path]:
    """Write `count` objects of 0.5 MB under `folder` (one folder a patient) and return their paths."""
    pixels = _pixels(seed)
    series = patients * SERIES_A_PATIENT
    paths = []
    for number in range(series):
        plan = _plan(number, seed)
        target = folder / f"P{plan.patient:03}" / f"S{plan.series:02}"
        target.mkdir(parents=True, exist_ok=True)
        for index in range(number * count // series, (number + 1) * count // series):
            path = target / f"IM{index:05}.dcm"
            _write(path, plan, index - number * count // series, pixels)
            paths.append(path)
    return paths


def header(series: int, index: int, seed: int = 20261125) -> FileDataset:
    """Return one object without pixels, for tests: the `index`-th slice of the `series`-th series."""
    return _slice(_plan(series, seed), index)


def _pixels(seed: int) -> bytes:
    return random.Random(seed).randbytes(ROWS * COLUMNS * 2)  # noqa: S311  (noise for pictures, no secret)


def _plan(number: int, seed: int) -> Plan:
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  (made-up facts, no secret)
    patient, series = divmod(number, SERIES_A_PATIENT)
    day = date(2011, 1, 3) + timedelta(days=patient * 71 + series // 2 * 190)
    maker, model = rng.choice(_MAKERS)
    plan = Plan(patient, series, rng, day, "", maker, model)
    return replace(plan, region=_study(plan).choice(_REGIONS))


def _study(plan: Plan) -> random.Random:
    """Return the source of what all series of one study share: order, physicians, region."""
    return random.Random(f"study {plan.patient}/{plan.series // 2}")  # noqa: S311  (made-up facts, no secret)


def _write(path: Path, plan: Plan, index: int, pixels: bytes) -> None:
    made = _slice(plan, index)
    made.add_new(0x7FE00010, "OW", pixels)
    made.save_as(path, enforce_file_format=True)


def _slice(plan: Plan, index: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(plan.uid("instance", plan.series, index))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID("1.2.826.0.1.3680043.2.1143.1")
    meta.ImplementationVersionName = "MADEUP_1"
    meta.SourceApplicationEntityTitle = f"CT{plan.patient % 7}_HOSP"
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    rng = random.Random(f"{plan.patient}/{plan.series}")  # noqa: S311  (made-up facts, no secret)
    for fill in (_identification, _patient, _acquisition, _relationship, _image, _procedure, _private):
        fill(made, plan, index, rng)
    return made


def _identification(made: Dataset, plan: Plan, index: int, rng: random.Random) -> None:
    day = plan.day.strftime("%Y%m%d")
    study = _study(plan)
    made.SpecificCharacterSet = "ISO_IR 100"
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", f"CT_SOM{plan.series} SPI"]
    made.InstanceCreationDate = made.StudyDate = made.SeriesDate = day
    made.AcquisitionDate = made.ContentDate = day
    made.InstanceCreationTime = plan.clock(40 + index * 0.731)
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = plan.uid("instance", plan.series, index)
    made.AcquisitionDateTime = day + plan.clock(index * 0.5)
    made.StudyTime, made.SeriesTime = plan.clock(0), plan.clock(11.5)
    made.AcquisitionTime, made.ContentTime = plan.clock(index * 0.5), plan.clock(30 + index * 0.731)
    made.AccessionNumber = f"A{study.randrange(10**8):08}"
    made.Modality, made.Manufacturer = "CT", plan.maker
    made.InstitutionName = f"St. Example Hospital {plan.patient % 7}"
    made.InstitutionAddress = f"{study.randrange(200)} Nowhere Street, Sampletown"
    made.InstitutionalDepartmentName = "Radiology"
    made.ReferringPhysicianName = f"{study.choice(_FAMILIES)}^{study.choice(_GIVEN)}^^Dr"
    made.StationName = f"CTAWP{rng.randrange(10**5)}"
    made.StudyDescription = f"CT {plan.region} with contrast"
    made.ProcedureCodeSequence = Items([_code(f"P{study.randrange(10**4)}", "99LOCAL", f"CT {plan.region}")])
    made.SeriesDescription = f"{plan.region} {rng.choice(('1.0', '3.0', '5.0'))} {rng.choice(_KERNELS)} axial"
    made.PerformingPhysicianName = f"{study.choice(_FAMILIES)}^{study.choice(_GIVEN)}"
    made.NameOfPhysiciansReadingStudy = f"{study.choice(_FAMILIES)}^{study.choice(_GIVEN)}"
    made.OperatorsName = f"{study.choice(_FAMILIES)}^{study.choice(_GIVEN)}"
    made.ManufacturerModelName = plan.model
    whole = _reference("1.2.840.10008.3.1.2.3.1", plan.uid("study", plan.series // 2))
    made.ReferencedStudySequence = Items([whole])
    images = [_reference(CTImageStorage, plan.uid("scout", plan.series, number)) for number in range(2)]
    made.ReferencedImageSequence = Items(images)
    made.IrradiationEventUID = plan.uid("irradiation", plan.series)


def _patient(made: Dataset, plan: Plan, _index: int, _rng: random.Random) -> None:
    rng = random.Random(plan.patient)  # noqa: S311  (made-up facts, no secret)
    made.PatientName = f"{rng.choice(_FAMILIES)}^{rng.choice(_GIVEN)}^Q{plan.patient}"
    made.PatientID = f"MRN{rng.randrange(10**9):09}"
    made.IssuerOfPatientID = "EXAMPLE_HIS"
    born = date(1935, 1, 1) + timedelta(days=rng.randrange(26000))
    made.PatientBirthDate = born.strftime("%Y%m%d")
    made.PatientSex = rng.choice("MFO")
    made.OtherPatientIDs = [f"X{rng.randrange(10**7)}", f"Y{rng.randrange(10**7)}"]
    made.PatientAge = f"{(plan.day - born).days // 365:03}Y"
    made.PatientSize, made.PatientWeight = f"{rng.uniform(1.5, 2):.2f}", f"{rng.uniform(45, 110):.1f}"
    made.PatientAddress = f"{rng.randrange(300)} Sample Road"
    made.PatientTelephoneNumbers = f"555-01{rng.randrange(100):02}"
    made.EthnicGroup, made.Occupation = "UNKNOWN", "engineer"
    made.AdditionalPatientHistory = f"Follow-up {rng.randrange(99)}, known nodule, {made.PatientName}"
    made.PatientComments = f"Bed {rng.randrange(60)}"


def _acquisition(made: Dataset, plan: Plan, index: int, rng: random.Random) -> None:
    made.ContrastBolusAgent, made.BodyPartExamined = "Iohexol 350", plan.region
    made.ScanOptions, made.SliceThickness = "HELICAL", rng.choice(("1", "3", "5"))
    made.KVP, made.DataCollectionDiameter = rng.choice(("80", "100", "120")), "500"
    made.DeviceSerialNumber = f"{rng.randrange(10**6)}"
    made.SoftwareVersions = f"VA{rng.randrange(40, 60)}A"
    made.ProtocolName = f"{rng.randrange(20)}_{plan.region.title()}Routine"
    made.ReconstructionDiameter = f"{rng.uniform(250, 420):.2f}"
    made.DistanceSourceToDetector, made.DistanceSourceToPatient = "1085.6", "595"
    made.GantryDetectorTilt, made.TableHeight = "0", f"{rng.uniform(100, 200):.1f}"
    made.RotationDirection, made.ExposureTime = "CW", rng.choice(("500", "330", "280"))
    made.XRayTubeCurrent, made.Exposure = f"{200 + index * 3}", f"{90 + index}"
    made.FilterType, made.GeneratorPower = "WEDGE_2", f"{rng.randrange(20, 60)}"
    made.FocalSpots, made.DateOfLastCalibration = "1.2", plan.day.strftime("%Y%m%d")
    made.TimeOfLastCalibration = "060115.000"
    made.ConvolutionKernel, made.PatientPosition = rng.choice(_KERNELS), "HFS"
    made.RevolutionTime, made.SingleCollimationWidth = 0.5, 0.6
    made.TotalCollimationWidth, made.TableSpeed = 19.2, 46.0
    made.TableFeedPerRotation, made.SpiralPitchFactor = 23.0, 1.2
    made.ExposureModulationType, made.EstimatedDoseSaving = "XYZ_EC", 12.5
    made.CTDIvol = 3.25 + index / 64
    phantom = _code("113691", "DCM", "IEC Body Dosimetry Phantom")
    made.CTDIPhantomTypeCodeSequence = Items([phantom])


def _relationship(made: Dataset, plan: Plan, index: int, rng: random.Random) -> None:
    made.StudyInstanceUID = plan.uid("study", plan.series // 2)
    made.SeriesInstanceUID = plan.uid("series", plan.series)
    made.StudyID, made.SeriesNumber = f"{_study(plan).randrange(10**5)}", f"{plan.series + 1}"
    made.AcquisitionNumber, made.InstanceNumber = f"{rng.randrange(1, 9)}", f"{index + 1}"
    place = -120.5 + rng.randrange(100) + index * 1.25
    made.ImagePositionPatient = ["-174.658203", f"{-320 + rng.randrange(90)}", f"{place:.3f}"]
    made.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    made.FrameOfReferenceUID = plan.uid("frame", plan.series // 2)
    made.PositionReferenceIndicator, made.SliceLocation = "SN", f"{place:.3f}"
    made.ImageComments = f"slice {index}"


def _image(made: Dataset, _plan: Plan, index: int, rng: random.Random) -> None:
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = ROWS, COLUMNS
    made.PixelSpacing = [f"{rng.uniform(0.5, 0.9):.6f}"] * 2
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.SmallestImagePixelValue, made.LargestImagePixelValue = 0, 1500 + index * 7
    made.BurnedInAnnotation, made.LossyImageCompression = "NO", "00"
    made.WindowCenter, made.WindowWidth = ["40", "-600"], ["400", "1200"]
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = "-1024", "1", "HU"
    made.WindowCenterWidthExplanation = ["SOFT", "LUNG"]


def _procedure(made: Dataset, plan: Plan, _index: int, _rng: random.Random) -> None:
    rng = _study(plan)
    day = plan.day.strftime("%Y%m%d")
    made.RequestingPhysician, made.RequestingService = f"{rng.choice(_FAMILIES)}^{rng.choice(_GIVEN)}", "ONC"
    made.RequestedProcedureDescription = f"CT {plan.region} for {made.PatientName}"
    made.RequestedProcedureCodeSequence = Items([_code("P1", "99LOCAL", f"CT {plan.region}")])
    made.RequestedContrastAgent = "Iohexol"
    made.ScheduledProcedureStepStartDate = made.PerformedProcedureStepStartDate = day
    made.PerformedProcedureStepStartTime = plan.clock(-30)
    made.PerformedProcedureStepID = f"PPS{rng.randrange(10**6)}"
    made.PerformedProcedureStepDescription = f"CT {plan.region}"
    request = Dataset()
    request.ScheduledProcedureStepDescription = f"CT {plan.region}"
    request.ScheduledProtocolCodeSequence = Items([_code("SP2", "99LOCAL", "Routine")])
    request.ScheduledProcedureStepID = f"SPS{rng.randrange(10**6)}"
    request.RequestedProcedureID = f"RP{rng.randrange(10**6)}"
    made.RequestAttributesSequence = Items([request])
    made.RequestedProcedureID = request.RequestedProcedureID
    made.FillerOrderNumberImagingServiceRequest = f"FO{rng.randrange(10**6)}"


def _private(made: Dataset, plan: Plan, index: int, rng: random.Random) -> None:
    block = made.private_block(0x0029, f"{plan.maker.upper()} MEDCOM", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x09, "LO", plan.day.strftime("%Y%m%d"))
    block.add_new(0x10, "OB", rng.randbytes(1024))
    block.add_new(0x20, "LO", str(made.PatientName))
    block.add_new(0x31, "DS", f"{index * 1.25:.2f}")
    other = made.private_block(0x0019, f"{plan.maker.upper()} CT HEADER", create=True)
    other.add_new(0x90, "DS", "0.5")
    other.add_new(0x91, "IS", f"{index}")


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def _reference(sop_class: str, instance: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = sop_class, instance
    return made


def main() -> None:
    """Write the corpus under the folder given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261125)
    chosen = parser.parse_args()
    made = make(chosen.folder, chosen.count, chosen.seed)
    print(f"{len(made)} objects under {chosen.folder}")


if __name__ == "__main__":
    main()
