"""What a door brings, staged on the store's disk, through the gate: received, refused, or read past."""

from __future__ import annotations

from dataclasses import dataclass

from scanward.dicom import instance, json_model, structure
from scanward.dicom.frames import packed_table
from scanward.dicom.structure import Bounds
from scanward.errors import Fault, InvalidDicom
from scanward.ports.catalog import Received, Refusal
from scanward.ports.object_store import Staged

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage, the SOP class of a DICOMDIR (PS3.4 B.5)."""

DIRECTORY = Fault(
    rule="dicomdir",
    message="A DICOMDIR lists the files of a medium; it is read past, its files are taken by themselves.",
    clause="PS3.10 8.6",
    severity="warn",
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file as a door brought it: its bytes on the store's disk, and the sender's name for it."""

    staged: Staged
    name: str


@dataclass(frozen=True, slots=True)
class ReadPast:
    """A file that is sound but no object: a directory of a medium is never stored nor copied."""

    name: str
    fault: Fault


def receive(arrival: Arrival, bounds: Bounds) -> Received | Refusal | ReadPast:
    """Check the staged bytes to the last one and say what they are; nothing is stored yet."""
    staged = arrival.staged
    try:
        with structure.open_object(staged.path, bounds=bounds) as opened:
            found = structure.check(opened.view, bounds)
            if found.sop_class_uid == DICOMDIR_CLASS:
                return ReadPast(arrival.name, DIRECTORY)
            header = instance.describe(opened.view, found)
            model = json_model.lines(json_model.models().fragments(opened.view, found))
            frames = packed_table(opened.view, found)
    except InvalidDicom as refused:
        return Refusal(staged.sha256, staged.size, arrival.name, refused.error, refused.faults)
    return Received(staged.sha256, staged.size, arrival.name, header, found.warnings, model, frames)
