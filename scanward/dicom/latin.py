"""How a name in Cyrillic letters is written in Latin ones: on passports, on maps, and in libraries.

A scanner may hold the one and a folder's name the other. Tables: ICAO 9303-3, BGN/PCGN, GOST 7.79 B.
"""
# ruff: noqa: RUF001 - Cyrillic letters are what this module is about

from __future__ import annotations

from collections.abc import Iterator

_SAME = dict(zip("абвгдезиклмнопрстуфыэё", "abvgdeziklmnoprstufyee", strict=True)) | {"ь": "", "ъ": ""}
_COMMON = _SAME | {"ж": "zh", "ч": "ch", "ш": "sh", "і": "i", "ў": "u", "є": "ie", "ґ": "g"}
_PASSPORT = {"й": "i", "х": "kh", "ц": "ts", "щ": "shch", "ю": "iu", "я": "ia", "ъ": "ie", "ї": "i"}
_MAP = {"й": "y", "х": "kh", "ц": "ts", "щ": "shch", "ю": "yu", "я": "ya", "ї": "yi"}
_LIBRARY = {"й": "j", "х": "x", "ц": "c", "щ": "shh", "ю": "yu", "я": "ya", "ё": "yo", "ї": "yi"}
_SCHEMES = tuple(
    {ord(letter): spelled for letter, spelled in (_COMMON | scheme).items()}
    for scheme in (_PASSPORT, _MAP, _LIBRARY)
)
_FIRST, _LAST = "Ѐ", "ӿ"


def latin_spellings(text: str) -> Iterator[str]:
    """Yield a text's Latin spellings, in small letters; none if it has no Cyrillic letter."""
    if any(_FIRST <= letter <= _LAST for letter in text):
        small = text.lower()
        yield from dict.fromkeys(small.translate(scheme) for scheme in _SCHEMES)
