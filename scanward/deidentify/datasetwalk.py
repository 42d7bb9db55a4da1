"""Walks a pydicom Dataset under the policy and writes what is left.

Recursive, so only behind the gate (64 levels).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from scanward.deidentify import private, supplement
from scanward.deidentify.charset import Charsets, charsets_of
from scanward.deidentify.keys import Keys, Subject
from scanward.deidentify.longvalues import LONGEST_TEXT, creator_of, new_long_value
from scanward.deidentify.nested import items_of
from scanward.deidentify.policy import Policy, vr_of
from scanward.deidentify.report import path_text
from scanward.deidentify.rule import Do, How, Rule
from scanward.deidentify.values import new_value
from scanward.deidentify.writer import Writer
from scanward.errors import Fault, InvalidDicom

_CHARSET = 0x00080005
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Place:
    """Where a data set stands.

    path: tags from the top level down; steps: the same with item indices; then how it is coded.
    """

    path: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    charsets: Charsets = ()
    implicit: bool = False

    def item(self, tag: int, index: int, *, implicit: bool) -> Place:
        """Return the place of an item of a sequence here."""
        return Place((*self.path, tag), (*self.steps, tag, index), self.charsets, implicit)

    def within(self, charsets: Charsets) -> Place:
        """Return this place with the character sets of its own data set."""
        return Place(self.path, self.steps, charsets, self.implicit)


class _Element(NamedTuple):
    """An element as written: `vr` "" where none is, `raw` None for a sequence already read."""

    tag: int
    vr: str
    raw: bytes | None
    undefined: bool


@dataclass
class DatasetWalk:
    """One object's way through the policy.

    `changes` and `top` (new top-level values by tag) fill up on the way.
    """

    policy: Policy
    keys: Keys
    subject: Subject
    sop_class_uid: str
    writer: Writer
    changes: list[tuple[str, str]] = field(default_factory=list)
    top: dict[int, bytes] = field(default_factory=dict)

    def dataset(self, dataset: Dataset, place: Place) -> list[tuple[int, bytes]]:
        """Return the elements that stay, in tag order, each as its tag and its bytes."""
        elements = [_element(dataset, tag) for tag in sorted(dataset.keys())]
        place = place.within(_charsets(elements, place.charsets))
        creators: dict[int, str] = {}
        written = ((one.tag, self._element(dataset, one, place, creators)) for one in elements)
        return [(tag, raw) for tag, raw in written if raw is not None]

    def _element(
        self, dataset: Dataset, one: _Element, place: Place, creators: dict[int, str]
    ) -> bytes | None:
        creator = _creator(one, creators)
        vr = vr_of(one.tag, one.vr)
        rule = self.policy.decide((*place.path, one.tag), one.vr or vr, self.sop_class_uid, creator)
        match rule.do:
            case Do.REMOVE:
                self._note(place, one.tag, rule.action)
                return None
            case Do.EMPTY:
                return self._empty(one, vr, place, rule)
            case Do.RECURSE:
                return self._sequence(dataset, one, place)
        if one.raw is None:
            self._note(place, one.tag, "X")
            return None
        return self._value(one, vr, place, rule)

    def _empty(self, one: _Element, vr: str, place: Place, rule: Rule) -> bytes:
        if one.raw != b"":
            self._note(place, one.tag, rule.action)
        return self.writer.element(one.tag, vr, b"")

    def _value(self, one: _Element, vr: str, place: Place, rule: Rule) -> bytes | None:
        raw = one.raw or b""
        if one.vr in {"", "UN"} and rule.how is How.NONE and not self._may_name(one.tag):
            return self.writer.element(one.tag, "UN", raw)
        if len(raw) > LONGEST_TEXT:
            return self._long(one, vr, place, rule)
        value = new_value(rule, vr, raw, place.charsets, self.subject, self.keys)
        if value.rstrip(b" \0") != raw.rstrip(b" \0"):
            self._note(place, one.tag, "C" if rule.do is Do.KEEP else rule.action)
        elif rule.action == "P":
            self._note(place, one.tag, "P")
        if not place.path:
            self.top[one.tag] = value
        return self.writer.element(one.tag, vr, value)

    def _long(self, one: _Element, vr: str, place: Place, rule: Rule) -> bytes:
        path = path_text((*place.steps, one.tag))
        new = new_long_value(rule, vr, path, self.subject, self.keys)
        if new is not None or rule.action == "P":
            self._note(place, one.tag, rule.action)
        return self.writer.element(one.tag, vr, one.raw or b"" if new is None else new)

    def _may_name(self, tag: int) -> bool:
        """Tell whether a kept value without a VR may be written under the dictionary's.

        That takes one VR, and this byte order.
        """
        entry = supplement.known(tag)
        return self.writer.little_endian and entry is not None and len(entry.vrs) == 1

    def _sequence(self, dataset: Dataset, one: _Element, place: Place) -> bytes | None:
        was_unknown = one.vr == "UN"
        if was_unknown and not self.writer.little_endian:
            self._note(place, one.tag, "X")
            return None
        implicit = place.implicit or was_unknown
        items = self._items(dataset, one, implicit=implicit)
        contents = [
            (
                b"".join(raw for _, raw in self.dataset(item, place.item(one.tag, index, implicit=implicit))),
                open_ended,
            )
            for index, (item, open_ended) in enumerate(items)
        ]
        return self.writer.sequence(one.tag, contents, undefined=one.undefined)

    def _items(self, dataset: Dataset, one: _Element, *, implicit: bool) -> list[tuple[Dataset, bool]]:
        """Return a sequence's items and whether each is of undefined length."""
        sequence = items_of(dataset, one.tag, self.writer, implicit=implicit)
        return [(item, bool(item.is_undefined_length_sequence_item)) for item in sequence]

    def _note(self, place: Place, tag: int, action: str) -> None:
        if action != "M":
            self.changes.append((path_text((*place.steps, tag)), action))


def _element(dataset: Dataset, tag: BaseTag) -> _Element:
    item = dataset.get_item(tag, keep_deferred=True)  # else an empty value is decoded, and more with it
    if isinstance(item, RawDataElement):
        return _Element(int(tag), str(item.VR or ""), item.value or b"", item.length == _UNDEFINED)
    if not item.value:
        return _Element(int(tag), str(item.VR), b"", undefined=False)
    if item.VR == "SQ":
        return _Element(int(tag), "SQ", None, bool(item.is_undefined_length))
    return _Element(int(tag), str(item.VR), None, undefined=True)


def _charsets(elements: list[_Element], inherited: Charsets) -> Charsets:
    """Return an item's character sets; a code string alone can name them (PS3.3 C.12.1.1.2)."""
    own = next((one for one in elements if one.tag == _CHARSET), None)
    if own is None:
        return inherited
    if own.vr not in {"CS", "UN", ""}:
        fault = Fault(
            "charset-vr", "Specific Character Set is no code string", "(0008,0005)", clause="PS3.6 6"
        )
        raise InvalidDicom(fault.message, faults=(fault,))
    return charsets_of(own.raw, inherited)


def _creator(one: _Element, creators: dict[int, str]) -> str:
    """Return the private creator that a tag belongs to.

    For a creator element that is its own value, which is remembered for its block.
    """
    if not private.is_private(one.tag):
        return ""
    if private.is_creator(one.tag):
        creator = creator_of(one.raw or b"")
        creators[one.tag] = creator
        return creator
    return creators.get(one.tag & 0xFFFF0000 | (one.tag >> 8 & 0xFF), "")
