"""Encapsulated pixels as they are written: what rides beside the image in the fragments is overwritten."""

from __future__ import annotations

from collections.abc import Sequence

from scanward.dicom.pieces import Piece, Span
from scanward.dicom.structure import Encapsulation, residues, without
from scanward.dicom.structure.fragments import Unread
from scanward.dicom.structure.residue import Residue
from scanward.errors import Fault, Quarantined

# The image itself is not touched, so code 113101 (Clean Pixel Data) does not apply.
CHANGE = ("(7FE0,0010)", "C")
_PATH = CHANGE[0]
_CLAUSE = "PS3.5 A.4"
_UNREAD = Fault(
    "pixels-unread",
    "What the fragments hold beside the image cannot be told: the codec or the frames' limits are unknown.",
    _PATH,
    clause=_CLAUSE,
)


def residues_of(view: memoryview, image: Encapsulation | None) -> tuple[Residue, ...]:
    """Return what lies beside the image. Raises Quarantined where that cannot be told."""
    if image is None:
        return ()
    try:
        return residues(view, image)
    except Unread:
        raise Quarantined(_UNREAD.message, faults=(_UNREAD,)) from None


def overwritten(span: Span, found: Sequence[Residue]) -> tuple[list[Piece], tuple[Fault, ...]]:
    """Return pixels in pieces without their residues, and what to say of it."""
    if not found:
        return [span], ()
    size = sum(one.stop - one.start for one in found)
    says = f"{len(found)} ranges of {size} bytes beside the image were overwritten"
    fault = Fault("pixels-residue", says, _PATH, clause=_CLAUSE, severity="warn")
    return without(span, found), (fault,)
