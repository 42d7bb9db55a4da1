"""The walk: one forward pass over a data set and all that is in it, without recursion (PS3.5 7)."""

from __future__ import annotations

from scanward.dicom.ranged import unpack_at, unpacker
from scanward.dicom.structure.coding import (
    BEFORE_DATASET,
    FIRST_DELIMITER,
    HEADER,
    ILLEGAL,
    IMPLICIT_LITTLE,
    ITEM_DELIMITER,
    KINDS,
    NOTABLE,
    PIXEL_TAGS,
    PIXELS,
    SEQUENCES,
    UNDEFINED,
    Coding,
    Element,
    tag_text,
    vr_of,
)
from scanward.dicom.structure.sequences import SequenceWalk
from scanward.dicom.structure.trail import Fragments, Level, Stopped, any_but_zeros

__all__ = ["Fragments", "Walk"]

_LEFT = -1  # the position of an element behind which another level goes on
_SEQUENCES = frozenset({"SQ", "UN"})
_ENCAPSULATED = frozenset({"OB", "OW", "UN"})


class Walk(SequenceWalk):
    """One pass over a data set or one sequence; see `Trail` for what it leaves."""

    def dataset(self, start: int, end: int, coding: Coding) -> bool:
        """Walk a whole data set; return whether its end was reached."""
        self.position, self.dataset_end = start, end
        self.levels.append(Level(coding, end))
        return self._run()

    def sequence(self, element: Element, limit: int, coding: Coding) -> bool:
        """Walk one sequence; `position` is then behind its delimiter. Return whether it closed."""
        left = limit - element.value
        if not element.undefined and element.stop > limit:
            length = element.stop - element.value
            self.findings.add("length-outside", element.start, what="A sequence", length=length, left=left)
            return False
        end = limit if element.undefined else element.stop
        self.position = element.value
        self.levels.append(Level(coding, end, element.tag, is_sequence=True, undefined=element.undefined))
        return self._run()

    def _run(self) -> bool:
        while self.levels:
            try:
                self._step()
            except Stopped:
                if not self.leave_tentative():
                    return False
        return True

    def _step(self) -> None:
        levels = self.levels
        while levels:
            level = levels[-1]
            if level.is_sequence:
                self.walk_items(level)
            elif level.coding.explicit:
                self._explicit(level)
            else:
                self._implicit(level)

    def _explicit(self, level: Level) -> None:
        view, last = self.view, level.end - HEADER
        unpack, kinds = unpacker(level.coding.explicit_header, view), KINDS
        position, previous, count = self.position, level.previous, 0
        while position <= last:
            count += 1
            group, number, vr, length = unpack(view, position)
            tag = group << 16 | number
            # The plain case: in order, a short VR, an even length, nothing that the gate must look at.
            plain = previous < tag < FIRST_DELIMITER and not kinds.get(vr, ILLEGAL) and not length & 1
            if plain and tag not in NOTABLE:
                position += HEADER + length
            else:
                level.previous = previous
                position = self._explicit_element(level, position, tag, vr, length)
                if position < 0:
                    break
            previous = tag
        self._count(count)
        if position >= 0:
            self._close_dataset(level, position, previous)

    def _implicit(self, level: Level) -> None:
        view, last = self.view, level.end - HEADER
        unpack, sequences = unpacker(level.coding.implicit_header, view), SEQUENCES
        position, previous, count = self.position, level.previous, 0
        while position <= last:
            count += 1
            group, number, length = unpack(view, position)
            tag = group << 16 | number
            plain = previous < tag < FIRST_DELIMITER and not (length | group) & 1
            if plain and tag not in NOTABLE and tag not in sequences:
                position += HEADER + length
            else:
                level.previous = previous
                position = self._implicit_element(level, position, tag, length)
                if position < 0:
                    break
            previous = tag
        self._count(count)
        if position >= 0:
            self._close_dataset(level, position, previous)

    def _count(self, count: int) -> None:
        self.elements += count
        if self.elements > self.bounds.elements:
            self.refuse("element-bound", self.position, self.bounds.elements)

    def _explicit_element(self, level: Level, position: int, tag: int, vr: bytes, length: int) -> int:
        """Take one element that is not plain; return the position behind it, or _LEFT."""
        if self._leaves(level, position, tag):
            return _LEFT
        kind = KINDS.get(vr, ILLEGAL)
        if kind == ILLEGAL:
            self.stop("vr-unknown", position, tag, tag=tag_text(tag))
        value = position + HEADER
        if kind:
            if value + 4 > level.end:
                self.stop("header-truncated", position, tag)
            if length:
                self.tell("reserved-bytes", position, tag)
            (length,) = unpack_at(level.coding.length, self.view, value)
            value += 4
        end = value + length
        return self._value(
            level, Element(tag, vr.decode("ascii"), position, value, end, end, length == UNDEFINED)
        )

    def _implicit_element(self, level: Level, position: int, tag: int, length: int) -> int:
        if self._leaves(level, position, tag):
            return _LEFT
        value = position + HEADER
        end = value + length
        return self._value(level, Element(tag, vr_of(tag), position, value, end, end, length == UNDEFINED))

    def _leaves(self, level: Level, position: int, tag: int) -> bool:
        """Return whether the tag is no element but ends its data set: a delimiter, or zeros behind all."""
        if BEFORE_DATASET < tag < FIRST_DELIMITER:
            return False
        if tag == ITEM_DELIMITER and level.undefined:
            if any(self.view[position + 4 : position + HEADER]):
                self.tell("delimiter-length", position)
            self.levels.pop()
            self.position = position + HEADER
            return True
        if tag >= FIRST_DELIMITER:
            self.stop("delimiter-unexpected", position, tag=tag_text(tag))
        if tag or len(self.levels) > 1 or any_but_zeros(self.view, position, level.end):
            self.stop("tag-illegal", position, tag=tag_text(tag))
        self._zeros(position)
        self.levels.pop()
        return True

    def _value(self, level: Level, element: Element) -> int:
        """Check order and length; open what is a sequence, list what are fragments."""
        if element.tag <= level.previous:
            self._check_order(level, element)
        if element.undefined:
            return self._undefined(level, element)
        length = element.stop - element.value
        if element.stop > level.end:
            left = level.end - element.value
            self.stop(
                "length-outside", element.start, element.tag, what="An element", length=length, left=left
            )
        if length & 1:
            self.tell("odd-length", element.start, element.tag, what="A value")
        if element.tag in NOTABLE and len(self.levels) == 1:
            self._note(element)
        if length and element.vr in _SEQUENCES and self._nested(level, element):
            return _LEFT
        return element.stop

    def _nested(self, level: Level, element: Element) -> bool:
        if element.vr == "UN":
            return self.open_opaque(level, element)
        self.open_sequence(level, element, level.coding)
        return True

    def _undefined(self, level: Level, element: Element) -> int:
        if element.tag == PIXELS and element.vr in _ENCAPSULATED:
            position, fragments = self.walk_fragments(level, element)
            if len(self.levels) == 1:
                self._note(element._replace(stop=position - HEADER, end=position))
                self.fragments = fragments
            return position
        unknown = element.vr == "UN" and level.coding.little_endian
        if element.vr != "SQ" and not unknown:
            self.stop(
                "undefined-length", element.start, element.tag, tag=tag_text(element.tag), vr=element.vr
            )
        # UN of undefined length is a sequence in implicit VR, whatever surrounds it (PS3.5 6.2.2).
        self.open_sequence(level, element, IMPLICIT_LITTLE if unknown else level.coding)
        return _LEFT

    def _note(self, element: Element) -> None:
        self.notable.setdefault(element.tag, element)
        if element.tag in PIXEL_TAGS:
            if self.pixels is not None:
                self.tell("pixels-twice", element.start, element.tag)
            self.pixels = element

    def _check_order(self, level: Level, element: Element) -> None:
        """Refuse what is out of order; a repetition byte for byte says nothing twice, and is a warning."""
        tag, start, size = element.tag, element.start, element.end - element.start
        rule = "tag-order"
        if tag == level.previous:
            same = not element.undefined and start >= size
            same = same and self.view[start - size : start] == self.view[start : element.end]
            rule = "tag-repeated" if same else "tag-duplicate"
        self.tell(rule, start, tag, tag=tag_text(tag))

    def _close_dataset(self, level: Level, position: int, previous: int) -> None:
        if position > level.end:
            over = position - level.end
            self.stop("length-outside", level.end, previous, what="An element", length=f"{over} more", left=0)
        if position < level.end:
            self._tail(level, position)
        if level.undefined:
            self.stop("delimiter-missing", position, what="An item")
        self.levels.pop()
        self.position = level.end

    def _tail(self, level: Level, position: int) -> None:
        if len(self.levels) > 1 or any_but_zeros(self.view, position, level.end):
            self.stop("trailing-bytes", position, what="the last element")
        self._zeros(position)

    def _zeros(self, position: int) -> None:
        self.tell("trailing-zeros", position)
        self.dataset_end = position
