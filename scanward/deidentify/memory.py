"""De-identifies a pydicom Dataset that lies in memory, by the same walk as a file's."""

from __future__ import annotations

import copy
import warnings
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from scanward.deidentify.datasetpath import clean_dataset, risk_of
from scanward.deidentify.keys import Keys
from scanward.deidentify.memorygate import check_image, check_type
from scanward.deidentify.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from scanward.deidentify.policy import Policy
from scanward.deidentify.writer import Writer
from scanward.dicom.structure import DEFAULT
from scanward.errors import Fault, InvalidDicom, Quarantined

_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_TAIL = 0x7FE00011


def clean_in_memory(
    dataset: Dataset, policy: Policy, keys: Keys
) -> tuple[Dataset, tuple[tuple[str, str], ...]]:
    """Return a de-identified copy and its changes; the pixels are shared with the input, nothing else is.

    Raises InvalidDicom for nesting beyond the gate's bound, for pixels that the gate would refuse, for what
    cannot be written; Quarantined; and BadInput for what is no data set.
    """
    check_type(dataset)
    _check_depth(dataset, DEFAULT.depth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        syntax = _syntax(dataset)
        writer = Writer(explicit=not syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
        check_image(dataset, syntax, writer)
        plain = _reread(_written(dataset, writer), writer)
        _check_risk(dataset, plain, writer)
        tail = _split(plain)
        body = clean_dataset(plain, tail, _class(dataset), writer, policy, keys)
        new = _reread(body.head + body.tail, writer)
    for tag in _PIXELS:
        if tag in dataset:
            new[tag] = dataset[tag]
    _describe(new, dataset, body.replaced.instance_uid, syntax)
    return new, body.changes


def _check_depth(dataset: Dataset, most: int) -> None:
    """Raise InvalidDicom if sequences nest deeper than the gate allows; level by level, without recursion."""
    level = [dataset]
    for _ in range(most + 1):
        level = [item for parent in level for item in _items(parent)]
        if not level:
            return
    fault = Fault("depth", f"Sequences nest deeper than {most} levels", clause="PS3.5 7.5")
    raise InvalidDicom(fault.message, faults=(fault,))


def _items(dataset: Dataset) -> list[Dataset]:
    return [item for element in dataset if element.VR == "SQ" for item in element.value or ()]


def _written(dataset: Dataset, writer: Writer) -> bytes:
    """Return the data set without its pixels."""
    try:
        shell = copy.deepcopy(Dataset({tag: dataset[tag] for tag in dataset.keys() if tag not in _PIXELS}))  # noqa: SIM118 - a Dataset iterates over elements
        target = DicomBytesIO()
        target.is_implicit_VR, target.is_little_endian = not writer.explicit, writer.little_endian
        write_dataset(target, shell)
    except Exception as error:  # noqa: BLE001 - pydicom raises what it likes, and its texts hold values
        raise InvalidDicom(f"The data set cannot be written ({type(error).__name__})") from None
    return target.getvalue()


def _reread(raw: bytes, writer: Writer) -> Dataset:
    return read_dataset(BytesIO(raw), not writer.explicit, writer.little_endian)


def _split(dataset: Dataset) -> Dataset:
    """Move what stands behind the pixels into a data set of its own."""
    tail = Dataset({tag: dataset.get_item(tag, keep_deferred=True) for tag in dataset.keys() if tag >= _TAIL})  # noqa: SIM118 - as above
    for tag in list(tail.keys()):
        del dataset[tag]
    return tail


def _check_risk(dataset: Dataset, plain: Dataset, writer: Writer) -> None:
    """Raise Quarantined as for a file.

    A data set that claims no class and has no pixels is only a header, and its class no risk.
    """
    try:
        risk_of(plain, _syntax(dataset), writer)
    except Quarantined as error:
        is_header = "SOPClassUID" not in dataset and not any(tag in dataset for tag in _PIXELS)
        if not is_header or error.faults[0].rule != "class-unknown":
            raise


def _syntax(dataset: Dataset) -> UID:
    """Return the data set's transfer syntax; without a known one, that of the bytes it was read from."""
    meta = getattr(dataset, "file_meta", None)
    stated = UID(str(getattr(meta, "TransferSyntaxUID", "")))
    if stated.is_transfer_syntax:
        return stated
    implicit, little = dataset.original_encoding
    if little is False:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _class(dataset: Dataset) -> str:
    return str(dataset.get("SOPClassUID", ""))


def _describe(new: Dataset, dataset: Dataset, instance_uid: str, syntax: UID) -> None:
    """Give the copy a file meta of its own, made anew."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = UID(_class(dataset))
    meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    new.file_meta = meta
    new.preamble = bytes(128)
