"""Texts folded to letters and digits alone, so that case, marks and separators hide nothing."""

from __future__ import annotations

import string
import unicodedata

# Letters that no decomposition takes apart, and how they are written without them.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h"}  # noqa: RUF001 - letters of names
)
_LONG = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_LOWER = bytes(range(256)).lower()
_NO_ALNUM = bytes(code for code in range(256) if chr(code) not in string.ascii_letters + string.digits)
_DELETE = {code: None for code in _NO_ALNUM if code < 0x80}  # noqa: PLR2004 - the end of ASCII


def skeletons(text: str) -> tuple[str, ...]:
    """Return the skeletons of a text: two where an umlaut may be written with or without an e."""
    if text.isascii():
        return (text.translate(_DELETE).lower(),)
    folded = unicodedata.normalize("NFC", text).casefold()
    short = _bare(folded.translate(_PLAIN))
    long = _bare(folded.translate(_LONG).translate(_PLAIN))
    return (short,) if short == long else (short, long)


def of_bytes(raw: bytes) -> bytes:
    """Return the skeleton of an ASCII value, without decoding it."""
    return raw.translate(_LOWER, _NO_ALNUM)


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if c.isalnum())
