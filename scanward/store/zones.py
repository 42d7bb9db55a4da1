"""What goes into which zone, and by which name."""

from __future__ import annotations

import hashlib

from scanward.dicom.pieces import Span
from scanward.ports.object_store import Blob, ObjectStore, Zone


def deid_key(raw_key: str, policy_hash: str, key_fingerprint: str, engine_version: str) -> str:
    """Return an output's name: the same object, policy, key and engine give the same, and only they."""
    parts = f"{raw_key}\n{policy_hash}\n{key_fingerprint}\n{engine_version}"
    return hashlib.sha256(parts.encode()).hexdigest()


def copy_to_quarantine(objects: ObjectStore, raw_key: str) -> Blob:
    """Stage a copy of a raw object for quarantine; it stays in raw for those who treat the patient."""
    with objects.open(Zone.RAW, raw_key) as opened:
        size = len(opened.view)
        staged = objects.stage([Span(0, size)] if size else [], opened.fileno())
    return Blob(Zone.QUARANTINE, raw_key, staged)
