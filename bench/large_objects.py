"""What large objects cost inside S3: bytes through the function, memory and time, on objects of gigabytes.

    python -m bench.large_objects [--write]

S3 is `bench.sparse_s3`, which describes objects instead of holding them and takes no time to copy: what is
measured is this side. The stages run as the functions do, each opening the object anew, in a new process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from bench import figures
from bench.sparse_s3 import Content, Segment, SparseS3, sparse_s3
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.deidentify.engine import Engine
from scanward.deidentify.keys import Keys
from scanward.deidentify.profile import load
from scanward.dicom import structure
from scanward.dicom.structure import Bounds
from scanward.receive.s3_event import Reference
from scanward.store.outgoing import check_output
from scanward.validate import severities_of, validate

BOUNDS = Bounds(object_bytes=8 << 30)
BUCKET, KEY, OUT = "raw", "object.dcm", "processed"
SIDE = 2048
MIB = 1 << 20
FILES = Path(pydicom.__file__).parent / "data" / "test_files"


@dataclass(frozen=True)
class Figures:
    """Of one object's way through the three stages."""

    name: str
    size: int
    received: int
    sent: int
    requests: int
    memory: int
    seconds: float


def header(frames: int, syntax: UID, bits: int = 16) -> bytes:
    """Return a multi-frame CT up to its pixels, preamble and file meta included."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.2.1143.1.1")
    meta.TransferSyntaxUID = syntax
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID = EnhancedCTImageStorage, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = (
        "1.2.826.0.1.3680043.2.1143.2",
        "1.2.826.0.1.3680043.2.1143.3",
    )
    made.PatientID, made.PatientName = "MRN-0047113", "Zwiebelfisch^Adalbert"
    made.PatientBirthDate, made.PatientSex, made.StudyDate = "19510329", "M", "20190522"
    made.Modality, made.Manufacturer, made.ImageType = (
        "CT",
        "Meridian",
        ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    )
    made.BurnedInAnnotation = "NO"
    made.PerFrameFunctionalGroupsSequence = [_frame(number) for number in range(frames)]
    made.SamplesPerPixel, made.PhotometricInterpretation, made.NumberOfFrames = 1, "MONOCHROME2", frames
    made.Rows = made.Columns = SIDE
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = bits, bits, bits - 1, 0
    out = BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _frame(number: int) -> Dataset:
    item, content = Dataset(), Dataset()
    content.FrameAcquisitionNumber, content.FrameReferenceDateTime = number + 1, "20190522101112"
    content.DimensionIndexValues = [1, number + 1]
    item.FrameContentSequence = [content]
    return item


def native(size: int) -> Content:
    """Return a native object of about `size` bytes."""
    frames = size // (SIDE * SIDE * 2)
    length = frames * SIDE * SIDE * 2
    pixels = struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OW", length)
    return Content([header(frames, ExplicitVRLittleEndian) + pixels, length])


def encapsulated(size: int, syntax: UID, frame: bytes, bits: int) -> Content:
    """Return an object of as many fragments of one frame each as make about `size` bytes."""
    frames = size // len(frame)
    begin = struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0
    )
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(frame)) + frame
    segments: list[Segment] = [header(frames, syntax, bits) + begin, *[item] * frames]
    return Content([*segments, struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)])


def jpeg_2000_frame(length: int) -> bytes:
    """Return a codestream whose one tile-part has as many bytes as wanted; its headers are sound."""
    size = struct.pack(">HHIIIIIIIIH", 41, 0, SIDE, SIDE, 0, 0, SIDE, SIDE, 0, 0, 1) + bytes((15, 1, 1))
    coding = b"\xff\x52\x00\x0c\x00\x00\x00\x01\x00\x05\x04\x04\x00\x01"
    quantisation = b"\xff\x5c\x00\x13\x40" + bytes(16)
    head = b"\xff\x4f\xff\x51" + size + coding + quantisation
    rest = length - len(head) - 2
    tile = struct.pack(">HHHIBB", 0xFF90, 10, 0, rest, 0, 1) + b"\xff\x93" + bytes(rest - 14)
    return head + tile + b"\xff\xd9"


def jpeg_frame(length: int) -> bytes:
    """Return a JPEG whose scan has as many bytes as wanted; its headers are sound."""
    table = b"\xff\xdb\x00\x43\x00" + bytes([1] * 64)
    start = struct.pack(">HHBHHB", 0xFFC0, 11, 8, SIDE, SIDE, 1) + b"\x01\x11\x00"
    huffman = b"\xff\xc4\x00\x14\x00" + bytes([1] + [0] * 15) + b"\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    head = b"\xff\xd8" + table + start + huffman + scan
    return head + bytes([0x55]) * ((length - len(head) - 2) & ~1) + b"\xff\xd9" + b"\0" * (len(head) & 1)


def stages(url: str, answers: multiprocessing.Queue[tuple[int, float]]) -> None:
    """Take the object through ingestion, validation and de-identification; answer memory and time."""
    os.environ.update(AWS_ENDPOINT_URL=url, AWS_DEFAULT_REGION="us-east-1")
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")  # noqa: S106 - the server asks for none
    engine = Engine(load("hipaa-safe-harbor"), Keys(b"k" * 32, "bench", digits=12), BOUNDS)
    severities = severities_of({})
    engine.clean(memoryview((FILES / "CT_small.dcm").read_bytes()))
    objects = S3Objects()
    objects.put(b"warm", OUT, "warm")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    before, began = _memory("VmRSS"), time.monotonic()
    with objects.open(Reference(BUCKET, KEY)) as opened:
        structure.check(opened.view, BOUNDS)
    with objects.open(Reference(BUCKET, KEY)) as opened:
        validate(opened.view, structure.check(opened.view, BOUNDS), severities)
    with objects.open(Reference(BUCKET, KEY)) as opened:
        cleaned = engine.clean_source(opened)
        check_output(cleaned.pieces, opened.read, BOUNDS)
        objects.put_pieces(
            cleaned.pieces, opened, OUT, KEY, metadata={"release": "bench"}, if_none_match=True
        )
    answers.put((_memory("VmHWM") - before, time.monotonic() - began))


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def measured(kept: SparseS3, name: str, content: Content) -> Figures:
    """Return the figures of one object; the stages run in a new process."""
    kept.objects = {f"/{BUCKET}/{KEY}": content}
    kept.forget()
    spawning = multiprocessing.get_context("spawn")
    answers = spawning.Queue()
    process = spawning.Process(target=stages, args=(kept.url, answers))
    process.start()
    memory, seconds = answers.get(timeout=900)
    process.join(30)
    written = kept.objects[f"/{OUT}/{KEY}"]
    if kept.uploads or not 0 < content.size - written.size + MIB < 2 * MIB:
        raise SystemExit(f"{name}: the output is not what it should be")
    return Figures(name, content.size, kept.received, kept.sent, kept.requests, memory, seconds)


def table(found: list[Figures]) -> str:
    """Return the figures as they stand in README.md."""
    lines = [
        "| object | size | read | sent | of its size | requests | peak memory above idle | seconds |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        share = (one.received + one.sent) / one.size
        lines.append(
            f"| {one.name} | {one.size / 1e9:.2f} GB | {one.received / 1e6:.1f} MB | {one.sent / 1e6:.1f} MB "
            f"| {share:.2%} | {one.requests} | {one.memory / MIB:.0f} MiB | {one.seconds:.1f} |"
        )
    return "\n".join([*lines, "", f"Machine: {figures.machine()}."])


def cases(scale: float) -> list[tuple[str, Callable[[], Content]]]:
    """Return what is measured."""
    return [
        ("native, 16 bit", lambda: native(int(3.9e9 * scale))),
        (
            "JPEG 2000, frames of 4 MB",
            lambda: encapsulated(int(5e9 * scale), JPEG2000Lossless, jpeg_2000_frame(4_000_000), 16),
        ),
        (
            "JPEG 2000, frames of 300 kB",
            lambda: encapsulated(int(5e8 * scale), JPEG2000Lossless, jpeg_2000_frame(300_000), 16),
        ),
        (
            "JPEG, frames of 300 kB",
            lambda: encapsulated(int(5e8 * scale), JPEGBaseline8Bit, jpeg_frame(300_000), 8),
        ),
    ]


def main() -> None:
    """Measure and print, or write into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into bench/README.md")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes")
    asked = parser.parse_args()
    os.environ.pop("AWS_ENDPOINT_URL", None)
    with sparse_s3() as kept:
        found = [measured(kept, name, make()) for name, make in cases(asked.scale)]
    text = table(found)
    print(text)
    if asked.write:
        figures.write("large-objects", text)


if __name__ == "__main__":
    main()
