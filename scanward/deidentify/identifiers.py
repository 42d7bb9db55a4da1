"""What must not be found inside a kept text: the IDs, name parts, accession number and birth date of one patient."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from scanward.deidentify.uids import IN_TEXT_BYTES

_LEAST_ID = 3
_LEAST_NUMBER = 6
_LEAST_NAME = 3
_LEAST_IDEOGRAPHS = 2
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAME_PARTS = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_NOT_ASCII = re.compile(rb"[\x80-\xff\x1b]")
_NOTHING = re.compile(r"(?!)")
_NO_BYTES = re.compile(rb"(?!)")


class Identifiers:
    """One patient's identifiers, compiled. Immutable; equal inputs give the same object."""

    __slots__ = ("_bytes", "_pattern", "numbers", "words")

    def __init__(self, ids: tuple[str, ...], names: tuple[str, ...], dates: tuple[str, ...]) -> None:
        """Compile IDs (whole, at least 3 characters), names (parts of at least 3 letters) and dates (usual spellings)."""
        parts = {part for name in names for part in _NAME_PARTS.findall(name) if _is_telling(part)}
        numbers = {one.strip(" \0") for one in ids if len(one.strip(" \0")) >= _LEAST_ID}
        spellings = {spelling for date in dates for spelling in _spellings(date)}
        self.numbers = frozenset(one for one in numbers if len(one) >= _LEAST_NUMBER)
        self.words = frozenset(part.casefold() for part in parts)
        alternatives = [
            _whole(one) for one in sorted(parts | numbers | spellings, key=lambda one: (-len(one), one))
        ]
        self._pattern = re.compile("|".join(alternatives), re.IGNORECASE) if alternatives else _NOTHING
        plain = [one.encode() for one in sorted(parts | numbers | spellings) if one.isascii()]
        self._bytes = re.compile(b"|".join(map(re.escape, plain)), re.IGNORECASE) if plain else _NO_BYTES

    def suspicious(self, raw: bytes | memoryview) -> bool:
        """Tell quickly whether an undecoded value must be decoded and looked at; False is a proof of innocence.

        True for anything but plain ASCII, for a UID inside, and for an identifier inside.
        """
        return bool(self._bytes.search(raw) or _NOT_ASCII.search(raw) or IN_TEXT_BYTES.search(raw))

    def found_in(self, text: str) -> bool:
        """Tell whether an identifier stands in a text."""
        return self._pattern.search(text) is not None

    def cut(self, text: str) -> str:
        """Return a text without the identifiers; the same text if there is none."""
        if not self.found_in(text):
            return text
        return " ".join(self._pattern.sub(" ", text).split(" ")).strip()


@lru_cache(maxsize=4096)
def _compiled(ids: tuple[str, ...], names: tuple[str, ...], dates: tuple[str, ...]) -> Identifiers:
    return Identifiers(ids, names, dates)


def identifiers(ids: Iterable[str] = (), names: Iterable[str] = (), dates: Iterable[str] = ()) -> Identifiers:
    """Return the identifiers of an object: PatientID, other IDs, AccessionNumber; names; birth date."""
    return _compiled(tuple(ids), tuple(names), tuple(dates))


NONE = Identifiers((), (), ())


def _is_telling(part: str) -> bool:
    ideographs = any(ord(c) > 0x2E80 for c in part)  # noqa: PLR2004 - where the CJK blocks begin
    return len(part) >= (_LEAST_IDEOGRAPHS if ideographs else _LEAST_NAME)


def _whole(one: str) -> str:
    """Return a pattern for a whole word or number; ideographs are written without blanks and have no such bounds."""
    before = r"(?<![^\W_])" if one[0].isascii() and one[0].isalnum() else ""
    after = r"(?![^\W_])" if one[-1].isascii() and one[-1].isalnum() else ""
    return f"{before}{re.escape(one)}{after}"


def _spellings(date: str) -> Iterable[str]:
    match = _DATE.match(date.strip())
    if match is None:
        return ()
    year, month, day = match.groups()
    found = {f"{year}{month}{day}"}
    for mark in "-./":
        found |= {
            f"{year}{mark}{month}{mark}{day}",
            f"{day}{mark}{month}{mark}{year}",
            f"{month}{mark}{day}{mark}{year}",
        }
        found |= {f"{int(day)}{mark}{int(month)}{mark}{year}", f"{int(month)}{mark}{int(day)}{mark}{year}"}
    if 1 <= int(month) <= len(_MONTHS):
        name = _MONTHS[int(month) - 1]
        found |= {
            f"{day}-{name}-{year}",
            f"{day} {name} {year}",
            f"{name} {int(day)}, {year}",
            f"{int(day)} {name} {year}",
        }
    return found
