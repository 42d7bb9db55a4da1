"""UIDs: which name the standard's own things, and so are never replaced (PS3.6 Annex A)."""

from __future__ import annotations

import re

from pydicom._uid_dict import UID_dictionary

# Coding schemes and classes that the standard or a terminology names (PS3.16 8).
_WELL_KNOWN = frozenset(UID_dictionary)
_CODING_SCHEME_ROOTS = ("2.16.840.1.113883.6.", "2.16.840.1.113883.3.26.")

# A UID inside a text: at least six components, so that versions and numbers of sections are left alone.
IN_TEXT = re.compile(r"(?<![\d.])[0-2](?:\.\d+){5,}(?![\d.]*\d)")
IN_TEXT_BYTES = re.compile(rb"(?<![\d.])[0-2](?:\.\d+){5,}")


def is_standard(uid: str) -> bool:
    """Tell whether a UID is registered by the standard or by a terminology; all others may identify."""
    return uid in _WELL_KNOWN or uid.startswith(_CODING_SCHEME_ROOTS)
