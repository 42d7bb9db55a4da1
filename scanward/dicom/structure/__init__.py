"""The gate: one forward, non-recursive pass over an object before anything else sees it."""

from scanward.dicom.structure.bounds import DEFAULT, Bounds
from scanward.dicom.structure.coding import Coding, Element, tag_text
from scanward.dicom.structure.findings import Findings
from scanward.dicom.structure.gate import Structure, check, check_sequence, check_uid
from scanward.dicom.structure.opened import OpenedObject, check_file, open_object
from scanward.dicom.structure.pixels import check_pixels
from scanward.dicom.structure.prologue import Prologue, peek, prologue
from scanward.dicom.structure.residue import Encapsulation, residues, without
from scanward.dicom.structure.syntaxes import TransferSyntax
from scanward.dicom.structure.walk import Walk

__all__ = [
    "DEFAULT",
    "Bounds",
    "Coding",
    "Element",
    "Encapsulation",
    "Findings",
    "OpenedObject",
    "Prologue",
    "Structure",
    "TransferSyntax",
    "Walk",
    "check",
    "check_file",
    "check_pixels",
    "check_sequence",
    "check_uid",
    "open_object",
    "peek",
    "prologue",
    "residues",
    "tag_text",
    "without",
]
