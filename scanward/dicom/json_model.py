"""An object's header as the DICOM JSON Model (PS3.18 F), made from the bytes in one pass.

Elements of a series repeat from instance to instance: what was made of the same bytes is remembered.
"""

from __future__ import annotations

import math
import re
import struct
from base64 import b64encode
from collections.abc import Callable, Container, Iterable, Iterator
from json import dumps
from threading import local

from pydicom._dicom_dict import DicomDictionary

from scanward.dicom import levels
from scanward.dicom.structure.coding import (
    IMPLICIT_LITTLE,
    PIXEL_REPRESENTATION,
    PIXEL_TAGS,
    Coding,
    Element,
)
from scanward.dicom.structure.gate import Structure
from scanward.dicom.text import decode_whole, encodings_of
from scanward.dicom.tokenizer import elements, is_sequence, items, vr_of

BASE = b"\0"
"""Stands in a model for the instance's address. No JSON text holds this byte, so that `replace` finds it."""

Fragment = tuple[int, bytes]

_CHARSET = 0x00080005
_DECIDING = frozenset({_CHARSET, PIXEL_REPRESENTATION})
_HEADER = 8
_LARGEST_INLINE = 1 << 10
_LARGEST_TEXT = 1 << 16
_LARGEST_KEPT = 1 << 20
_MOST_BYTES, _MOST_REMEMBERED = 1 << 12, 1 << 22
_COST = 200

_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_WHOLE = frozenset({"LT", "ST", "UR", "UT"})
_NUMBERS = {
    "FL": "f", "FD": "d", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q",
}  # fmt: skip
_US_OR_SS = frozenset(tag for tag, entry in DicomDictionary.items() if entry[0].startswith("US or SS"))
_OF_THREAD = local()
_TOLD = (
    levels.STUDY
    | levels.SERIES
    | {_CHARSET, 0x00080016, 0x00080018, 0x00200013}
    | {0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100, PIXEL_REPRESENTATION}
)
_LAST_TOLD = max(_TOLD)
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_INTEGER = re.compile(r"([+-]?)0*(\d{1,18})")
_DECIMAL = re.compile(r"([+-]?)0*(\d*)(?:\.(\d*))?([eE][+-]?\d{1,3})?")
_PADDING = " \0"


class JsonModels:
    """Makes models; its memory is bounded. For one thread at a time."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._memories: dict[tuple[str, ...], _Memory] = {}

    def fragments(self, view: memoryview, structure: Structure) -> list[Fragment]:
        """Return tag and JSON member (`"00080060":{"vr":…}`) of each top-level element, in order.

        Group lengths and the file meta are left out (PS3.18 F.2.2); pixels and what is long are addressed by
        BulkDataURI (F.2.6), relative to BASE. The gate has passed the object.
        """
        body, first = structure.dataset_view(view), structure.pixel_offset
        start, end = structure.dataset_offset, structure.dataset_end
        found: list[Fragment] = []
        # Of bytes a slice is cheap, and can be looked up as it is.
        head = bytes(body[start : end if first is None else first])
        made = self._head(memoryview(head), head, structure.coding, found)
        if first is not None:
            coding = structure.coding
            rest = _Made(body, coding, made.encodings)
            rest.signed = made.signed
            behind = elements(body, first, end, coding.explicit, little_endian=coding.little_endian)
            found += [(one.tag, rest.member(one, "")) for one in behind if one.tag & 0xFFFF]
        return found

    def _head(self, view: memoryview, head: bytes, coding: Coding, found: list[Fragment]) -> _Made:
        """Add what stands before the pixels; return what is known by then of character set and sign."""
        made = _Made(view, coding, encodings_of(b""))
        memory = self._memory(made)
        position, end = 0, len(head)
        while position < end:
            total = memory.totals.get(head[position : position + _HEADER], 0)
            fragment = memory.fragments.get(head[position : position + total]) if total else None
            if fragment is None:
                one = next(elements(view, position, end, coding.explicit, little_endian=coding.little_endian))
                if one.tag in _DECIDING:
                    made.note(one)
                    memory = self._memory(made)
                total, fragment = one.end - position, memory.learn(made, one, head)
            position += total
            if fragment[1]:
                found.append(fragment)
        return made

    def _memory(self, made: _Made) -> _Memory:
        """Return what was made under the same coding, character set and sign."""
        if sum([one.held for one in self._memories.values()]) > _MOST_REMEMBERED:
            self._memories.clear()
        coding = made.coding
        key = (str(coding.explicit), str(coding.little_endian), str(made.signed), *made.encodings)
        memory = self._memories.get(key)
        if memory is None:
            memory = self._memories[key] = _Memory()
        return memory


class _Memory:
    """What elements became, by their bytes, and how long they are, by their headers."""

    def __init__(self) -> None:
        self.totals: dict[bytes, int] = {}
        self.fragments: dict[bytes, Fragment] = {}
        self.held = 0

    def learn(self, made: _Made, element: Element, head: bytes) -> Fragment:
        raw = head[element.start : element.end]
        fragment = self.fragments.get(raw)
        if fragment is None:
            member = made.member(element, "") if element.tag & 0xFFFF else b""
            fragment = element.tag, member
            is_small = len(raw) <= _MOST_BYTES and self.held < _MOST_REMEMBERED
            if is_small and element.tag not in _DECIDING:
                self.fragments[raw] = fragment
                self.held += len(raw) + len(member) + _COST
        if raw in self.fragments and element.value - element.start == _HEADER and not element.undefined:
            self.totals[raw[:_HEADER]] = len(raw)
        return fragment


def kept(view: memoryview, structure: Structure) -> bytes:
    """Return an object's members for keeping, one a line; of a long header those that searches tell only.

    Such an abridged model begins with an empty line: `is_whole` tells.
    """
    if structure.header_bytes <= _LARGEST_KEPT:
        return lines(models().fragments(view, structure))
    return b"\n" + lines(_told(view, structure))


def is_whole(kept_model: bytes) -> bool:
    """Tell whether a kept model has all of its object's attributes."""
    return not kept_model.startswith(b"\n") and bool(kept_model)


def _told(view: memoryview, structure: Structure) -> Iterator[Fragment]:
    """Yield the members that searches tell, without a thought for those between them."""
    body, coding = structure.dataset_view(view), structure.coding
    made = _Made(body, coding, encodings_of(b""))
    end = structure.dataset_end if structure.pixel_offset is None else structure.pixel_offset
    found = elements(body, structure.dataset_offset, end, coding.explicit, little_endian=coding.little_endian)
    for one in found:
        if one.tag > _LAST_TOLD:
            return
        if one.tag in _DECIDING:
            made.note(one)
        if one.tag in _TOLD and one.end - one.start <= _LARGEST_TEXT:
            yield one.tag, made.member(one, "")


def lines(fragments: Iterable[Fragment]) -> bytes:
    """Return members for keeping, one a line: no JSON text holds a line's end."""
    return b"\n".join([member for _, member in fragments])


def members(model: bytes, tags: Container[int] | None = None) -> list[Fragment]:
    """Return kept members, of some tags only if these are given."""
    found = [(int(line[1:9], 16), line) for line in model.split(b"\n") if line]
    return found if tags is None else [one for one in found if one[0] in tags]


def whole(model: bytes, base: bytes) -> bytes:
    """Return kept members as one JSON object whose bulk data lie below `base`, which ends with a slash."""
    if model[:1] == b"\n" or b"\n\n" in model:
        model = b"\n".join(line for line in model.split(b"\n") if line)
    return b"{" + model.replace(b"\n", b",").replace(BASE, base) + b"}"


def models() -> JsonModels:
    """Return this thread's own."""
    own: JsonModels | None = getattr(_OF_THREAD, "models", None)
    if own is None:
        own = _OF_THREAD.models = JsonModels()
    return own


class _Made:
    """Makes members of one object's elements."""

    def __init__(self, view: memoryview, coding: Coding, encodings: list[str]) -> None:
        self._view = view
        self.coding = coding
        self.encodings = encodings
        self.signed = False

    def note(self, element: Element) -> None:
        """Take notice of an element that decides how those behind it are read."""
        value = bytes(self._view[element.value : element.stop])
        if element.tag == _CHARSET:
            self.encodings = encodings_of(value)
        else:
            self.signed = any(value)

    def member(self, element: Element, place: str) -> bytes:
        """Return one element's member; `place` is the address of its item below `bulkdata/`."""
        # What an archive did not know may be known by now; its coding is that of the data set (PS3.5 6.2.2).
        vr = vr_of(element.tag) if element.vr == "UN" else element.vr
        if self.signed and (element.vr == "UN" or not self.coding.explicit) and element.tag in _US_OR_SS:
            vr = "SS"
        name = f"{element.tag:08X}"
        head = f'"{name}":{{"vr":"{vr}"'
        return f"{head}{self._value(element, vr, place + name)}}}".encode()

    def _value(self, element: Element, vr: str, address: str) -> str:
        length = element.stop - element.value
        if is_sequence(self._view, element):
            return self._sequence(element, address)
        if element.tag in PIXEL_TAGS or length > (_LARGEST_INLINE if vr in _BINARY else _LARGEST_TEXT):
            return _bulk(address)
        if not length or vr in _BINARY:
            return self._inline(element) if length else ""
        if element.tag == _CHARSET:
            return ',"Value":["ISO_IR 192"]'
        texts = self._texts(bytes(self._view[element.value : element.stop]), vr)
        return f',"Value":[{",".join(texts)}]' if texts else ""

    def _inline(self, element: Element) -> str:
        """Return the bytes in little endian order (PS3.18 F.2.7)."""
        raw = bytes(self._view[element.value : element.stop])
        width = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}.get(element.vr, 1)
        if not self.coding.little_endian and width > 1:
            raw = b"".join(raw[at : at + width][::-1] for at in range(0, len(raw), width))
        return f',"InlineBinary":"{b64encode(raw).decode()}"'

    def _sequence(self, element: Element, address: str) -> str:
        """Return items; an empty one is an empty object. Recursive, behind the gate's 64 levels."""
        coding = IMPLICIT_LITTLE if element.vr == "UN" else self.coding
        found = []
        for index, item in enumerate(
            items(self._view, element, coding.explicit, little_endian=coding.little_endian)
        ):
            found.append(self._item(item.value, item.stop, coding, f"{address}/{index}/"))
        return f',"Value":[{",".join(found)}]' if found else ""

    def _item(self, start: int, stop: int, coding: Coding, place: str) -> str:
        inside = _Made(self._view, coding, self.encodings)
        inside.signed = self.signed
        members = []
        for one in elements(self._view, start, stop, coding.explicit, little_endian=coding.little_endian):
            if one.tag in _DECIDING:
                inside.note(one)
            if one.tag & 0xFFFF:
                members.append(inside.member(one, place).decode())
        return "{" + ",".join(members) + "}"

    def _texts(self, raw: bytes, vr: str) -> list[str]:
        """Return the values as JSON; none for an empty value (PS3.18 F.2.5)."""
        if vr in _NUMBERS or vr == "AT":
            return self._numbers(raw, vr)
        text = decode_whole(raw, self.encodings, is_name=vr == "PN").rstrip(_PADDING)
        if not text:
            return []
        if vr in _WHOLE:
            return [dumps(text, ensure_ascii=False)]
        of_vr = _OF_VR.get(vr, _text)
        # Only what is decoded can be split: a byte 5C may be half of a character (PS3.5 6.1.2.3). Blanks
        # in front tell nothing but in UC (PS3.5 6.2).
        values = [one.rstrip(_PADDING) if vr == "UC" else one.strip(_PADDING) for one in text.split("\\")]
        return [of_vr(one) if one else "null" for one in values]

    def _numbers(self, raw: bytes, vr: str) -> list[str]:
        order = "<" if self.coding.little_endian else ">"
        if vr == "AT":
            pairs = struct.iter_unpack(f"{order}HH", raw[: len(raw) & ~3])
            return [f'"{group:04X}{number:04X}"' for group, number in pairs]
        code = _NUMBERS[vr]
        width = struct.calcsize(code)
        values = struct.unpack(f"{order}{len(raw) // width}{code}", raw[: len(raw) // width * width])
        return [_float(one) for one in values] if vr in {"FL", "FD"} else [str(one) for one in values]


def _bulk(address: str) -> str:
    return f',"BulkDataURI":"{BASE.decode()}bulkdata/{address}"'


def _text(value: str) -> str:
    return dumps(value, ensure_ascii=False)


def _name(value: str) -> str:
    """Return a person's name by component groups; an empty group is left out (PS3.18 F.2.2)."""
    groups = zip(_GROUPS, value.split("="), strict=False)
    members = [f'"{group}":{_text(name.rstrip(_PADDING))}' for group, name in groups if name.strip(_PADDING)]
    return "{" + ",".join(members) + "}"


def _integer(value: str) -> str:
    """Return an integer string as a number; what is none stays a string (PS3.18 F.2.3)."""
    match = _INTEGER.fullmatch(value)
    return _text(value) if match is None else f"{'-' if match[1] == '-' else ''}{match[2]}"


def _decimal(value: str) -> str:
    """Return a decimal string as a number with all its digits; what is none stays a string."""
    match = _DECIMAL.fullmatch(value)
    if match is None or not any(digit in "0123456789" for digit in value.partition("e")[0]):
        return _text(value)
    sign, whole, fraction, exponent = match.groups("")
    point = f".{fraction}" if fraction else ""
    return f"{'-' if sign == '-' else ''}{whole or '0'}{point}{exponent}"


def _float(value: float) -> str:
    """Return a number; JSON has none for infinity and NaN, which become strings."""
    if math.isfinite(value):
        return repr(value)
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'


_OF_VR: dict[str, Callable[[str], str]] = {"PN": _name, "IS": _integer, "DS": _decimal}
