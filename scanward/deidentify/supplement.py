"""Attributes that Table E.1-1 does not name.

What the dictionary (PS3.6) says of them, and what is done by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import yaml
from pydicom.datadict import get_entry, tag_for_keyword

from scanward.deidentify.table import DATA

_PIXELS = 0x7FE0
_VARIABLE_PIXELS = 0x7F
# SourceImageIDs (0020,31xx).
_SOURCE_IMAGES = (0x0020, 0x3100)
_REPEATS = 0xFF00
_HEX = re.compile("[0-9A-F]{8}")
_LONG = frozenset({"LT", "ST", "UC", "UT"})
_FREE = re.compile(
    "Comment|Desc|Label|Name|Note|Explanation|Text|Reason|Instruction|Title|Author|Contact|Location|Address"
    "|Source$|Creator|Issuer|Owner|Operator|Person|DeviceID|Nomenclature|StockNumber|Position$"
)


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute of the dictionary: its VRs (`US or SS` gives two) and whether it is retired."""

    vrs: tuple[str, ...]
    retired: bool
    keyword: str


@dataclass(frozen=True, slots=True)
class Supplement:
    """The checked-in additions to the table, by tag."""

    actions: dict[int, str]
    class_uids: frozenset[int]
    kept: frozenset[int]
    structural: frozenset[int]
    schemes: frozenset[int]
    technical: frozenset[int]
    removed: frozenset[int]
    removed_groups: frozenset[int]
    retired_opaque: frozenset[int]


@lru_cache(maxsize=8192)
def known(tag: int) -> Known | None:
    """Return what the dictionary says of a standard attribute, or None if it does not have it."""
    try:
        vr, _, _, retired, keyword = get_entry(tag)
    except KeyError:
        return None
    return Known(tuple(vr.split(" or ")), bool(retired), keyword)


@cache
def load() -> Supplement:
    """Load the additions."""
    raw = yaml.safe_load((DATA / "supplement.yaml").read_text("utf-8"))
    return Supplement(
        actions={tag: action for name, action in raw["actions"].items() if (tag := tag_for_keyword(name))},
        class_uids=_tags(raw["class_uids"]),
        kept=_tags(raw["kept"]),
        structural=_tags(raw["structural"]),
        schemes=_tags(raw["schemes"]),
        technical=_tags(raw["technical"]),
        removed=_tags(raw["removed"]),
        removed_groups=frozenset(int(group, 16) for group in raw["removed_groups"]),
        retired_opaque=_tags(raw["retired_opaque"]),
    )


def is_relic(tag: int) -> bool:
    """Tell whether an attribute goes at any depth, whatever its VR: it holds what nobody can read."""
    group, element = tag >> 16, tag & 0xFFFF
    listed = load()
    return (
        tag in listed.removed
        or group in listed.removed_groups
        or (group == _SOURCE_IMAGES[0] and element & _REPEATS == _SOURCE_IMAGES[1])
        or (group >> 8 == _VARIABLE_PIXELS and group != _PIXELS)
    )


def is_free_text(tag: int, vr: str) -> bool:
    """Tell whether a text may be about anything and anybody: by its length, or by its keyword."""
    entry = known(tag)
    if tag in load().technical or entry is None:
        return False
    return vr in _LONG or bool(_LONG & {*entry.vrs}) or _FREE.search(entry.keyword) is not None


def _tags(names: list[str]) -> frozenset[int]:
    """Return the tags of keywords, or of eight hex digits for attributes without one."""
    found = (int(name, 16) if _HEX.fullmatch(name) else tag_for_keyword(name) for name in names)
    return frozenset(tag for tag in found if tag)
