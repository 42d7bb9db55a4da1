"""What must not be found inside a kept text.

The IDs, name parts, accession number and birth date of one patient.
"""

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
_BLANKS = re.compile(" +")
_NAME_PARTS = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_NOTHING = re.compile(r"(?!)")
# Letters beyond ASCII that re.IGNORECASE takes for ASCII ones, and casefold does not.
_FOLDS = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"})
_DOTS_OF_A_UID = 5
_OF_NUMBERS = b"0123456789+-.e \\"


class Identifiers:
    """One patient's identifiers. Immutable in effect; equal inputs give the same object."""

    __slots__ = ("_alternatives", "_byte_hints", "_compiled", "_hints", "_number_hints", "numbers", "words")

    def __init__(self, ids: tuple[str, ...], names: tuple[str, ...], dates: tuple[str, ...]) -> None:
        """Take IDs (at least 3 characters), names (parts of at least 3 letters), dates (usual spellings)."""
        parts = {part for name in names for part in _NAME_PARTS.findall(name) if _is_telling(part)}
        numbers = {one.strip(" \0") for one in ids if len(one.strip(" \0")) >= _LEAST_ID}
        spellings = {spelling for date in dates for spelling in _spellings(date)}
        self.numbers = frozenset(one for one in numbers if len(one) >= _LEAST_NUMBER)
        self.words = frozenset(part.casefold() for part in parts)
        self._alternatives = parts | numbers | spellings
        self._compiled: re.Pattern[str] | None = None
        # Compiling costs a millisecond a patient. Most texts hold no part of an identifier, as these hints
        # tell without it: what cannot stand in ASCII is left out, and a date in any spelling holds its year.
        years = {match[1] for date in dates if (match := _DATE.match(date.strip()))}
        self._hints = tuple(sorted({_fold(one) for one in parts | numbers} | years))
        self._byte_hints = tuple(one.encode() for one in self._hints if one.isascii())
        self._number_hints = tuple(one for one in self._byte_hints if not one.strip(_OF_NUMBERS))

    def suspicious(self, raw: bytes | memoryview) -> bool:
        """Tell quickly whether an undecoded value must be decoded and looked at.

        False is a proof of innocence. True for anything but plain ASCII, for a UID inside, and for what may
        be an identifier.
        """
        text = bytes(raw).lower()
        if not text.isascii() or b"\x1b" in text:
            return True
        for hint in self._byte_hints:
            if hint in text:
                return True
        return text.count(b".") >= _DOTS_OF_A_UID and IN_TEXT_BYTES.search(text) is not None

    def suspicious_number(self, raw: bytes) -> bool:
        """Tell the same of a value that holds nothing but the characters of numbers."""
        text = raw.lower()
        for hint in self._number_hints:
            if hint in text:
                return True
        return raw.count(b".") >= _DOTS_OF_A_UID and IN_TEXT_BYTES.search(raw) is not None

    def found_in(self, text: str) -> bool:
        """Tell whether an identifier stands in a text."""
        folded = _fold(text)
        for hint in self._hints:
            if hint in folded:
                return self._pattern.search(text) is not None
        return False

    @property
    def _pattern(self) -> re.Pattern[str]:
        if self._compiled is None:
            longest_first = sorted(self._alternatives, key=lambda one: (-len(one), one))
            alternatives = "|".join(map(_whole, longest_first))
            self._compiled = re.compile(alternatives, re.IGNORECASE) if alternatives else _NOTHING
        return self._compiled

    def cut(self, text: str) -> str:
        """Return a text without the identifiers; the same text if there is none."""
        if not self.found_in(text):
            return text
        return _BLANKS.sub(" ", self._pattern.sub(" ", text)).strip()


@lru_cache(maxsize=4096)
def _compiled(ids: tuple[str, ...], names: tuple[str, ...], dates: tuple[str, ...]) -> Identifiers:
    return Identifiers(ids, names, dates)


def identifiers(ids: Iterable[str] = (), names: Iterable[str] = (), dates: Iterable[str] = ()) -> Identifiers:
    """Return the identifiers of an object: PatientID, other IDs, AccessionNumber; names; birth date."""
    return _compiled(tuple(ids), tuple(names), tuple(dates))


NONE = Identifiers((), (), ())


def _fold(text: str) -> str:
    """Return a text in which whatever re.IGNORECASE takes for equal is equal."""
    return text.lower() if text.isascii() else text.translate(_FOLDS).casefold()


def _is_telling(part: str) -> bool:
    ideographs = any(ord(c) > 0x2E80 for c in part)  # noqa: PLR2004 - where the CJK blocks begin
    return len(part) >= (_LEAST_IDEOGRAPHS if ideographs else _LEAST_NAME)


def _whole(one: str) -> str:
    """Return a pattern for a whole word or number.

    Ideographs are written without blanks and have no such bounds.
    """
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
