"""Which objects the line takes: those in its place, by name, or by content where the name does not tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from scanward.dicom import structure
from scanward.errors import InvalidDicom, Misconfigured
from scanward.receive.s3_event import Reference
from scanward.settings import AwsSettings

_NAMES = (".dcm", ".dicom")
_PREAMBLE = slice(128, 132)
_HEAD = 16 << 10  # enough for the file meta of an object without preamble

Read = Callable[[Reference, int, int], bytes]


class Reason(StrEnum):
    """Why an object is not taken."""

    FOLDER = "folder"
    OTHER_BUCKET = "other-bucket"
    QUARANTINE = "quarantine"
    OUTPUT = "output"
    OUTSIDE = "outside-prefix"
    NOT_DICOM = "not-dicom"
    GONE = "gone"


RECORDED = frozenset({Reason.OUTSIDE, Reason.NOT_DICOM})
"""What somebody may have meant to be processed has a row; folders and our own writes are counted only."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where uploads are, and where our own writes are."""

    raw_bucket: str
    raw_prefix: str
    processed_bucket: str
    processed_prefix: str
    quarantine_prefix: str

    @classmethod
    def of(cls, settings: AwsSettings) -> Places:
        """Read the settings. Raises Misconfigured if an output could be taken for an upload."""
        if not settings.raw_bucket:
            raise Misconfigured("SCANWARD_AWS_RAW_BUCKET is not set; it names the bucket of uploads.")
        places = cls(
            settings.raw_bucket,
            settings.raw_prefix,
            settings.processed_bucket or settings.raw_bucket,
            settings.processed_prefix,
            settings.quarantine_prefix,
        )
        if not places.quarantine_prefix:
            raise Misconfigured("SCANWARD_AWS_QUARANTINE_PREFIX is empty; quarantine needs its own.")
        if places.one_bucket and not places.apart:
            raise Misconfigured(
                "With one bucket SCANWARD_AWS_RAW_PREFIX and SCANWARD_AWS_PROCESSED_PREFIX must both be set, "
                "and neither may begin with the other; outputs would be processed for ever."
            )
        return places

    @property
    def one_bucket(self) -> bool:
        """Return whether outputs go to the bucket of uploads."""
        return self.raw_bucket == self.processed_bucket

    @property
    def apart(self) -> bool:
        """Return whether no key can be an upload and an output at once."""
        raw, processed = self.raw_prefix, self.processed_prefix
        return bool(raw and processed) and not (raw.startswith(processed) or processed.startswith(raw))

    def refuse(self, reference: Reference) -> Reason | None:
        """Return why an object is not taken for its place, None if it stands where uploads do."""
        key = reference.key
        if reference.bucket != self.raw_bucket:
            return Reason.OTHER_BUCKET
        if key.endswith("/"):
            return Reason.FOLDER
        if key.startswith(self.quarantine_prefix):
            return Reason.QUARANTINE
        if self.one_bucket and key.startswith(self.processed_prefix):
            return Reason.OUTPUT
        return None if key.startswith(self.raw_prefix) else Reason.OUTSIDE


def is_named_dicom(key: str) -> bool:
    """Tell whether a key says that it is DICOM: `.dcm`, `.DCM`, `.dicom`."""
    return key.casefold().endswith(_NAMES)


def is_dicom(reference: Reference, read: Read) -> bool:
    """Tell by its first bytes, read by range, whether an object may be DICOM; the gate has the last word."""
    if not reference.size:
        return False
    head = read(reference, 0, _HEAD)
    if head[_PREAMBLE] == b"DICM":
        return True
    try:
        structure.prologue(memoryview(head))
    except InvalidDicom:
        return False
    return True
