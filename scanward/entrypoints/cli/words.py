"""DICOM's own words for tags and UIDs."""

from __future__ import annotations

import re

from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID

_TAG = re.compile(r"^\(([0-9A-F]{4}),([0-9A-F]{4})\)$", re.IGNORECASE)


def keyword(tag: str) -> str:
    """Return the keyword of `(0010,0010)`, the tag itself if it has none."""
    match = _TAG.match(tag)
    if not match:
        return tag
    number = int(match[1] + match[2], 16)
    if (number >> 16) & 1:
        return f"private ({match[1]},{match[2]})"
    return keyword_for_tag(number) or tag


def sop_class_name(uid: str) -> str:
    """Return the name of a SOP class, the UID itself if the dictionary has none."""
    return UID(uid).name if uid else "(no SOP class)"
