"""Which private attributes are known to be safe, by creator (PS3.15 E.3.10, TCIA's knowledge base)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from scanward.deidentify.table import DATA

_CREATOR_FIRST, _CREATOR_LAST = 0x10, 0xFF
# Groups that PS3.5 7.8 forbids to private use.
_FORBIDDEN = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF})
# VRs whose value can be read and so be proven harmless; opaque bytes and long texts cannot.
READABLE = frozenset(
    {"AT", "CS", "DS", "FD", "FL", "IS", "LO", "SH", "SL", "SQ", "SS", "SV", "UL", "US", "UV"}
)


@dataclass(frozen=True, slots=True)
class SafePrivate:
    """Safe elements as (group, creator, element's low byte), with their VR; and all creators of them."""

    elements: dict[tuple[int, str, int], str]
    creators: frozenset[tuple[int, str]]


@cache
def load() -> SafePrivate:
    """Load the checked-in list."""
    lines = (DATA / "safe_private.csv").read_text("utf-8").splitlines()
    elements = {
        (int(row["group"], 16), row["creator"], int(row["element"], 16)): row["vr"]
        for row in csv.DictReader(lines)
    }
    return SafePrivate(elements, frozenset((group, creator) for group, creator, _ in elements))


def is_private(tag: int) -> bool:
    """Tell whether a tag's group is odd."""
    return bool(tag >> 16 & 1)


def is_creator(tag: int) -> bool:
    """Tell whether a private tag reserves a block (PS3.5 7.8.1)."""
    return _CREATOR_FIRST <= tag & 0xFFFF <= _CREATOR_LAST


def is_safe(tag: int, vr: str, creator: str) -> bool:
    """Tell whether a private element, or a block's creator, may stay under Retain Safe Private."""
    group, creator = tag >> 16, creator.strip(" \0")
    safe = load()
    if group in _FORBIDDEN:
        return False
    if is_creator(tag):
        return (group, creator) in safe.creators
    listed = safe.elements.get((group, creator, tag & 0xFF), "")
    # Another VR than the listed one says that the value is not what the list knows.
    return vr in {listed, "UN"} and listed in READABLE - _TEXT_IN_UN.get(vr, frozenset())


# Inside UN even a short text stays unread: its character set and its end are not known.
_TEXT_IN_UN = {"UN": frozenset({"CS", "DS", "IS", "LO", "SH", "SQ"})}
