"""How people spell names and dates when they name files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from scanward.dicom.latin import latin_spellings

_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)
_TITLES = 3  # components of a person name (PS3.5 6.2.1) from here on are prefix and suffix
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"^(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_LETTERS_OF_A_PART = 3


def name_spellings(name: str) -> Iterator[str]:
    """Yield the parts of a person name (PS3.5 6.2.1), and joined forms, as `DoeJohn`, `johndoe`, `jdoe`."""
    for spelled in {name, name.translate(_UMLAUTS), *latin_spellings(name)}:
        for group in spelled.split("="):
            components = [component.strip() for component in group.split("^")]
            yield from _parts(components)
            yield from _joined([component for component in components[:2] if component])


def _parts(components: list[str]) -> Iterator[str]:
    for component in components[:_TITLES]:
        yield component
        yield from re.split(r"[\s,;.'_-]+", component)
    yield from (title for title in components[_TITLES:] if len(title) > _LETTERS_OF_A_PART + 1)


def _joined(names: list[str]) -> Iterator[str]:
    if len(names) < 2:  # noqa: PLR2004 - two names make a pair
        return
    family, given = names
    yield from (family + given, given + family)
    if len(family) < _LETTERS_OF_A_PART:  # a longer one is found inside `jdoe` by itself
        yield from (given[0] + family, family + given[0])


def date_spellings(value: str) -> Iterator[str]:
    """Yield the common forms of a DA value: year, day or month first, short years, named months."""
    match = _DATE.match(value)
    if not match:
        return
    year, month, day = match.groups()
    try:
        named = _MONTHS[date(int(year), int(month), int(day)).month - 1]
    except ValueError:
        yield value  # no day of the calendar, but still what stands in the object
        return
    for order in ((year, month, day), (day, month, year), (month, day, year), (year, day, month)):
        yield "-".join(order)
        yield "".join(order)
    for order in ((day, named, year), (named, day, year), (year, named, day)):
        yield "-".join(order)
    for order in ((year[2:], month, day), (day, month, year[2:]), (month, day, year[2:])):
        yield "".join(order)
