"""Every rule over one object, in one walk over its elements; all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from pydicom._uid_dict import UID_dictionary

from scanward.dicom import iods
from scanward.dicom.structure import Structure
from scanward.dicom.structure.coding import PIXEL_TAGS, SOP_CLASS_UID
from scanward.dicom.structure.syntaxes import SYNTAXES
from scanward.dicom.tokenizer import Attribute, walk
from scanward.errors import Fault, Severity, ValidationFailed
from scanward.validate.dictionary import entry_of
from scanward.validate.header import Findings, Header
from scanward.validate.pixels import check_pixel_attributes
from scanward.validate.presence import check_item, check_presence
from scanward.validate.rulebook import severities_of
from scanward.validate.values import BINARY_SIZES, Finding, character_sets_known, forms, split

__all__ = ["raise_rejected", "validate"]

_CHARACTER_SET: Final = 0x00080005
_TRANSFER_SYNTAX: Final = 0x00020010
_PRIVATE: Final = 0x10000
_KEPT: Final = 256
# What these hold is checked by nobody here: bytes, items, or what has no VR.
_OPAQUE: Final = frozenset({"OB", "SQ", "UN"})
_WHOLE: Final = frozenset({"LT", "ST", "UR", "UT"})
_ONE_LEVEL: Final = 1
_IN_AN_ITEM: Final = 3
_RETIRED: Final = "Retired"
_MISSING: Final = frozenset(
    {"identifier-missing", "pixel-attribute-missing", "type1-missing", "type1c-missing", "type2-missing"}
)


def validate(view: memoryview, structure: Structure, severities: Mapping[str, Severity]) -> tuple[Fault, ...]:
    """Return every rule that an object breaks, raising for none; the gate has passed the object.

    `severities` overrides the default severity by the rule's name. Raises Misconfigured if it names no rule.
    """
    findings = Findings(severities_of(severities))
    header = _walk(view, structure, findings)
    _check_classes(structure, findings)
    check_presence(header, structure.sop_class_uid, structure.pixel_tag, findings)
    if structure.pixel_tag is not None:
        check_pixel_attributes(header, findings)
    return findings.faults()


def raise_rejected(faults: tuple[Fault, ...]) -> None:
    """Raise ValidationFailed, naming every fault of severity "reject", if there is one."""
    rejected = [fault for fault in faults if fault.severity == "reject"]
    if not rejected:
        return
    missing = [
        f"{fault.message.split(' ', 1)[0]} {fault.path}" for fault in rejected if fault.rule in _MISSING
    ]
    sentences = [f"Missing required DICOM tags: {', '.join(missing)}"] if missing else []
    sentences += [f"{fault.path} {fault.message}".strip() for fault in rejected if fault.rule not in _MISSING]
    raise ValidationFailed("; ".join(sentences), faults=faults)


class _CharacterSets:
    """Which character set holds where: an item's own, or the nearest around it (PS3.5 7.5.3)."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[int, tuple[tuple[int, ...], bytes]] = {}

    def note(self, path: tuple[int, ...], value: bytes) -> None:
        """Remember a Specific Character Set; one a depth is enough, for the walk comes to no item twice."""
        self._last[len(path) - 1] = (path[:-1], value)

    def at(self, path: tuple[int, ...]) -> bytes:
        """Return the one that holds at a path."""
        for length in range(len(path) - 1, -1, -2):
            prefix, value = self._last.get(length, (None, b""))
            if prefix == path[:length]:
                return value
        return b""


def _walk(view: memoryview, structure: Structure, findings: Findings) -> Header:
    header, sets = Header(structure.little_endian), _CharacterSets()
    place: tuple[int, ...] = ()
    held: dict[int, bool] = {}
    for attribute in walk(view, structure):
        path, tag, _, value = attribute
        raw = bytes(value[:_KEPT])
        depth = len(path)
        if depth == _ONE_LEVEL:
            header.keep(tag, raw)
        elif depth == _IN_AN_ITEM:
            if path[:2] != place:
                check_item(place, held, structure.sop_class_uid, findings)
                place, held = path[:2], {}
            held[tag] = bool(raw) or tag in PIXEL_TAGS
        if tag == _CHARACTER_SET:
            sets.note(path, raw)
        for rule, words in _found(attribute, raw, sets) if not findings.full else ():
            findings.add(rule, path, words)
    check_item(place, held, structure.sop_class_uid, findings)
    return header


def _found(attribute: Attribute, raw: bytes, sets: _CharacterSets) -> tuple[Finding, ...]:
    path, tag, vr, value = attribute
    if len(value) > _KEPT:
        return _check_long(attribute, sets)
    return _check(tag, vr, raw, b"" if raw.isascii() else sets.at(path))


@lru_cache(maxsize=16_384)
def _check(tag: int, vr: str, value: bytes, character_set: bytes) -> tuple[Finding, ...]:
    """Return what is wrong with one element; headers of a series share nearly all of theirs."""
    found = list(_check_tag(tag, vr))
    if vr not in _OPAQUE:
        found += forms(vr, value, character_set)
        found += _check_count(tag, vr, value, character_set)
    if tag == _CHARACTER_SET and not character_sets_known(value):
        found.append(("charset-unknown", "has a term that is not defined"))
    return tuple(found)


def _check_long(attribute: Attribute, sets: _CharacterSets) -> tuple[Finding, ...]:
    """Check an element too long to be remembered; of binary ones only the length is looked at."""
    path, tag, vr, value = attribute
    found = list(_check_tag(tag, vr))
    if vr in BINARY_SIZES:
        if len(value) % BINARY_SIZES[vr]:
            found += forms(vr, bytes(len(value) % BINARY_SIZES[vr]))
        found += _count_faults(tag, len(value) // BINARY_SIZES[vr])
    elif vr not in _OPAQUE:
        raw = bytes(value)
        character_set = b"" if raw.isascii() else sets.at(path)
        found += forms(vr, raw, character_set)
        found += _check_count(tag, vr, raw, character_set)
    return tuple(found)


@lru_cache(maxsize=8192)
def _check_tag(tag: int, vr: str) -> tuple[Finding, ...]:
    if tag & _PRIVATE or not tag & 0xFFFF:
        return ()
    entry = entry_of(tag)
    if entry is None:
        return (("tag-unknown", "is not in the dictionary"),)
    if vr in entry.vrs or "NONE" in entry.vrs:
        return ()
    if vr == "UN":
        return (("vr-unknown", f"is stored as UN, not as {_either(entry.vrs)}"),)
    return (("vr-wrong", f"is stored as {vr}, not as {_either(entry.vrs)}"),)


def _check_count(tag: int, vr: str, value: bytes, character_set: bytes) -> tuple[Finding, ...]:
    if vr in BINARY_SIZES:
        return _count_faults(tag, len(value) // BINARY_SIZES[vr])
    # A backslash may be half a character in GBK, GB18030 and the multi-byte sets that escapes switch to.
    if vr in _WHOLE or b"\x1b" in value or (character_set.startswith(b"GB") and not value.isascii()):
        return ()
    return _count_faults(tag, len(split(vr, value)))


def _count_faults(tag: int, count: int) -> tuple[Finding, ...]:
    entry = entry_of(tag)
    if entry is None or entry.allows(count):
        return ()
    return (("value-multiplicity", f"has {count} values, not {entry.multiplicity}"),)


def _either(vrs: frozenset[str]) -> str:
    return " or ".join(sorted(vrs))


def _check_classes(structure: Structure, findings: Findings) -> None:
    syntax = structure.transfer_syntax
    if syntax not in SYNTAXES:
        findings.add(
            "transfer-syntax-unknown", (_TRANSFER_SYNTAX,), "is not a transfer syntax of the standard"
        )
    elif UID_dictionary.get(syntax, ("", "", "", ""))[3] == _RETIRED:
        findings.add("transfer-syntax-retired", (_TRANSFER_SYNTAX,), "is a retired transfer syntax")
    uid = structure.sop_class_uid
    if uid and not iods.is_known(uid) and UID_dictionary.get(uid, ("", ""))[1] != "SOP Class":
        findings.add("sop-class-unknown", (SOP_CLASS_UID,), "is not a storage class of the standard")
