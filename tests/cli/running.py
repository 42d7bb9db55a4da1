"""Runs the real program, and makes small real objects for it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

REAL = Path(pydicom.__file__).parent / "data" / "test_files"
ROOT = "1.2.826.0.1.3680043.2.1143.77"
SIDE = 32


@dataclass(frozen=True)
class Person:
    """Whose images they are."""

    patient_id: str = "MRN-0047113"
    name: str = "Zwiebelfisch^Adalbert"
    birth: str = "19510329"
    accession: str = "ACC9931077"
    study: int = 1

    @property
    def secrets(self) -> tuple[bytes, ...]:
        words = (self.patient_id, *self.name.split("^"), self.birth, self.accession, f"{ROOT}.")
        return tuple(word.encode() for word in words)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", "from scanward.entrypoints.cli import main; main()", *map(str, arguments)]


def environment(home: Path, **changed: str) -> dict[str, str]:
    """Return an environment with a key of its own below `home`; nothing of this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCANWARD_")}
    ours = {"HOME": str(home), "COLUMNS": "200", "SCANWARD_FREE_SPACE_BYTES": "0"}
    return {**kept, **ours, **changed}


def scanward(home: Path, *arguments: object, **changed: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=environment(home, **changed),
        timeout=240,
        check=False,
    )


def summary_of(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])["summary"]
    return summary


def rows_of(text: str) -> list[dict[str, Any]]:
    return [row for line in text.splitlines() if "summary" not in (row := json.loads(line))]


def write_ct(path: Path, number: int = 1, person: Person = Person()) -> Path:
    """Write a small CT image of a person; `number` makes it another instance."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}.{person.study}.1.{number}")
    meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
    made = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, UID(meta.MediaStorageSOPInstanceUID)
    made.StudyInstanceUID, made.SeriesInstanceUID = f"{ROOT}.{person.study}", f"{ROOT}.{person.study}.1"
    made.FrameOfReferenceUID = f"{ROOT}.{person.study}.2"
    made.PatientID, made.PatientName = person.patient_id, person.name
    made.PatientBirthDate, made.PatientSex, made.AccessionNumber = person.birth, "M", person.accession
    made.StudyDate, made.StudyTime, made.StudyID = "20190522", "101112", "77113355"
    made.Modality, made.Manufacturer, made.ReferringPhysicianName = "CT", "Meridian", "Quast^Ottilie"
    made.SeriesNumber, made.InstanceNumber, made.PositionReferenceIndicator = 1, number, ""
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.PixelSpacing, made.SliceThickness, made.KVP = [1, 1], "5", "120"
    made.ImagePositionPatient, made.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    made.AcquisitionNumber, made.RescaleIntercept, made.RescaleSlope = 1, "-1024", "1"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = SIDE
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = hashlib.shake_128(f"{person.patient_id}{number}".encode()).digest(SIDE * SIDE * 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def write_folder(folder: Path, count: int, people: int = 3) -> Path:
    """Write `count` images of a few people, in folders that tell nothing; they differ by UID alone."""
    models: dict[int, bytes] = {}
    for number in range(count):
        who = number % people
        path = folder / f"set{who}" / f"IM{number:05}.dcm"
        if who not in models:
            person = Person(f"MRN-77{who:05}", f"Zwiebelfisch^Adalbert{who}", study=who + 1)
            models[who] = write_ct(path, 100_000, person).read_bytes()
        old, new = f"{ROOT}.{who + 1}.1.100000", f"{ROOT}.{who + 1}.1.{100_000 + number}"
        path.write_bytes(models[who].replace(old.encode(), new.encode()))
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    """Return the outputs below a folder by their relative names, the run's own state left out."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    relative = ((path.relative_to(folder), path) for path in found)
    return {str(name): path.read_bytes() for name, path in relative if name.parts[0] != ".scanward"}
