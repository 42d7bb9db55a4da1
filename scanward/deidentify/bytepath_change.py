"""What becomes of elements that are not simply kept: new bytes, made once a subject and remembered."""

from __future__ import annotations

from dataclasses import dataclass, field

from scanward.deidentify.bytepath_header import CHARSET, Headers, Kind, Role
from scanward.deidentify.bytepath_source import Irregular, Window
from scanward.deidentify.charset import Charsets
from scanward.deidentify.keys import Keys, Subject
from scanward.deidentify.longvalues import (
    LARGEST_SEQUENCE,
    LONGEST_TEXT,
    creator_of,
    new_long_value,
    too_long,
)
from scanward.deidentify.policy import Policy
from scanward.deidentify.private import is_creator
from scanward.deidentify.report import path_text
from scanward.deidentify.rule import Do, Rule
from scanward.deidentify.values import must_look, new_value
from scanward.dicom.structure import check_sequence
from scanward.dicom.structure.coding import ITEM_DELIMITER, PIXEL_TAGS, SEQUENCE_DELIMITER, UNDEFINED

_HEADER = 8
# Steps down (tag and item index each). Deeper, following undefined lengths by level would take too long.
_DEEPEST = 16
LARGEST_REMEMBERED = 64 << 10
_COST_OF_ENTRY = 400
# One object never adds more to the memories; what they hold together is their owner's to bound.
_MOST_HELD = 8 << 20
_OF_VALUES = frozenset({Kind.VALUE, Kind.CONSTANT})
# In headers.
_COST_OF_PATH = 4
_ITEM_START = b"\xfe\xff\x00\xe0"

Changes = tuple[tuple[str, str], ...]
# New bytes (None: the element stays as it lies) and what to report.
Change = tuple[bytes | None, Changes]
_STAYS: Change = (None, ())


@dataclass(slots=True)
class Memory:
    """What one subject's elements became, by their bytes, for one kind of object and one character set."""

    subject: Subject
    charsets: Charsets
    # What depends on no subject, shared by all of one character set.
    common: dict[Window, Change]
    memo: dict[Window, Change] = field(default_factory=dict)


class Changer:
    """Changes elements of one kind of object (SOP class and coding). Remembers headers by path."""

    def __init__(self, policy: Policy, keys: Keys, headers: Headers) -> None:
        """Start with the headers of the top level."""
        self._policy = policy
        self._keys = keys
        self._top = headers
        self._nested: dict[tuple[int, ...], Headers] = {}
        # About how many bytes the memories hold; their owner empties them.
        self.held = 0
        self._common: dict[Charsets, dict[Window, Change]] = {}

    def remembered(self, memory: Memory, role: Role, raw: Window) -> Change:
        """Return what becomes of a whole top-level element; what is long is decided where it lies."""
        if len(raw) > LONGEST_TEXT:
            return self._change(memory, role, raw, (), self._top)
        raw = bytes(raw)
        change = memory.memo.get(raw) or (memory.common.get(raw) if role.is_common else None)
        if change is None:
            change = self._change(memory, role, raw, (), self._top)
            if role.is_common:
                self._remember(memory.common, raw, change)
        self._remember(memory.memo, raw, change)
        return change

    def common(self, charsets: Charsets) -> dict[Window, Change]:
        """Return the memory of what depends on no subject."""
        return self._common.setdefault(charsets, {})

    def forget(self) -> None:
        """Begin anew."""
        self.held = 0
        self._common.clear()

    def _remember(self, memo: dict[Window, Change], raw: bytes, change: Change) -> None:
        if len(raw) <= LARGEST_REMEMBERED and self.held < _MOST_HELD and raw not in memo:
            self.held += len(raw) + _COST_OF_ENTRY
            memo[raw] = change

    def private(self, memory: Memory, role: Role, raw: Window, creators: dict[int, str]) -> Change:
        """Return what becomes of a private top-level element, in the light of the creators before it."""
        return self._private(memory, role, raw, (), self._top, creators)  # fmt: skip

    def _change(
        self, memory: Memory, role: Role, raw: Window, steps: tuple[int, ...], headers: Headers
    ) -> Change:
        if len(raw) > LONGEST_TEXT + role.value and role.kind in _OF_VALUES:
            return self._long(memory, role, steps, headers)
        if role.is_scan and not must_look(role.rule, bytes(raw[role.value :]), memory.subject):
            return _STAYS
        if role.kind is Kind.FIXED:
            return role.new, () if role.change is None else ((_path(steps, role), role.rule.action),)
        if role.kind is Kind.SEQUENCE:
            return self._sequence(memory, role, raw, steps, headers)
        if role.kind is Kind.UNSURE:
            return _STAYS
        return self._value(memory, role, raw, steps, headers)

    def _value(
        self, memory: Memory, role: Role, raw: Window, steps: tuple[int, ...], headers: Headers
    ) -> Change:
        rule, old = role.rule, bytes(raw[role.value :])
        if rule.do is Do.EMPTY:
            new = b""
        elif role.kind is Kind.CONSTANT:
            new = role.new[role.value :] if role.new else b""
        else:
            new = new_value(rule, role.vr, old, memory.charsets, memory.subject, self._keys)
        action = _action(rule, old, new)
        changes = ((_path(steps, role), action),) if action else ()
        return (None if new == old else headers.writer.element(role.tag, role.vr, new)), changes

    def _long(self, memory: Memory, role: Role, steps: tuple[int, ...], headers: Headers) -> Change:
        path, rule = _path(steps, role), role.rule
        new = new_long_value(rule, role.vr, path, memory.subject, self._keys)
        if new is None:
            return None, ((path, "P"),) if rule.action == "P" else ()
        return headers.writer.element(role.tag, role.vr, new), ((path, rule.action),)

    def _private(
        self,
        memory: Memory,
        role: Role,
        raw: Window,
        steps: tuple[int, ...],
        headers: Headers,
        creators: dict[int, str],
    ) -> Change:
        tag = role.tag
        if is_creator(tag):
            creator = creators[tag] = creator_of(raw[role.value :])
        else:
            creator = creators.get(tag & 0xFFFF0000 | (tag >> 8 & 0xFF), "")
        settled = headers.role_of(tag, role.vr, creator, total=len(raw), is_long=role.is_long)
        return _STAYS if settled is None else self._change(memory, settled, raw, steps, headers)

    # Sequences: the walker has checked them, so that neither depth nor lengths can surprise here.

    def _sequence(
        self, memory: Memory, role: Role, raw: Window, steps: tuple[int, ...], headers: Headers
    ) -> Change:
        rule, tag = role.rule, role.tag
        note = (_path(steps, role), rule.action)
        if rule.do is Do.EMPTY:
            has_items = raw[role.value : role.value + 4] == _ITEM_START
            return headers.writer.element(tag, "SQ", b""), (note,) if has_items else ()
        if rule.do is not Do.RECURSE or len(steps) > _DEEPEST:
            raise Irregular
        if len(raw) > LARGEST_SEQUENCE:
            says = f"A sequence is longer than the {LARGEST_SEQUENCE} bytes that are cleaned"
            raise too_long("sequence-too-long", says, note[0])
        raw = bytes(raw)
        items, changes = self._items(memory, role, raw, (*steps, tag), headers)
        if rule.action == "P":
            changes.append(note)
        undefined = raw[role.value - 4 : role.value] == b"\xff\xff\xff\xff"
        new = headers.writer.sequence(tag, items, undefined=undefined and bool(items))
        return (None if new == raw else new), tuple(changes)

    def _items(
        self, memory: Memory, role: Role, raw: bytes, steps: tuple[int, ...], headers: Headers
    ) -> tuple[list[tuple[bytes, bool]], list[tuple[str, str]]]:
        inside = self._headers((*headers.path, role.tag), explicit=headers.explicit)
        items: list[tuple[bytes, bool]] = []
        changes: list[tuple[str, str]] = []
        position, end = role.value, len(raw)
        while position < end:
            tag, length = _bare(raw, position)
            if tag == SEQUENCE_DELIMITER:
                break
            position += _HEADER
            undefined = length == UNDEFINED
            limit = end if undefined else position + length
            content, position = self._item(
                memory, raw, position, limit, (*steps, len(items)), inside, changes
            )
            items.append((content, undefined))
        return items, changes

    def _item(  # noqa: PLR0913, PLR0917 - an item and its whole surroundings
        self,
        memory: Memory,
        raw: bytes,
        position: int,
        limit: int,
        steps: tuple[int, ...],
        headers: Headers,
        changes: list[tuple[str, str]],
    ) -> tuple[bytes, int]:
        """Return an item's new content, and the position behind the item."""
        get, out, creators = headers.entries.get, [], dict[int, str]()
        while position < limit:
            header = raw[position : position + _HEADER]
            entry = get(header)
            if entry is None:
                if _bare(raw, position)[0] == ITEM_DELIMITER:
                    position += _HEADER
                    break
                entry = headers.learn(header)
            total, tag, role, _ = entry
            if tag == CHARSET or tag in PIXEL_TAGS:
                raise Irregular
            end = position + total if total > 0 else _end(raw, position, role, explicit=headers.explicit)
            element = raw[position:end]
            position = end
            if role is None:
                out.append(element)
                continue
            if role.kind is Kind.PRIVATE:
                new, noted = self._private(memory, role, element, steps, headers, creators)
            else:
                new, noted = self._change(memory, role, element, steps, headers)
            changes.extend(noted)
            out.append(element if new is None else new)
        return b"".join(out), position

    def _headers(self, path: tuple[int, ...], *, explicit: bool) -> Headers:
        headers = self._nested.get(path)
        if headers is None:
            headers = Headers(self._policy, self._top.sop_class_uid, path, self._top.room, explicit=explicit)
            if self._top.room.left > 0:
                self._top.room.left -= _COST_OF_PATH
                self._nested[path] = headers
        return headers


def _path(steps: tuple[int, ...], role: Role) -> str:
    return path_text((*steps, role.tag)) if steps else role.path


def _action(rule: Rule, old: bytes, new: bytes) -> str:
    """Return the letter for the report, "" if nothing was done."""
    if rule.do is Do.EMPTY:
        return rule.action if old else ""
    if new.rstrip(b" \0") != old.rstrip(b" \0"):
        return "C" if rule.do is Do.KEEP else rule.action
    return "P" if rule.action == "P" else ""


def _bare(raw: bytes, position: int) -> tuple[int, int]:
    """Return tag and length of an item's or delimiter's header."""
    group, element = int.from_bytes(raw[position : position + 2], "little"), raw[position + 2 : position + 4]
    tag = group << 16 | int.from_bytes(element, "little")
    return tag, int.from_bytes(raw[position + 4 : position + 8], "little")


def _end(raw: bytes, position: int, role: Role | None, *, explicit: bool) -> int:
    """Return where an element with a 4-byte length ends; a nested sequence's undefined length is followed."""
    value = position + (12 if explicit else 8)
    length = int.from_bytes(raw[value - 4 : value], "little")
    if role is not None and role.vr == "SQ":
        if length != UNDEFINED:
            return value + length
        return check_sequence(memoryview(raw), role.tag, value, length, len(raw), explicit=explicit)
    if length & 1 or (role is not None and role.vr == "UN" and raw[value : value + 4] == _ITEM_START):
        raise Irregular
    return value + length
