"""UIDs: which name the standard's own things, and so are never replaced (PS3.6 Annex A)."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydicom._uid_dict import UID_dictionary

_WELL_KNOWN = frozenset(UID_dictionary)
_STANDARD_ROOT = "1.2.840.10008."
# Coding schemes that a terminology names (PS3.16 8); they stand for themselves only where a scheme is named.
_CODING_SCHEME_ROOTS = ("2.16.840.1.113883.6.", "2.16.840.1.113883.3.26.")

_DOTTED = re.compile(r"[0-9.]+")
# A UID inside a text: at least six components, so that versions and numbers of sections are left alone.
_UID = re.compile(r"[0-2](?:\.[0-9]+){5,}")
_IN_BYTES = re.compile(rb"[0-2](?:\.[0-9]+){5}")
_FORM = re.compile(r"[0-2](?:\.[0-9]+)+")
_LEAST_DOTS = 5


def is_standard(uid: str) -> bool:
    """Tell whether a UID is registered by the standard; all others may identify."""
    return uid in _WELL_KNOWN


def is_class(uid: str) -> bool:
    """Tell whether a UID may stay as the name of a class or syntax: the standard's root, in a UID's form."""
    return uid in _WELL_KNOWN or (uid.startswith(_STANDARD_ROOT) and _FORM.fullmatch(uid) is not None)


def is_scheme(uid: str) -> bool:
    """Tell whether a UID may stay as the name of a coding scheme or of its contexts."""
    return is_class(uid) or (uid.startswith(_CODING_SCHEME_ROOTS) and _FORM.fullmatch(uid) is not None)


def replaced_in(text: str, new_uid: Callable[[str], str]) -> str:
    """Return a text with its UIDs replaced, in time linear in its length."""
    return _DOTTED.sub(lambda match: _replaced(match[0], new_uid), text)


def may_hold_one(raw: bytes) -> bool:
    """Tell quickly whether a UID may stand in a value; False is a proof."""
    return raw.count(b".") >= _LEAST_DOTS and _IN_BYTES.search(raw) is not None


def _replaced(run: str, new_uid: Callable[[str], str]) -> str:
    """Return a run of digits and dots with a UID in it replaced; dots around it are the sentence's."""
    parts = run.split("..") if ".." in run else [run]
    return "..".join(_replaced_part(part, new_uid) for part in parts)


def _replaced_part(part: str, new_uid: Callable[[str], str]) -> str:
    bare = part.strip(".")
    if _UID.fullmatch(bare) is None:
        return part
    before, _, after = part.partition(bare)
    return f"{before}{new_uid(bare)}{after}"
