"""Which attributes have to be there, by SOP class (PS3.3, PS3.5 7.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

from scanward.dicom import iods
from scanward.dicom.iods import Module
from scanward.dicom.structure.coding import (
    BITS_ALLOCATED,
    COLUMNS,
    INSTANCE_UID,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_TAGS,
    ROWS,
    SAMPLES_PER_PIXEL,
    SERIES_UID,
    SOP_CLASS_UID,
    STUDY_UID,
)
from scanward.validate.dictionary import entry_of
from scanward.validate.header import Findings, Header
from scanward.validate.rulebook import rows

__all__ = ["check_item", "check_presence"]

_IDENTIFIERS: Final = frozenset({SOP_CLASS_UID, INSTANCE_UID, STUDY_UID, SERIES_UID})
_DIRECTORY: Final = "1.2.840.10008.1.3.10"  # a DICOMDIR is of no study (PS3.3 F)
_DRAWN: Final = frozenset({SAMPLES_PER_PIXEL, PHOTOMETRIC_INTERPRETATION, ROWS, COLUMNS, BITS_ALLOCATED})
# What can be told of the types without their conditions: what is missing, and, of 1 and 1C, what is empty.
_KINDS: Final = ("1", "2", "1C")
# Macros of functional groups may stand in either sequence, by conditions that no table has.
_FUNCTIONAL_GROUPS: Final = frozenset({0x52009229, 0x52009230})
# Here the tables hold the attributes of every value type of a content item, of which an item has one.
_ALTERNATIVES: Final = frozenset({"sr-document-content"})


@dataclass(frozen=True, slots=True)
class _Requirement:
    tag: int
    kind: str
    module: str


@dataclass(frozen=True, slots=True)
class _Condition:
    tag: int
    needs: int
    operator: str
    values: str
    unless: int


def check_presence(header: Header, sop_class_uid: str, pixel_tag: int | None, findings: Findings) -> None:
    """Find what is missing or empty at the top level, by the mandatory modules."""
    if sop_class_uid != _DIRECTORY:
        _check_identifiers(header, findings)
    drawn = _check_drawn(header, findings) if pixel_tag is not None else frozenset()
    for required in _requirements(sop_class_uid):
        if required.tag not in drawn:
            _check_one(header.values, required, (required.tag,), findings)
    for condition in _conditions(sop_class_uid):
        if condition.tag not in header.values and _holds(condition, header):
            findings.add("type1c-missing", (condition.tag,), f"is missing ({_because(condition)})")


def check_item(place: tuple[int, ...], held: dict[int, bool], sop_class_uid: str, findings: Findings) -> None:
    """Find what is missing or empty in the item `place[1]` of the top level's sequence `place[0]`.

    `held` tells of each attribute of the item whether it has a value. An empty place is no item.
    """
    for required in _item_requirements(sop_class_uid, place[0]) if place else ():
        _check_one(held, required, (*place, required.tag), findings)


def _check_identifiers(header: Header, findings: Findings) -> None:
    for tag in sorted(_IDENTIFIERS):
        if not header.text(tag):
            state = "is empty" if tag in header.values else "is missing"
            findings.add("identifier-missing", (tag,), f"{state} (type 1)")


def _check_drawn(header: Header, findings: Findings) -> frozenset[int]:
    """Find what pixels cannot be drawn without; return the tags that are thereby dealt with."""
    for tag in sorted(_DRAWN):
        if not header.values.get(tag):
            state = "is empty" if tag in header.values else "is missing"
            findings.add("pixel-attribute-missing", (tag,), f"{state}, and there are pixels")
    return _DRAWN


def _check_one(
    held: dict[int, bytes] | dict[int, bool],
    required: _Requirement,
    path: tuple[int, ...],
    findings: Findings,
) -> None:
    value = held.get(required.tag)
    where = f"(type {required.kind}, {required.module})"
    if value is None:
        if required.kind != "1C":
            findings.add(f"type{required.kind}-missing", path, f"is missing {where}")
    elif required.kind != "2" and not value and required.tag not in PIXEL_TAGS:
        findings.add("type1-empty", path, f"is empty {where}")


@lru_cache(maxsize=64)
def _requirements(sop_class_uid: str) -> tuple[_Requirement, ...]:
    """Return what is of type 1, 2 or 1C in the mandatory modules, in tag order."""
    found: dict[int, _Requirement] = {}
    for module in iods.modules(sop_class_uid):
        if module.usage != "M" or module.name in _ALTERNATIVES:
            continue
        for path, kind in module.types.items():
            tag = path[0]
            if len(path) > 1 or kind not in _KINDS or tag in _IDENTIFIERS:
                continue
            if tag not in found or _KINDS.index(kind) < _KINDS.index(found[tag].kind):
                found[tag] = _Requirement(tag, kind, _title(module))
    return tuple(found[tag] for tag in sorted(found))


@lru_cache(maxsize=4096)
def _item_requirements(sop_class_uid: str, sequence: int) -> tuple[_Requirement, ...]:
    """Return what every item of a sequence needs, by all modules that have the sequence alike."""
    if sequence in _FUNCTIONAL_GROUPS:
        return ()
    holders = [module for module in iods.modules(sop_class_uid) if (sequence,) in module.types]
    if any(module.name in _ALTERNATIVES for module in holders):
        return ()
    kinds = [dict(_inside(module, sequence)) for module in holders]
    if not kinds:
        return ()
    return tuple(
        _Requirement(tag, kind, _title(holders[0]))
        for tag, kind in sorted(kinds[0].items())
        if kind in _KINDS and all(other.get(tag) == kind for other in kinds)
    )


def _inside(module: Module, sequence: int) -> Iterator[tuple[int, str]]:
    for path, kind in module.types.items():
        if len(path) > 1 and path[0] == sequence:
            yield path[1], kind


@lru_cache(maxsize=64)
def _conditions(sop_class_uid: str) -> tuple[_Condition, ...]:
    return tuple(
        condition
        for condition in _all_conditions()
        if iods.attribute_type(sop_class_uid, (condition.tag,)) in {"1", "1C"}
    )


@lru_cache(maxsize=1)
def _all_conditions() -> tuple[_Condition, ...]:
    return tuple(
        _Condition(
            int(row["tag"], 16),
            int(row["needs"], 16),
            row["operator"],
            row["values"],
            int(row["unless"] or "0", 16),
        )
        for row in rows("conditions.csv")
    )


def _holds(condition: _Condition, header: Header) -> bool:
    raw = header.values.get(condition.needs)
    if raw is None or (condition.unless and condition.unless in header.values):
        return False
    if condition.operator == "present":
        return bool(raw) or condition.needs in PIXEL_TAGS
    if condition.operator == "equals":
        return header.text(condition.needs) == condition.values
    if condition.operator == "points":
        return _pointer(condition.values, header) in (
            raw[start : start + 4] for start in range(0, len(raw), 4)
        )
    entry = entry_of(condition.needs)
    number = header.number(condition.needs, is_word=entry is not None and "US" in entry.vrs)
    return number is not None and number > int(condition.values)


def _pointer(tag: str, header: Header) -> bytes:
    halves = Struct("<HH" if header.little_endian else ">HH")
    return halves.pack(int(tag[:4], 16), int(tag[4:], 16))


def _because(condition: _Condition) -> str:
    entry = entry_of(condition.needs)
    name = entry.keyword if entry else ""
    reasons = {
        "present": f"{name} is present",
        "equals": f"{name} is {condition.values}",
        "points": f"{name} points to it",
        "above": f"{name} is above {condition.values}",
    }
    return f"type 1C, and {reasons[condition.operator]}"


def _title(module: Module) -> str:
    return f"module {module.name}"
