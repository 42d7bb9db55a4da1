"""Reads data elements as bytes, of an object that the gate has passed; nothing is checked twice (PS3.5 7).

Values are views in the object's own byte order; sequences are walked without recursion.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scanward.dicom.ranged import unpack_at
from scanward.dicom.structure.coding import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    ITEM,
    ITEM_DELIMITER,
    KINDS,
    PIXEL_TAGS,
    SEQUENCES,
    UNDEFINED,
    Coding,
    Element,
    vr_of,
)
from scanward.dicom.structure.gate import Structure

__all__ = [
    "Attribute",
    "Element",
    "Item",
    "coding_of",
    "elements",
    "is_sequence",
    "items",
    "top_level",
    "vr_of",
    "walk",
]

_HEADER = 8
_ITEM_TAG = b"\xfe\xff\x00\xe0"
_NOTHING = memoryview(b"")


class Item(NamedTuple):
    """One item: its elements lie from `value` to `stop`; `end` is the position behind its delimiter."""

    start: int
    value: int
    stop: int
    end: int


class Attribute(NamedTuple):
    """One element at any depth. `path` alternates tag and item index and ends with the element's own tag."""

    path: tuple[int, ...]
    tag: int
    vr: str
    value: memoryview


def coding_of(*, explicit: bool, little_endian: bool = True) -> Coding:
    """Return the coding of a data set."""
    if not little_endian:
        return EXPLICIT_BIG
    return EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE


def elements(
    view: memoryview,
    start: int,
    end: int,
    explicit: bool,  # noqa: FBT001 - the agreed interface of all areas
    *,
    little_endian: bool = True,
) -> Iterator[Element]:
    """Yield the elements of one data set, one level, in order; its own item delimiter is not among them."""
    return _elements(view, start, end, coding_of(explicit=explicit, little_endian=little_endian))


def items(
    view: memoryview,
    element: Element,
    explicit: bool,  # noqa: FBT001 - as in `elements`
    *,
    little_endian: bool = True,
) -> Iterator[Item]:
    """Yield the items of a sequence element; those of an UN of undefined length are implicit."""
    return _items(view, element, coding_of(explicit=explicit, little_endian=little_endian))


def top_level(view: memoryview, structure: Structure) -> Iterator[Element]:
    """Yield the top-level elements of an object; offsets count in `structure.dataset_view(view)`."""
    body = structure.dataset_view(view)
    return _elements(body, structure.dataset_offset, structure.dataset_end, structure.coding)


def is_sequence(view: memoryview, element: Element) -> bool:
    """Tell whether items are inside: SQ, UN of undefined length, and UN of a tag known to be SQ."""
    if element.tag in PIXEL_TAGS:
        return False
    if element.vr == "SQ" or element.undefined:
        return True
    known = element.vr == "UN" and element.tag in SEQUENCES
    return known and bytes(view[element.value : element.value + 4]) == _ITEM_TAG


def walk(view: memoryview, structure: Structure) -> Iterator[Attribute]:
    """Yield every element of every depth in document order; a sequence comes before what is in it.

    The value of pixels is left out (empty); what follows them is not.
    """
    body = structure.dataset_view(view)
    top = _elements(body, structure.dataset_offset, structure.dataset_end, structure.coding)
    levels = [_places(top, (), structure.coding)]
    while levels:
        place = next(levels[-1], None)
        if place is None:
            levels.pop()
            continue
        prefix, coding, element = place
        path = (*prefix, element.tag)
        value = _NOTHING if element.tag in PIXEL_TAGS else body[element.value : element.stop]
        yield Attribute(path, element.tag, element.vr, value)
        if is_sequence(body, element):
            levels.append(_inside(body, element, path, _inner(element, coding)))


class _Place(NamedTuple):
    prefix: tuple[int, ...]
    coding: Coding
    element: Element


def _places(found: Iterator[Element], prefix: tuple[int, ...], coding: Coding) -> Iterator[_Place]:
    for element in found:
        yield _Place(prefix, coding, element)


def _inside(view: memoryview, element: Element, path: tuple[int, ...], coding: Coding) -> Iterator[_Place]:
    for index, item in enumerate(_items(view, element, coding)):
        own = _item_coding(view, element, item.value, item.stop, coding)
        yield from _places(_elements(view, item.value, item.stop, own), (*path, index), own)


def _inner(element: Element, coding: Coding) -> Coding:
    return IMPLICIT_LITTLE if element.vr == "UN" else coding


def _item_coding(view: memoryview, element: Element, start: int, stop: int, coding: Coding) -> Coding:
    """Return the coding of one item: UN values of defined length may hold explicit ones."""
    if element.vr != "UN" or element.undefined or start + _HEADER > stop:
        return coding
    return EXPLICIT_LITTLE if bytes(view[start + 4 : start + 6]) in KINDS else coding


def _elements(view: memoryview, start: int, end: int, coding: Coding) -> Iterator[Element]:
    position, last = start, end - _HEADER
    while position <= last:
        element = _element(view, position, coding)
        yield element
        position = element.end


def _element(view: memoryview, position: int, coding: Coding) -> Element:
    tag, vr, value, length = _header(view, position, coding)
    if length == UNDEFINED:
        inner = IMPLICIT_LITTLE if vr == "UN" else coding
        stop = _closing(view, value, inner, is_item=False)
        return Element(tag, vr, position, value, stop, stop + _HEADER, undefined=True)
    return Element(tag, vr, position, value, value + length, value + length, undefined=False)


def _header(view: memoryview, position: int, coding: Coding) -> tuple[int, str, int, int]:
    """Return tag, VR, the value's position and its length."""
    if not coding.explicit:
        group, number, length = unpack_at(coding.implicit_header, view, position)
        tag = group << 16 | number
        return tag, vr_of(tag), position + _HEADER, length
    group, number, vr, length = unpack_at(coding.explicit_header, view, position)
    value = position + _HEADER
    if KINDS[vr]:
        (length,) = unpack_at(coding.length, view, value)
        value += 4
    return group << 16 | number, vr.decode("ascii"), value, length


def _items(view: memoryview, element: Element, coding: Coding) -> Iterator[Item]:
    position = element.value
    while position < element.stop:
        _, _, length = unpack_at(coding.implicit_header, view, position)
        value = position + _HEADER
        if length == UNDEFINED:
            stop = _closing(view, value, coding, is_item=True)
            yield Item(position, value, stop, stop + _HEADER)
            position = stop + _HEADER
        else:
            yield Item(position, value, value + length, value + length)
            position = value + length


def _closing(view: memoryview, position: int, coding: Coding, *, is_item: bool) -> int:
    """Return the position of the delimiter that closes the sequence or item begun before `position`."""
    levels = [(is_item, coding)]
    while True:
        in_item, coding = levels[-1]
        group, number, length = unpack_at(coding.implicit_header, view, position)
        tag = group << 16 | number
        if tag == ITEM_DELIMITER if in_item else tag != ITEM:
            levels.pop()
            if not levels:
                return position
            position += _HEADER
        elif in_item:
            position = _into_element(view, position, coding, levels)
        else:
            position += _HEADER
            if length == UNDEFINED:
                levels.append((True, coding))
            else:
                position += length


def _into_element(view: memoryview, position: int, coding: Coding, levels: list[tuple[bool, Coding]]) -> int:
    _, vr, value, length = _header(view, position, coding)
    if length != UNDEFINED:
        return value + length
    levels.append((False, IMPLICIT_LITTLE if vr == "UN" else coding))
    return value
