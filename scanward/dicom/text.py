"""Decodes text of an object by its character sets (PS3.5 6.1), without a library's words reaching anybody."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pydicom.charset import convert_encodings, decode_bytes, default_encoding
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

_ESCAPE = 0x1B
# Control characters have no place in a shown value, and PostgreSQL takes no NUL.
_CONTROLS = dict.fromkeys([*range(0x20), 0x7F])


def encodings_of(character_set: bytes) -> list[str]:
    """Return Python's names of Specific Character Set's values; unknown ones are read as Latin-1."""
    names = [name.strip() for name in character_set.decode("latin-1").rstrip("\0 ").split("\\")]
    if names in ([""], ["ISO_IR 6"], ["ISO 2022 IR 6"]):
        return [default_encoding]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return list(convert_encodings(names))
        except (LookupError, ValueError):
            return [default_encoding]


def decode(value: bytes, encodings: Sequence[str], *, is_name: bool = False) -> str:
    """Return text without padding and control characters; bytes outside the character set become U+FFFD."""
    return decode_whole(value, encodings, is_name=is_name).translate(_CONTROLS).strip(" ")


def decode_whole(value: bytes, encodings: Sequence[str], *, is_name: bool = False) -> str:
    """Return text with all its characters; bytes outside the character set become U+FFFD."""
    if value.isascii() and _ESCAPE not in value:
        return value.decode("ascii")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decode_bytes(value, encodings, PN_DELIMS if is_name else TEXT_VR_DELIMS)
        except (LookupError, ValueError):
            return value.decode("latin-1")
