"""What cannot be cleaned safely yet: a checked-in table of rules over few attributes (PS3.15 E.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import yaml
from pydicom.datadict import tag_for_keyword

from scanward.deidentify.table import DATA
from scanward.errors import Fault

# Not attributes of an object, but what an engine says of it: see `risk`.
EMBEDDED_OVERLAY = "EmbeddedOverlay"
_SYNTHETIC = frozenset({EMBEDDED_OVERLAY})
_OVERLAY_BIT_POSITION = 0x60000102
_REPEATS = 0xFF00FFFF


@dataclass(frozen=True, slots=True)
class Risk:
    """One rule of the table."""

    id: str
    says: str
    quarantines: bool
    sop_class: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    syntax: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def risks() -> tuple[Risk, ...]:
    """Load the table."""
    return tuple(_risk(raw) for raw in yaml.safe_load((DATA / "pixel_risks.yaml").read_text("utf-8")))


@cache
def attributes() -> Mapping[int, str]:
    """Return the top-level attributes that the rules ask for, tag to keyword."""
    names = {"SOPClassUID", "Modality"}
    for rule in risks():
        names |= {*rule.present, *rule.equals, *rule.contains}
    return {tag: name for name in names - _SYNTHETIC if (tag := tag_for_keyword(name)) is not None}


def is_embedded_overlay(tag: int, value: int) -> bool:
    """Tell whether an OverlayBitPosition (60xx,0102) says that an overlay lies in the pixels' unused bits."""
    return tag & _REPEATS == _OVERLAY_BIT_POSITION and value != 0


def decide(found: Mapping[str, str], transfer_syntax: str) -> Risk:
    """Return the first rule that holds; the table's last holds always.

    found: keyword to text of the top-level attributes of `attributes()` that the object has, values joined by
    backslashes, "" for sequences and bytes; and `EmbeddedOverlay` where `is_embedded_overlay` says so.
    """
    return next(rule for rule in risks() if _holds(rule, found, transfer_syntax))


def risk(found: Mapping[str, str], transfer_syntax: str) -> Fault | None:
    """Return why an object must be quarantined, or None if it can be cleaned."""
    rule = decide(found, transfer_syntax)
    return Fault(rule.id, rule.says, clause="PS3.15 E.3.1") if rule.quarantines else None


def _holds(rule: Risk, found: Mapping[str, str], transfer_syntax: str) -> bool:
    return (
        (not rule.sop_class or _is_among(found.get("SOPClassUID", ""), rule.sop_class))
        and (not rule.syntax or _is_among(transfer_syntax, rule.syntax))
        and (not rule.modality or found.get("Modality", "").strip() in rule.modality)
        and (not rule.present or any(name in found for name in rule.present))
        and all(_values(found, name) & set(wanted) for name, wanted in rule.equals.items())
        and all(
            any(part in found.get(name, "").upper() for part in parts)
            for name, parts in rule.contains.items()
        )
    )


def _is_among(uid: str, patterns: tuple[str, ...]) -> bool:
    return any(uid.startswith(one[:-1]) if one.endswith("*") else uid == one for one in patterns)


def _values(found: Mapping[str, str], name: str) -> set[str]:
    return {value.strip(" \0").upper() for value in found.get(name, "").split("\\")}


def _risk(raw: dict[str, object]) -> Risk:
    lists = {name: tuple(_list(raw.get(name, []))) for name in ("sop_class", "modality", "syntax", "present")}
    return Risk(
        id=str(raw["id"]),
        says=str(raw["says"]),
        quarantines=raw["outcome"] == "quarantine",
        equals=_lists(raw.get("equals", {})),
        contains=_lists(raw.get("contains", {})),
        **lists,
    )


def _list(raw: object) -> list[str]:
    return [str(one) for one in raw] if isinstance(raw, list) else []


def _lists(raw: object) -> dict[str, tuple[str, ...]]:
    return {str(name): tuple(_list(values)) for name, values in raw.items()} if isinstance(raw, dict) else {}
