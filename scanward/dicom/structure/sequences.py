"""Walks what is inside a value: items of sequences and fragments of pixels (PS3.5 7.5, A.4)."""

from __future__ import annotations

from scanward.dicom.ranged import unpacker
from scanward.dicom.structure.coding import (
    EXPLICIT_LITTLE,
    HEADER,
    IMPLICIT_LITTLE,
    ITEM,
    KINDS,
    SEQUENCE_DELIMITER,
    SEQUENCES,
    UNDEFINED,
    Coding,
    Element,
    tag_text,
)
from scanward.dicom.structure.trail import Fragments, Level, Trail

_ITEM = b"\xfe\xff\x00\xe0"


class SequenceWalk(Trail):
    """The part of the walk that is in sequences."""

    def open_sequence(self, level: Level, element: Element, coding: Coding) -> Level:
        """Open a sequence element of `level`; the walk goes on at its first item."""
        if len(self.levels) // 2 >= self.bounds.depth:
            self.refuse("depth-bound", element.start, self.bounds.depth)
        end = level.end if element.undefined else element.stop
        inside = Level(coding, end, element.tag, is_sequence=True, undefined=element.undefined)
        level.previous = element.tag
        self.levels.append(inside)
        self.position = element.value
        return inside

    def open_opaque(self, level: Level, element: Element) -> bool:
        """Open an UN value that is known to be a sequence; one that only looks like it, tentatively."""
        known = element.tag in SEQUENCES
        if not known and bytes(self.view[element.value : element.value + 4]) != _ITEM:
            return False
        inside = self.open_sequence(level, element, IMPLICIT_LITTLE)
        if not known:
            inside.tentative = True
            inside.mark = len(self.findings)
            self.tentative += 1
        return True

    def walk_items(self, level: Level) -> None:
        """Go on to the next item that is not empty, or out of the sequence."""
        end, unpack = level.end, unpacker(level.coding.implicit_header, self.view)
        position = self.position
        while True:
            if position == end and not level.undefined:
                self._close_sequence(level, position)
                return
            if position + HEADER > end:
                self.stop("delimiter-missing", position, what=f"Sequence {tag_text(level.tag)}")
            group, number, length = unpack(self.view, position)
            if group << 16 | number != ITEM:
                self._end_sequence(level, position, group << 16 | number, length)
                return
            level.item += 1
            self.items += 1
            position += HEADER
            if length:
                break
        self._open_item(level, position, length)

    def _open_item(self, level: Level, position: int, length: int) -> None:
        self._check_item_count(position)
        undefined = length == UNDEFINED
        left = level.end - position
        if not undefined and length > left:
            self.stop("length-outside", position - HEADER, what="An item", length=length, left=left)
        coding = level.coding
        if not coding.explicit and self._shows_vr(position, level.end):
            coding = self._explicit_inside(level, position)
        self.levels.append(Level(coding, level.end if undefined else position + length, undefined=undefined))
        self.position = position

    def _shows_vr(self, position: int, end: int) -> bool:
        return position + HEADER <= end and bytes(self.view[position + 4 : position + 6]) in KINDS

    def _explicit_inside(self, level: Level, position: int) -> Coding:
        """Take explicit items of an UN value of defined length, as writers make them; refuse others."""
        if level.undefined or not any(upper.coding.explicit for upper in self.levels):
            self.stop("vr-encoding-differs", position, found="explicit", declared="implicit")
        self.tell("un-explicit", position, level.tag, tag=tag_text(level.tag))
        return EXPLICIT_LITTLE

    def _end_sequence(self, level: Level, position: int, tag: int, length: int) -> None:
        if tag != SEQUENCE_DELIMITER:
            self.stop("item-expected", position, tag=tag_text(tag), what="an item")
        if not level.undefined:
            self.stop("delimiter-unexpected", position, tag=tag_text(tag))
        if length:
            self.tell("delimiter-length", position)
        self._close_sequence(level, position + HEADER)

    def _close_sequence(self, level: Level, position: int) -> None:
        self._check_item_count(position)
        self.tentative -= level.tentative
        self.levels.pop()
        self.position = position

    def _check_item_count(self, position: int) -> None:
        if self.items > self.bounds.items:
            self.refuse("item-bound", position, self.bounds.items)

    def walk_fragments(self, level: Level, element: Element) -> tuple[int, Fragments]:
        """Return the position behind encapsulated pixels and their fragments, the offset table first."""
        if not self.encapsulated:
            self.stop("pixels-encapsulated", element.start, element.tag)
        ranges: list[tuple[int, int]] = []
        end, unpack = level.end, unpacker(level.coding.implicit_header, self.view)
        position, odd = element.value, 0
        while position + HEADER <= end:
            group, number, length = unpack(self.view, position)
            position += HEADER
            if group << 16 | number != ITEM:
                self._close_fragments(element, position, group << 16 | number, length)
                break
            if position + length > end:
                self.stop(
                    "length-outside",
                    position - HEADER,
                    element.tag,
                    what="A fragment",
                    length=length,
                    left=end - position,
                )
            ranges.append((position, position + length))
            odd |= length
            position += length
        else:
            self.stop("delimiter-missing", position, element.tag, what="Encapsulated pixel data")
        self._count_fragments(element, len(ranges), odd)
        return position, Fragments(tuple(ranges))

    def _close_fragments(self, element: Element, position: int, tag: int, length: int) -> None:
        if tag != SEQUENCE_DELIMITER:
            self.stop("item-expected", position - HEADER, element.tag, tag=tag_text(tag), what="a fragment")
        if length:
            self.tell("delimiter-length", position - HEADER, element.tag)

    def _count_fragments(self, element: Element, count: int, odd: int) -> None:
        self.fragment_count += count
        if self.fragment_count > self.bounds.fragments:
            self.refuse("fragment-bound", element.start, self.bounds.fragments)
        if odd & 1:
            self.tell("odd-length", element.start, element.tag, what="A fragment")
