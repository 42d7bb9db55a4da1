"""How much memory one object takes: clean sparse multi-frame objects, print by how much the peak grows."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

from bench.deidentify_loop import clean_file
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load

FRAME = 512 * 512 * 2
SIZES = (1, 128, 1024, 4095)


def make(path: Path, frames: int) -> None:
    """Write a multi-frame object whose pixels are a hole in the file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = NuclearMedicineImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.Modality = NuclearMedicineImageStorage, "NM"
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(frames)])
    made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    made.PatientID, made.PatientName, made.StudyDate = "M1", "Made^Up", "20200202"
    made.Rows = made.Columns = 512
    made.SamplesPerPixel, made.PhotometricInterpretation, made.NumberOfFrames = 1, "MONOCHROME2", frames
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.save_as(path, enforce_file_format=True)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b"\xe0\x7f\x10\x00OW\0\0" + (frames * FRAME).to_bytes(4, "little"))
        file.truncate(file.tell() + frames * FRAME)


def resident(field: str) -> int:
    """Return a memory field of this process in bytes: VmRSS, or VmHWM for the peak."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024


def growth(engine: Engine, folder: Path, frames: int) -> int:
    """Return by how many bytes the peak rises above the idle process for one object, cleaned and written."""
    source, target = folder / "source.dcm", folder / "target.dcm"
    make(source, frames)
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    idle = resident("VmRSS")
    clean_file(engine, str(source), str(target))
    peak = resident("VmHWM")
    source.unlink()
    target.unlink()
    return max(0, peak - idle)


def main() -> None:
    """Use the folder given for the objects; print `{"frames": growth in bytes}`."""
    folder = Path(sys.argv[1])
    engine = Engine(load("hipaa-safe-harbor"), Keys(bytes(range(32))))
    growth(engine, folder, 1)
    print(json.dumps({frames * FRAME: growth(engine, folder, frames) for frames in SIZES}))


if __name__ == "__main__":
    main()
