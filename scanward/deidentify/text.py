"""Texts: descriptors come back as clinical words, kept texts without identifiers and UIDs."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from scanward.deidentify.identifiers import Identifiers
from scanward.deidentify.table import DATA
from scanward.deidentify.uids import IN_TEXT

# A word, or a measure with its unit; bare numbers may be anything and go.
_TOKEN = re.compile(r"\b[Ww]/[Oo]\b|[A-Za-z][A-Za-z0-9]*|\d+(?:\.\d+)?[A-Za-z]+|[^\W\d_]\w*")
_NUMBER = re.compile(r"[ ]*(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)?[ \0]*")
_UIDS = re.compile(rb"(?:[0-2](?:\.\d+)+)?(?:\\[0-2](?:\.\d+)+)*[\0 ]*")
_MEASURE = re.compile(
    r"\d{1,3}(?:\.\d{1,2})?(?:mm|cm|ms|s|sec|min|kv|kvp|ma|mas|mgy|hz|mhz|t|d|x|ch|deg|ml|mg|gy|mev|mv|st|nd|rd|th)"
)


@cache
def clinical_terms() -> frozenset[str]:
    """Return the shipped list of words that describe an examination, never a person."""
    lines = (DATA / "clinical_terms.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


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
    if "." in value:
        value = IN_TEXT.sub(lambda match: new_uid(match[0]), value)
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
    return "" if _NUMBER.fullmatch(value) is None or value.strip() in identifiers.numbers else value


def scan_uid(value: str) -> str:
    """Return a kept UID of a class or scheme, or nothing if it has not the form of one (PS3.5 9.1)."""
    return value if _UIDS.fullmatch(value.encode("utf-8")) else ""


def is_odd_uid(raw: bytes) -> bool:
    """Tell quickly whether a UI value must be looked at: it holds something else than UIDs."""
    return _UIDS.fullmatch(raw) is None


def is_odd_number(raw: bytes) -> bool:
    """Tell quickly whether a DS or IS value must be looked at: it holds more than numbers and blanks."""
    return bool(raw.translate(None, b"0123456789+-.eE \\\0"))
