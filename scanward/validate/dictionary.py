"""What the dictionary expects of a tag: its VRs and how many values (PS3.6, by pydicom's tables)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydicom.datadict import get_entry

__all__ = ["Entry", "entry_of", "name_of"]

_PRIVATE: Final = 0x10000
_NUMBER: Final = 0xFFFF
_MULTIPLICITY: Final = re.compile(r"(\d+)(?:-(\d*)(n?))?")
# A value of these is one, whatever it holds.
_SINGLE: Final = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN", "LT", "ST", "UT", "UR"])


@dataclass(frozen=True, slots=True)
class Entry:
    """One attribute of the dictionary: `least` to `most` values (None: no end), in steps of `step`."""

    keyword: str
    vrs: frozenset[str]
    least: int
    most: int | None
    step: int

    def allows(self, count: int) -> bool:
        """Tell whether an attribute may have so many values; none is a matter of its type."""
        if not count:
            return True
        if count < self.least or (self.most is not None and count > self.most):
            return False
        return count % self.step == 0

    @property
    def multiplicity(self) -> str:
        """Return how many values are allowed, in words."""
        if self.most == self.least:
            return str(self.least)
        if self.most is not None:
            return f"{self.least} to {self.most}"
        return f"a multiple of {self.step}" if self.step > 1 else f"at least {self.least}"


@lru_cache(maxsize=8192)
def entry_of(tag: int) -> Entry | None:
    """Return the dictionary's entry; None for private tags, group lengths (PS3.5 7.2) and unknown ones."""
    if tag & _PRIVATE or not tag & _NUMBER:
        return None
    try:
        vr, multiplicity, _, _, keyword = get_entry(tag)
    except KeyError:
        return None
    vrs = frozenset(vr.split(" or "))
    found = _MULTIPLICITY.fullmatch(multiplicity)
    if found is None or vrs & _SINGLE:
        return Entry(keyword, vrs, 1, None, 1)
    least, most, repeats = int(found[1]), found[2], found[3]
    if repeats:
        return Entry(keyword, vrs, least, None, int(most or 1))
    return Entry(keyword, vrs, least, int(most or least), 1)


def name_of(tag: int) -> str:
    """Return the keyword of a tag, or words for one that has none."""
    entry = entry_of(tag)
    if entry is not None and entry.keyword:
        return entry.keyword
    return "The private element" if tag & _PRIVATE else "The element"
