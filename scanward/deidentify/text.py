"""Texts: descriptors come back as clinical words, kept texts without identifiers and UIDs."""

from __future__ import annotations

import re
from collections.abc import Callable

from scanward.deidentify import uids
from scanward.deidentify.charset import is_charset
from scanward.deidentify.identifiers import LONGEST_TEXT, Identifiers
from scanward.deidentify.terms import clinical_terms

# A word, or a measure with its unit; bare numbers may be anything and go.
_TOKEN = re.compile(r"\b[Ww]/[Oo]\b|[A-Za-z][A-Za-z0-9]*|(?<!\d)\d++(?:\.\d++)?[A-Za-z]+|(?<!\w)[^\W\d_]\w*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# The standard allows 16 (PS3.5 6.2); careless writers go beyond, whose geometry must not be lost.
_LONGEST_NUMBER = 32
_UID = re.compile(r"[0-2](?:\.[0-9]+)+")
_MEASURE = re.compile(
    r"\d{1,3}(?:\.\d{1,2})?(?:mm|cm|ms|s|sec|min|kv|kvp|ma|mas|mgy|hz|mhz|t|d|x|ch|deg|ml|mg|gy|mev|mv|st|nd|rd|th)"
)


def descriptor(value: str, identifiers: Identifiers) -> str:
    """Return only the clinical words and measures of a descriptor, in their order (PS3.15 E.3.5)."""
    return " ".join(token for token in _TOKEN.findall(value) if is_clinical(token, identifiers))


def is_clinical(token: str, identifiers: Identifiers) -> bool:
    """Tell whether a word is on the list, or a measure, and is no part of this patient's name."""
    word = token.casefold()
    if word not in clinical_terms() and _MEASURE.fullmatch(word) is None:
        return False
    return word not in identifiers.words and not identifiers.found_in(token)


def scan(value: str, identifiers: Identifiers, new_uid: Callable[[str], str]) -> str:
    """Return a kept text with this patient's identifiers cut out and UIDs replaced; mostly the same text."""
    if "." in value and len(value) <= LONGEST_TEXT:
        value = uids.replaced_in(value, new_uid)
    return identifiers.cut(value)


def scan_code(value: str, identifiers: Identifiers) -> str:
    """Return a kept code string, or nothing if it holds an identifier that is no clinical word."""
    if not identifiers.found_in(value) or value.casefold() in clinical_terms():
        return value
    return ""


def scan_number(value: str, identifiers: Identifiers) -> str:
    """Return a kept number in digits as it is, or nothing.

    Nothing if it is no number or one of this patient's numbers.
    """
    bare = value.strip(" \0")
    if not bare:
        return value
    if len(bare) > _LONGEST_NUMBER or _NUMBER.fullmatch(bare) is None:
        return ""
    return "" if abs(float(bare)) in identifiers.numbers else value


def scan_uid(value: str, new_uid: Callable[[str], str]) -> str:
    """Return a kept UID of a class or syntax; another, or nothing, for what is none of the standard's."""
    return _known_uid(value, uids.is_class, new_uid)


def scan_scheme(value: str, new_uid: Callable[[str], str]) -> str:
    """Return a kept UID of a coding scheme, those of terminologies among them; else as `scan_uid`."""
    return _known_uid(value, uids.is_scheme, new_uid)


def scan_charset(value: str) -> str:
    """Return a kept term of Specific Character Set, or nothing if it is none (PS3.3 C.12.1.1.2)."""
    return value if is_charset(value.strip(" \0")) else ""


def _known_uid(value: str, is_known: Callable[[str], bool], new_uid: Callable[[str], str]) -> str:
    bare = value.strip(" \0")
    if not bare or is_known(bare):
        return value
    return new_uid(bare) if _UID.fullmatch(bare) else ""


def is_odd_uid(raw: bytes, *, is_scheme: bool) -> bool:
    """Tell quickly whether a UI value must be looked at: it holds something else than known UIDs."""
    is_known = uids.is_scheme if is_scheme else uids.is_class
    return not all(is_known(one) for one in _terms(raw))


def is_odd_charset(raw: bytes) -> bool:
    """Tell quickly whether a Specific Character Set must be looked at: it holds more than known terms."""
    return not all(is_charset(one) for one in _terms(raw))


def _terms(raw: bytes) -> list[str]:
    return [one for part in raw.decode("latin-1").split("\\") if (one := part.strip(" \0"))]


def is_odd_number(raw: bytes) -> bool:
    """Tell quickly whether a DS or IS value must be looked at: it holds more than short numbers."""
    if raw.translate(None, b"0123456789+-.eE \\\0"):
        return True
    return len(raw) > _LONGEST_NUMBER and max(map(len, raw.split(b"\\"))) > _LONGEST_NUMBER
