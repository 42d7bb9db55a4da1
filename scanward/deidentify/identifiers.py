"""What must not be found inside a kept text.

The IDs, names, dates and UIDs of one patient: as whole words, and the telling ones in any disguise of case,
marks and separators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from scanward.deidentify import skeleton
from scanward.deidentify.spelled import dates_in, days
from scanward.deidentify.terms import clinical_terms
from scanward.deidentify.uids import may_hold_one

# Longer kept texts are not searched but emptied; more or longer identifiers are nobody's (fail closed).
LONGEST_TEXT = 1 << 16
MOST_PARTS = 256
LONGEST_PART = 256

# Words come again and again in a study's texts.
_LONGEST_WORD = 32
_MOST_SEEN = 1024

_LEAST_PART = 2
_LEAST_NAME = 3
_LEAST_STRONG = 5
_LEAST_NUMBER = 6
_LEAST_IDEOGRAPHS = 2
_FIRST_IDEOGRAPH = 0x2E80
_NAMED_COMPONENTS = 3
_BLANKS = re.compile(" +")
_WORDS = re.compile(r"[^\W_]+")
_NAME_PARTS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile("[0-9]+")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_NOTHING = re.compile(r"(?!)")
# Words of two letters that are no names where they stand in an image's texts: titles, modalities, units.
_NO_NAMES = frozenset({
    "hu", "ct", "mr", "pt", "nm", "od", "us", "mg", "xa", "cr", "dx", "gr", "ir", "ep", "mm", "cm", "ms",
    "ml",
    "gy", "bq", "sv", "dr", "jr", "sr", "md", "st", "ii", "iv", "vi", "el", "le", "du", "do",
})  # fmt: skip
# Words of coded values that hold a short surname by chance.
_ORDINARY = frozenset({
    "normal", "continuous", "contrast", "primary", "original", "derived", "localizer", "standard",
    "transverse", "helical", "spiral", "manual", "automatic", "monochrome", "rotating", "constant",
    "additional",
    "enhanced",
})  # fmt: skip


class Identifiers:
    """One patient's identifiers. Immutable in effect; equal inputs give the same object."""

    __slots__ = (
        "_alternatives", "_byte_hints", "_compiled", "_days", "_hints", "_names", "_number_hints", "_seen",
        "_strong", "_years",
        "is_excessive", "numbers", "words",
    )  # fmt: skip

    def __init__(self, ids: tuple[str, ...], names: tuple[str, ...], dates: tuple[str, ...]) -> None:
        """Take IDs and names (at least 2 characters) and dates (usual spellings)."""
        given = {one.strip(" \0") for one in ids}
        numbers = {one for one in given if len(skeleton.skeletons(one)[0]) >= _LEAST_PART}
        parts = {part for name in names for part in _parts(name)}
        matches = [match.groups() for date in dates if (match := _DATE.match(date.strip()))]
        written = {one for year, month, day in matches for one in _in_digits(year, month, day)}
        self.is_excessive = len(parts) + len(numbers) > MOST_PARTS or any(
            len(one) > LONGEST_PART for one in parts | numbers
        )
        self.words = frozenset(part.casefold() for part in parts if len(part) > _LEAST_PART)
        self._names = frozenset(part for part in parts if len(part) == _LEAST_PART and part.isascii())
        self._alternatives = (parts - self._names) | numbers | written
        cores = {core for one in numbers for core in _cores(one)} | written
        self.numbers = frozenset(int(core) for core in cores)
        self._days = days([(year, month, day) for year, month, day in matches])
        self._strong = tuple(sorted(_strong(parts, numbers, names) | cores))
        self._compiled: re.Pattern[str] | None = None
        # Compiling costs a millisecond a patient. Most texts hold no part of an identifier, as these hints
        # tell without it: what cannot stand in ASCII is left out, and a date in any spelling holds its year.
        weak = {form for one in self._alternatives | self._names for form in _skeletons(one)}
        self._hints = _shortest({*self._strong, *weak} - {""})
        self._years = tuple(sorted({year[2:] for year, _, _ in matches}))
        self._byte_hints = tuple(one.encode() for one in (*self._hints, *self._years) if one.isascii())
        self._seen: dict[str, bool] = {}
        bare = {str(number).strip("0") for number in self.numbers}
        self._number_hints = tuple(one.encode() for one in _shortest(bare))

    def suspicious(self, raw: bytes | memoryview) -> bool:
        """Tell quickly whether an undecoded value must be decoded and looked at.

        False is a proof of innocence. True for anything but plain ASCII, for a UID inside, and for what may
        be an identifier.
        """
        text = bytes(raw)
        if not text.isascii() or b"\x1b" in text or len(text) > LONGEST_TEXT:
            return True
        folded = skeleton.of_bytes(text)
        for hint in self._byte_hints:
            if hint in folded:
                return True
        return may_hold_one(text)

    def suspicious_number(self, raw: bytes) -> bool:
        """Tell the same of a value that holds nothing but the characters of numbers."""
        digits = raw.replace(b".", b"")
        for hint in self._number_hints:  # noqa: SIM110 - runs for each new number, where `any` costs thrice
            if hint in digits:
                return True
        return False

    def found_in(self, text: str) -> bool:
        """Tell whether an identifier stands in a text."""
        if len(text) > LONGEST_TEXT:
            return True
        if len(text) > _LONGEST_WORD:
            return self._is_in(text)
        found = self._seen.get(text)
        if found is None:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            found = self._seen[text] = self._is_in(text)
        return found

    def _is_in(self, text: str) -> bool:
        for form in skeleton.skeletons(text):
            for year in self._years:
                if year in form and self._dates(text):
                    return True
            for hint in self._hints:
                if hint in form:
                    return self._pattern.search(text) is not None or self._is_disguised(text)
        return False

    def cut(self, text: str) -> str:
        """Return a text without the identifiers; the same text if there is none.

        Nothing is left of a text where one stands in a disguise.
        """
        if not self.found_in(text):
            return text
        if len(text) > LONGEST_TEXT:
            return ""
        for start, end in self._dates(text):
            text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
        text = _BLANKS.sub(" ", self._pattern.sub(" ", text)).strip()
        return "" if self._is_disguised(text) or self._dates(text) else text

    @property
    def _pattern(self) -> re.Pattern[str]:
        if self._compiled is None:
            longest_first = sorted(self._alternatives, key=lambda one: (-len(one), one))
            names = [f"(?-i:{_whole(one.title())}|{_whole(one.upper())})" for one in sorted(self._names)]
            alternatives = "|".join([*map(_whole, longest_first), *names])
            self._compiled = re.compile(alternatives, re.IGNORECASE) if alternatives else _NOTHING
        return self._compiled

    def _dates(self, text: str) -> list[tuple[int, int]]:
        if not self._days:
            return []
        return [(start, end) for start, end, readings in dates_in(text) if readings & self._days]

    def _is_disguised(self, text: str) -> bool:
        """Tell whether a telling identifier is left in the skeleton; clinical words hide none."""
        words = (word for word in _WORDS.findall(text) if not self._is_ordinary(word.casefold()))
        forms = skeleton.skeletons("".join(words)) if text.isascii() else skeleton.skeletons(text)
        return any(needle in form for form in forms for needle in self._strong)

    def _is_ordinary(self, word: str) -> bool:
        if len(word) < _LEAST_STRONG or word in self.words:
            return False
        return word in _ORDINARY or (word in clinical_terms() and word.isalpha())


@lru_cache(maxsize=4096)
def _compiled(ids: tuple[str, ...], names: tuple[str, ...], dates: tuple[str, ...]) -> Identifiers:
    return Identifiers(ids, names, dates)


def identifiers(ids: Iterable[str] = (), names: Iterable[str] = (), dates: Iterable[str] = ()) -> Identifiers:
    """Return the identifiers of an object: its IDs, numbers, places and UIDs; names; dates."""
    return _compiled(tuple(ids), tuple(names), tuple(dates))


@lru_cache(maxsize=4096)
def _skeletons(one: str) -> tuple[str, ...]:
    """Return an identifier's skeletons: the same ones come with each series of a study."""
    return skeleton.skeletons(one)


def _shortest(hints: set[str]) -> tuple[str, ...]:
    """Return the hints that hold no other: where a longer one stands, so does a shorter one."""
    kept: list[str] = []
    for hint in sorted(hints, key=lambda one: (len(one), one)):
        if not any(one in hint for one in kept):
            kept.append(hint)
    return tuple(kept)


@lru_cache(maxsize=1024)
def _parts(name: str) -> frozenset[str]:
    """Return the words of a name that tell something; of two letters only those that name a person."""
    found = {part for part in _NAME_PARTS.findall(name) if _is_telling(part)}
    for group in name.split("="):
        for part in _NAME_PARTS.findall(" ".join(group.split("^")[:_NAMED_COMPONENTS])):
            folded = part.casefold()
            is_short = len(part) == _LEAST_PART and folded not in _NO_NAMES | clinical_terms()
            if is_short or (_is_ideographic(part) and len(part) < _LEAST_IDEOGRAPHS):
                found.add(part)
    return frozenset(found)


def _strong(parts: set[str], numbers: set[str], names: tuple[str, ...]) -> set[str]:
    """Return the skeletons that tell a patient wherever they stand."""
    found = {form for one in numbers | parts for form in _skeletons(one) if len(form) >= _LEAST_STRONG}
    found |= {one for one in parts if _is_ideographic(one) and len(one) >= _LEAST_IDEOGRAPHS}
    found |= {form for name in names for group in name.split("=") for form in _joined(group)}
    return found


@lru_cache(maxsize=1024)
def _joined(group: str) -> frozenset[str]:
    """Return family and given name written together, either first, and components with marks inside."""
    components = [component for component in group.split("^")[:_NAMED_COMPONENTS] if component.strip()]
    if len(components) == 1:
        components = components[0].split()
    forms = {form for one in components for form in skeleton.skeletons(one)}
    family, given = components[0] if components else "", components[1] if len(components) > 1 else ""
    first = given.split()[0] if given.split() else ""
    for pair in ((family, given), (given, family), (family, first), (first, family)):
        if all(pair):
            forms |= set(skeleton.skeletons("".join(pair)))
    return frozenset(form for form in forms if len(form) >= _LEAST_STRONG)


@lru_cache(maxsize=1024)
def _cores(number: str) -> list[str]:
    """Return the runs of at least 6 digits of an ID, separators and leading zeros aside."""
    runs = _DIGITS.findall(skeleton.skeletons(number)[0])
    return [bare for run in runs if len(bare := run.lstrip("0")) >= _LEAST_NUMBER]


def _in_digits(year: str, month: str, day: str) -> tuple[str, str, str]:
    return f"{year}{month}{day}", f"{day}{month}{year}", f"{month}{day}{year}"


def _is_ideographic(part: str) -> bool:
    return any(ord(c) > _FIRST_IDEOGRAPH for c in part)


def _is_telling(part: str) -> bool:
    return len(part) >= (_LEAST_IDEOGRAPHS if _is_ideographic(part) else _LEAST_NAME)


def _whole(one: str) -> str:
    """Return a pattern for a whole word or number.

    Ideographs are written without blanks and have no such bounds, but for a single one.
    """
    is_bounded = one.isascii() or len(one) == 1
    before = r"(?<![^\W_])" if is_bounded and one[0].isalnum() else ""
    after = r"(?![^\W_])" if is_bounded and one[-1].isalnum() else ""
    if one.isdigit() and len(one) < _LEAST_STRONG:
        before, after = rf"{before}(?<![.,+-])", rf"{after}(?![.,]\d)"
    return f"{before}{re.escape(one)}{after}"


NONE = Identifiers((), (), ())
