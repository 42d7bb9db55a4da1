"""What goes into which zone, and by which name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from scanward.dicom.pieces import Span
from scanward.errors import NotFound, Unavailable
from scanward.ports.object_store import Blob, ObjectStore, Zone


def deid_key(raw_key: str, release: str) -> str:
    """Return an output's name from its object's and all else that it depends on: policy, key, engine."""
    return hashlib.sha256(f"{raw_key}\n{release}".encode()).hexdigest()


def copy_to_quarantine(objects: ObjectStore, raw_key: str) -> Blob:
    """Stage a copy of a raw object for quarantine; it stays in raw for those who treat the patient."""
    with objects.open(Zone.RAW, raw_key) as opened:
        size = len(opened.view)
        staged = objects.stage([Span(0, size)] if size else [], opened.fileno())
    return Blob(Zone.QUARANTINE, raw_key, staged)


def check_there(blobs: Sequence[Blob], objects: ObjectStore) -> None:
    """Look for blobs that were in the store before their rows: a deletion may just have removed them.

    A deletion removes a blob only while no row names it, so that one which is there now stays. Raises
    Unavailable; a repeat puts the blob anew.
    """
    for blob in blobs:
        try:
            with objects.open(blob.zone, blob.key):
                pass
        except NotFound:
            raise Unavailable("The same object was being deleted; send it again.") from None
