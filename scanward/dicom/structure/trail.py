"""Where a walk stands: the open levels, the counts against their bounds, and the faults on the way."""

from __future__ import annotations

from typing import NamedTuple, Never

from scanward.dicom.structure.bounds import Bounds
from scanward.dicom.structure.coding import BEFORE_DATASET, Coding, Element, tag_text
from scanward.dicom.structure.findings import Findings
from scanward.dicom.structure.rules import RULES


class Fragments(NamedTuple):
    """Value ranges of encapsulated pixels, the first being the Basic Offset Table (PS3.5 A.4)."""

    ranges: tuple[tuple[int, int], ...]


class Stopped(Exception):
    """Nothing behind this fault can be read."""


class Level:
    """One open data set or sequence.

    previous: the last tag; item: index of the open item; tentative: an opaque value that only looks like a
    sequence, whose faults from `mark` on are dropped if it is none.
    """

    __slots__ = ("coding", "end", "is_sequence", "item", "mark", "previous", "tag", "tentative", "undefined")

    def __init__(
        self, coding: Coding, end: int, tag: int = 0, *, is_sequence: bool = False, undefined: bool = False
    ) -> None:
        """Open a level that ends at `end`, or at its delimiter if its length is undefined."""
        self.coding = coding
        self.end = end
        self.tag = tag
        self.is_sequence = is_sequence
        self.undefined = undefined
        self.item = -1
        self.previous = BEFORE_DATASET
        self.mark = 0
        self.tentative = False


class Trail:
    """State of one walk; `notable` and `pixels` are top-level elements, `fragments` ranges of the pixels."""

    def __init__(self, view: memoryview, bounds: Bounds, findings: Findings, *, encapsulated: bool) -> None:
        """Begin; `encapsulated` says whether the transfer syntax lets pixels come in fragments."""
        self.view = view
        self.bounds = bounds
        self.findings = findings
        self.encapsulated = encapsulated
        self.levels: list[Level] = []
        self.position = self.dataset_end = 0
        self.elements = self.items = self.fragment_count = self.tentative = 0
        self.notable: dict[int, Element] = {}
        self.pixels: Element | None = None
        self.fragments: Fragments | None = None

    def path(self, tag: int = 0) -> str:
        """Return the tag path of the place, ending with `tag` if one is given."""
        steps = [f"{tag_text(level.tag)}[{level.item}]" for level in self.levels if level.item >= 0]
        return ".".join([*steps, tag_text(tag)] if tag else steps)

    def tell(self, rule: str, offset: int, tag: int = 0, /, **fields: object) -> None:
        """Keep a fault and go on; inside a tentative level any refusing fault ends it."""
        if self.findings.takes(rule):
            self.findings.add(rule, offset, self.path(tag), **fields)
        if RULES[rule].severity == "reject" and (self.tentative or self.findings.is_hopeless):
            raise Stopped

    def stop(self, rule: str, offset: int, tag: int = 0, /, **fields: object) -> Never:
        """Keep a fault behind which nothing can be read."""
        self.findings.add(rule, offset, self.path(tag), **fields)
        raise Stopped

    def refuse(self, rule: str, offset: int, bound: int) -> Never:
        """Refuse the object for a bound, also inside a tentative level."""
        self.findings.add(rule, offset, self.path(), bound=bound)
        self.levels.clear()
        raise Stopped

    def leave_tentative(self) -> bool:
        """Go on behind the innermost opaque value, which is no sequence; return whether there was one."""
        while self.levels:
            level = self.levels.pop()
            if level.tentative:
                self.findings.forget(level.mark)
                self.tentative -= 1
                self.position = level.end
                return True
        return False


def any_but_zeros(view: memoryview, start: int, end: int) -> bool:
    """Return whether any byte of the range is not zero, a chunk at a time."""
    step = 1 << 16
    return any(bytes(view[at : min(at + step, end)]).strip(b"\0") for at in range(start, end, step))
