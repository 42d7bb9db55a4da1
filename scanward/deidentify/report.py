"""What came of one object: its pieces, and a report that never holds a value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from scanward.dicom.pieces import Piece
from scanward.errors import Fault, JsonValue


@dataclass(frozen=True, slots=True)
class Identity:
    """Who and which: values of one patient, so never for a log."""

    patient_id: str
    issuer: str
    study_uid: str
    series_uid: str
    instance_uid: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A de-identified object: its pieces and what was done.

    changes: (path, action) in document order, path as `(0008,1140)[0].(0008,1155)`, action one of X
    removed, Z emptied, D dummy, U new UID, C cleaned, P kept on request.
    """

    pieces: tuple[Piece, ...]
    changes: tuple[tuple[str, str], ...]
    original: Identity
    replaced: Identity
    sop_class_uid: str
    transfer_syntax: str
    modality: str = ""
    warnings: tuple[Fault, ...] = field(default=())

    @property
    def size(self) -> int:
        """Return the output's bytes."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in self.pieces)


def as_json(
    cleaned: Cleaned, *, profile: str, policy_hash: str, key_fingerprint: str
) -> dict[str, JsonValue]:
    """Return the per-object report: new UIDs, tag paths and actions; nothing of the original."""
    return {
        "study_uid": cleaned.replaced.study_uid,
        "series_uid": cleaned.replaced.series_uid,
        "instance_uid": cleaned.replaced.instance_uid,
        "sop_class_uid": cleaned.sop_class_uid,
        "transfer_syntax": cleaned.transfer_syntax,
        "modality": cleaned.modality,
        "profile": profile,
        "policy": policy_hash,
        "key": key_fingerprint,
        "counts": dict(Counter(action for _, action in cleaned.changes)),
        "changes": [[path, action] for path, action in cleaned.changes],
        "warnings": [fault.as_json() for fault in cleaned.warnings],
    }


def path_text(steps: tuple[int, ...]) -> str:
    """Return `(0008,1140)[0].(0008,1155)` for tags alternating with item indices."""
    parts = []
    for place, step in enumerate(steps):
        parts.append(f"[{step}]." if place % 2 else f"({step >> 16:04X},{step & 0xFFFF:04X})")
    return "".join(parts)
