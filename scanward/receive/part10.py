"""What a door brings, staged on the store's disk, through the gate: received, refused, or read past."""

from __future__ import annotations

from dataclasses import dataclass

from scanward.dicom import instance, json_model, structure
from scanward.dicom.frames import packed_table
from scanward.dicom.structure import Bounds
from scanward.errors import Fault, InvalidDicom
from scanward.ports.catalog import Named, Received, Refusal
from scanward.ports.object_store import Staged

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage, the SOP class of a DICOMDIR (PS3.4 B.5)."""

DIRECTORY = Fault(
    rule="dicomdir",
    message="A DICOMDIR lists the files of a medium; it is read past, its files are taken by themselves.",
    clause="PS3.10 8.6",
    severity="warn",
)

READ_PAST = "Read past"
UNIDENTIFIED = Fault(
    rule="uid-missing",
    message="The object lacks a Study, Series or SOP Instance UID, so that it could never be retrieved.",
    clause="PS3.3 C.7",
)
OTHER_STUDY = Fault(
    rule="study-differs",
    message="The object is of another study than the one that the address names.",
    path="(0020,000D)",
    clause="PS3.18 10.5",
)
_META_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file as a door brought it: its bytes on the store's disk, and the sender's name for it."""

    staged: Staged
    name: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a door asks of its objects beyond the gate.

    identified: they can be named by study, series and instance; study_uid: the only study taken, "" for any.
    """

    identified: bool = False
    study_uid: str = ""


ANY = Terms()


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A file that is sound but not for here: a medium's directory, or not what the door's terms ask."""

    name: str
    error: str
    fault: Fault
    named: Named


def receive(arrival: Arrival, bounds: Bounds, terms: Terms = ANY) -> Received | Refusal | NotTaken:
    """Check the staged bytes to the last one and say what they are; nothing is stored yet."""
    staged = arrival.staged
    try:
        with structure.open_object(staged.path, bounds=bounds) as opened:
            found = structure.check(opened.view, bounds)
            header = instance.describe(opened.view, found)
            named = Named.of(header)
            if found.sop_class_uid == DICOMDIR_CLASS:
                return NotTaken(arrival.name, READ_PAST, DIRECTORY, named)
            fault = _broken(terms, named)
            if fault is not None:
                return NotTaken(arrival.name, "Not taken", fault, named)
            model, frames = _index(opened.view, found)
    except InvalidDicom as refused:
        named = _named(staged)
        return Refusal(staged.sha256, staged.size, arrival.name, refused.error, refused.faults, named)
    return Received(staged.sha256, staged.size, arrival.name, header, found.warnings, model, frames)


def read_kept(key: str, view: memoryview, bounds: Bounds) -> Received:
    """Read an object of the store again, for its row. Raises InvalidDicom."""
    found = structure.check(view, bounds)
    return Received(key, len(view), "", instance.describe(view, found), found.warnings, *_index(view, found))


def _index(view: memoryview, found: structure.Structure) -> tuple[bytes, bytes]:
    """Return an object's model and its frame table, for keeping."""
    return json_model.kept(view, found), packed_table(view, found)


def _broken(terms: Terms, named: Named) -> Fault | None:
    """Return which term an object does not meet."""
    if terms.identified and not (named.study_uid and named.series_uid and named.instance_uid):
        return UNIDENTIFIED
    return OTHER_STUDY if terms.study_uid not in {"", named.study_uid} else None


def _named(staged: Staged) -> Named:
    """Return what the file meta of a refused object calls it, as far as that can be read; it may be a lie."""
    with staged.path.open("rb") as file:
        head = file.read(_META_MOST)
    sop_class_uid, instance_uid = structure.peek(head)
    return Named(instance_uid=instance_uid, sop_class_uid=sop_class_uid)
