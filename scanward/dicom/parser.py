"""The documented parser: the gate first, then pydicom."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, FileDataset, dcmread
from pydicom.uid import UID

from scanward.dicom.structure import DEFAULT, Bounds, Structure, check, open_object
from scanward.dicom.structure.syntaxes import (
    EXPLICIT_BIG_ENDIAN,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
)
from scanward.errors import BadInput, InvalidDicom

_LARGE = 64 << 20
_DEFERRED = 1 << 20
_ZEROS = 0x00000000  # what pydicom makes of zero bytes behind the last element


class DICOMParser:
    """Reads DICOM objects with pydicom, after the gate has checked them to the last byte.

    Values larger than 1 MiB of files larger than 64 MiB are read when they are asked for.
    """

    def __init__(self) -> None:
        """Keep the bounds of objects that pydicom must hold whole."""
        self._bounds: Bounds = DEFAULT.for_library()

    def parse_file(self, file_path: str | Path) -> Dataset:
        """Return the data set of a file. Raises InvalidDicom with every fault that the gate can name."""
        with open_object(file_path, bounds=self._bounds) as opened:
            structure = check(opened.view, self._bounds)
            defer = _DEFERRED if opened.size > _LARGE and not structure.deflated else None
            return _read(str(file_path), structure, defer)

    def parse_bytes(self, dicom_bytes: bytes) -> Dataset:
        """Return the data set of an object in memory. Raises InvalidDicom as `parse_file` does."""
        structure = check(memoryview(dicom_bytes), self._bounds)
        return _read(BytesIO(dicom_bytes), structure, None)

    def get_transfer_syntax(self, dataset: Dataset) -> str:
        """Return the transfer syntax UID of a data set, of its file meta or of how it was read (PS3.5 10).

        Raises BadInput if the data set was made in memory and has none.
        """
        meta = getattr(dataset, "file_meta", None)
        said = meta.get("TransferSyntaxUID") if meta is not None else None
        if said:
            return str(said)
        implicit, little_endian = dataset.original_encoding
        if implicit is None or little_endian is None:
            raise BadInput("The data set has no transfer syntax; set file_meta.TransferSyntaxUID")
        if implicit:
            return IMPLICIT_LITTLE_ENDIAN
        return EXPLICIT_LITTLE_ENDIAN if little_endian else EXPLICIT_BIG_ENDIAN


def _read(source: str | BytesIO, structure: Structure, defer: int | None) -> FileDataset:
    """Read with pydicom; its texts may hold values, so that its errors are named by their type only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = dcmread(source, defer_size=defer, force=True)
        except Exception as error:  # noqa: BLE001 - pydicom raises what it likes, and its texts hold values
            raise InvalidDicom(f"The data set cannot be read by pydicom ({type(error).__name__})") from None
    dataset.pop(_ZEROS, None)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = UID(structure.transfer_syntax)
    return dataset
