"""The gate's checks of pixels for a data set that lies in memory and may never have been a file."""

from __future__ import annotations

import copy
import mmap
import tempfile

from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from scanward.deidentify.writer import Writer
from scanward.dicom.structure import DEFAULT, Findings, Walk, check_pixels
from scanward.dicom.structure.coding import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    NOTABLE,
    PIXEL_TAGS,
)
from scanward.dicom.structure.syntaxes import SYNTAXES, TransferSyntax
from scanward.errors import BadInput, InvalidDicom


def check_type(dataset: object) -> None:
    """Raise BadInput for anything but a data set."""
    if not isinstance(dataset, Dataset):
        raise BadInput(f"A pydicom Dataset is needed, not {type(dataset).__name__}; a file goes by its path")


def check_image(dataset: Dataset, syntax: UID, writer: Writer) -> None:
    """Check the pixels against the attributes as they would lie in a file.

    Raises InvalidDicom with the gate's faults. Written to an unnamed temporary file, as pixels may be large.
    """
    if not any(tag in dataset for tag in PIXEL_TAGS):
        return
    with tempfile.TemporaryFile() as file:
        _write(dataset, DicomFileLike(file), writer)
        file.flush()
        _check(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), _coded(syntax, writer))


def _write(dataset: Dataset, target: DicomFileLike, writer: Writer) -> None:
    """Write what the gate looks at; copies, for pydicom settles an ambiguous VR in the element itself."""
    try:
        shown = Dataset({BaseTag(tag): copy.copy(dataset[tag]) for tag in sorted(NOTABLE) if tag in dataset})
        target.is_implicit_VR, target.is_little_endian = not writer.explicit, writer.little_endian
        write_dataset(target, shown)
    except Exception as error:  # noqa: BLE001 - pydicom raises what it likes, and its texts hold values
        raise InvalidDicom(f"The pixels cannot be written ({type(error).__name__})") from None


def _coded(syntax: UID, writer: Writer) -> TransferSyntax:
    """Return how the data set is coded; a private syntax is read by its coding alone."""
    if not writer.little_endian:
        return TransferSyntax(str(syntax), EXPLICIT_BIG)
    coding = EXPLICIT_LITTLE if writer.explicit else IMPLICIT_LITTLE
    return SYNTAXES.get(str(syntax)) or TransferSyntax(str(syntax), coding)


def _check(view: memoryview, syntax: TransferSyntax) -> None:
    findings = Findings()
    walk = Walk(view, DEFAULT, findings, encapsulated=syntax.encapsulated)
    if walk.dataset(0, len(view), syntax.coding) and walk.pixels is not None:
        check_pixels(view, walk.pixels, walk.notable, syntax, walk.fragments, findings)
    findings.raise_rejected()
