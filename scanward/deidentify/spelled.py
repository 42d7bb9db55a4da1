"""Dates in a text, in the spellings that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Year, month and day; the year of two digits where only two are written.
Day = tuple[int, int, int]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OTHER_MONTHS = {"mai": 5, "okt": 10, "dez": 12}
_NAMES = "|".join((*_MONTHS, *_OTHER_MONTHS))
_MONTH = rf"({_NAMES})[a-z]{{0,6}}\.?"
_GAP = r"[-. ,/]{0,2}"
_TH = r"(?:st|nd|rd|th)?"
# Bounded in every part, and looked for at every place: `v2.17.4.1933` holds a date too.
_NUMERIC = re.compile(r"(?<!\d)(?=((\d{1,4})([-./_ ])(\d{1,2})\3(\d{1,4}))(?!\d))")
_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}}){_TH}{_GAP}{_MONTH}{_GAP}(\d{{4}}|\d{{2}})(?!\d)", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"{_MONTH}{_GAP}(\d{{1,2}}){_TH}[-. ,/]{{1,2}}(\d{{4}})(?!\d)", re.IGNORECASE)
_YEAR_FIRST = re.compile(rf"(?<!\d)(\d{{4}}){_GAP}{_MONTH}{_GAP}(\d{{1,2}})(?!\d)", re.IGNORECASE)
_CENTURY = 100
_FULL, _SHORT = 4, 2


def dates_in(text: str) -> Iterator[tuple[int, int, frozenset[Day]]]:
    """Yield start, end and the possible readings of all that looks like a date."""
    for match in _NUMERIC.finditer(text):
        yield (*match.span(1), _readings(match[2], match[4], match[5]))
    for match in _DAY_FIRST.finditer(text):
        yield (*match.span(), frozenset({(int(match[3]), _month(match[2]), int(match[1]))}))
    for match in _MONTH_FIRST.finditer(text):
        yield (*match.span(), frozenset({(int(match[3]), _month(match[1]), int(match[2]))}))
    for match in _YEAR_FIRST.finditer(text):
        yield (*match.span(), frozenset({(int(match[1]), _month(match[2]), int(match[3]))}))


def days(dates: list[tuple[str, str, str]]) -> frozenset[Day]:
    """Return dates with their years in full and of two digits, to be compared with readings."""
    full = {(int(year), int(month), int(day)) for year, month, day in dates}
    return frozenset(full | {(year % _CENTURY, month, day) for year, month, day in full})


def _readings(first: str, middle: str, last: str) -> frozenset[Day]:
    one, two, three = int(first), int(middle), int(last)
    if len(first) == _FULL:
        return frozenset({(one, two, three)})
    if len(last) == _FULL:
        return frozenset({(three, two, one), (three, one, two)})
    if len(first) == len(middle) == len(last) == _SHORT:
        return frozenset({(three, two, one), (three, one, two), (one, two, three)})
    return frozenset()


def _month(name: str) -> int:
    folded = name.lower()
    return _OTHER_MONTHS.get(folded) or _MONTHS.index(folded) + 1
