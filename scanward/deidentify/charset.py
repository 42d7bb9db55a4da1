"""Text of an element to and from bytes.

By the Specific Character Set of its own item (PS3.5 6.1, PS3.3 C.12.1.1.2).
"""

from __future__ import annotations

import warnings
from functools import lru_cache

from pydicom.charset import convert_encodings, decode_bytes, encode_string, python_encoding

Charsets = tuple[str, ...]

# The VRs whose text the character set governs; all others are plain ASCII.
GOVERNED = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
SINGLE_VALUED = frozenset({"LT", "ST", "UR", "UT"})

_PLAIN = ("", "ISO_IR 6", "ISO 2022 IR 6")
_ESCAPE = b"\x1b"
_RESETS = {0x0A, 0x0C, 0x0D, 0x09, 0x5C}
_RESETS_OF_NAMES = _RESETS | {0x5E, 0x3D}
_REPLACED = "\ufffd"
_PADDING = " \0"


@lru_cache(maxsize=256)
def charsets_of(raw: bytes | None, inherited: Charsets = ()) -> Charsets:
    """Return the character sets of an item from the bytes of its (0008,0005); without one, its parent's."""
    if raw is None:
        return inherited
    return tuple(part.strip(_PADDING) for part in raw.decode("latin-1").split("\\"))


def is_charset(term: str) -> bool:
    """Tell whether a term of Specific Character Set is known."""
    return term in python_encoding


def decode(raw: bytes, vr: str, charsets: Charsets) -> str | None:
    """Return a value's text, or None if it is not text of the declared character set."""
    if raw.isascii() and _ESCAPE not in raw and not _is_stateful(charsets):
        return raw.decode("ascii")
    if vr not in GOVERNED:
        return None
    encodings = _encodings(charsets)
    if encodings is None or (_ESCAPE not in raw and encodings[0] == "iso8859" and not raw.isascii()):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = decode_bytes(raw, encodings, _RESETS_OF_NAMES if vr == "PN" else _RESETS)
        except (UnicodeError, LookupError):
            return None
    return None if _REPLACED in text or "\x1b" in text else text


def encode(text: str, vr: str, charsets: Charsets) -> bytes | None:
    """Return the bytes of a text, or None if the declared character set cannot express it."""
    if text.isascii():
        return text.encode("ascii")
    encodings = _encodings(charsets)
    if encodings is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            raw: bytes = encode_string(text, encodings)
        except (UnicodeError, LookupError):
            return None
    return raw if decode(raw, vr, charsets) == text else None


def values_of(raw: bytes, vr: str, charsets: Charsets) -> tuple[str, ...] | None:
    """Return the values without padding at their end, split where the VR allows several.

    None if undecodable.
    """
    text = decode(raw, vr, charsets)
    return None if text is None else split(text, vr)


def values_at_any_price(raw: bytes, vr: str, charsets: Charsets) -> tuple[str, ...]:
    """Return the values even of undecodable bytes, each byte a character.

    To be replaced, never to be kept.
    """
    values = values_of(raw, vr, charsets)
    return split(raw.decode("latin-1"), vr) if values is None else values


def split(text: str, vr: str) -> tuple[str, ...]:
    """Return the values of a text; () for an empty one."""
    text = text.rstrip(_PADDING)
    if not text:
        return ()
    return (text,) if vr in SINGLE_VALUED else tuple(value.rstrip(_PADDING) for value in text.split("\\"))


def pad(raw: bytes, vr: str) -> bytes:
    """Return a value of even length (PS3.5 6.2)."""
    if not len(raw) & 1:
        return raw
    return raw + (
        b" " if vr in GOVERNED or vr in {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UR"} else b"\0"
    )


@lru_cache(maxsize=256)
def _encodings(charsets: Charsets) -> list[str] | None:
    """Return Python's names of the sets; None if one is not known or may not be read."""
    if not charsets or charsets == ("",):
        return ["iso8859"]
    if any(name not in python_encoding for name in charsets):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert_encodings(list(charsets))


def _is_stateful(charsets: Charsets) -> bool:
    """Tell whether ASCII bytes may mean something else: JIS X 0201 has a yen sign for the backslash."""
    return "ISO_IR 13" in charsets[:1] or "ISO 2022 IR 13" in charsets[:1]
