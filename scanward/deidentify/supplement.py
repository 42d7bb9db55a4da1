"""Attributes that Table E.1-1 does not name.

What the dictionary (PS3.6) says of them, and what is done by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import yaml
from pydicom.datadict import get_entry, tag_for_keyword

from scanward.deidentify.table import DATA


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
    )


def _tags(names: list[str]) -> frozenset[int]:
    return frozenset(tag for name in names if (tag := tag_for_keyword(name)))
