"""Both ways of de-identifying one object, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.dataset import FileDataset

from scanward.deidentify import datasetpath
from scanward.deidentify.bytepath import BytePath
from scanward.deidentify.bytepath_source import Irregular, ViewSource
from scanward.deidentify.keys import Keys
from scanward.deidentify.policy import Policy
from scanward.deidentify.profile import Profile, load
from scanward.deidentify.report import Cleaned
from scanward.dicom.structure import DEFAULT, Structure, check
from scanward.errors import BadInput, InvalidDicom, Quarantined

PROFILES = ("hipaa-safe-harbor", "basic", "research", "limited-data-set")
SECRET = bytes(range(32))


def content(cleaned: Cleaned, view: memoryview) -> bytes:
    """Return an output whole."""
    parts = (
        one if isinstance(one, bytes) else bytes(view[one.offset : one.offset + one.length])
        for one in cleaned.pieces
    )
    return b"".join(parts)


@dataclass(frozen=True)
class Outcome:
    """How one way ended. `error` is the name of what was raised, "Irregular" where the byte path passes."""

    error: str = ""
    faults: tuple[str, ...] = ()
    output: bytes = b""
    cleaned: Cleaned | None = None
    structure: Structure | None = None


class Both:
    """The byte path alone and the gate with the pydicom path, under one profile and one secret."""

    def __init__(self, profile: str | Profile = PROFILES[0]) -> None:
        """Begin with nothing remembered."""
        self.policy = Policy(profile if isinstance(profile, Profile) else load(profile))
        self.keys = Keys(SECRET)
        self.bytepath = BytePath(self.policy, self.keys, DEFAULT)

    def quickly(self, raw: bytes) -> Outcome:
        """Take the byte path alone."""
        view = memoryview(raw)
        try:
            cleaned = self.bytepath.clean(ViewSource(view))
        except Irregular:
            return Outcome("Irregular")
        except Quarantined as error:
            return _failed(error)
        return Outcome(output=content(cleaned, view), cleaned=cleaned)

    def surely(self, raw: bytes) -> Outcome:
        """Take the gate, then the pydicom path."""
        view = memoryview(raw)
        try:
            structure = check(view)
            cleaned = datasetpath.clean(view, structure, self.policy, self.keys)
        except (InvalidDicom, Quarantined) as error:
            return _failed(error)
        return Outcome(output=content(cleaned, view), cleaned=cleaned, structure=structure)

    def assert_alike(self, raw: bytes) -> str:
        """Hold both ways together; return how the byte path ended ("" for an output)."""
        quick = self.quickly(raw)
        if quick.error == "Irregular":
            return quick.error
        sure = self.surely(raw)
        assert (quick.error, quick.faults) == (sure.error, sure.faults)
        assert quick.output == sure.output
        if quick.cleaned is not None and sure.cleaned is not None:
            assert facts(quick.cleaned) == facts(sure.cleaned)
        return quick.error

    def read(self, raw: bytes) -> FileDataset:
        """De-identify by the byte path, which must take the object, and read what comes out."""
        quick = self.quickly(raw)
        assert not quick.error, quick.faults
        return pydicom.dcmread(BytesIO(quick.output))


def facts(cleaned: Cleaned) -> tuple[object, ...]:
    """Return all of a result but its pieces."""
    return (
        cleaned.changes,
        cleaned.original,
        cleaned.replaced,
        cleaned.sop_class_uid,
        cleaned.transfer_syntax,
        cleaned.modality,
        cleaned.warnings,
        cleaned.size,
    )


def _failed(error: BadInput) -> Outcome:
    return Outcome(type(error).__name__, tuple(fault.rule for fault in error.faults))
