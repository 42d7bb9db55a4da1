"""Where one value of an object lies, by the path that its model's BulkDataURI names (PS3.18 F.2.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from scanward.dicom import tokenizer
from scanward.dicom.pieces import Span
from scanward.dicom.structure import DEFAULT, Bounds, check, prologue
from scanward.dicom.structure.coding import IMPLICIT_LITTLE, Coding, Element

_PATH = re.compile(r"[0-9A-Fa-f]{8}(?:/[0-9]{1,6}/[0-9A-Fa-f]{8}){0,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bulk:
    """One value. span: where it lies in `view`, the object itself or its inflated data set."""

    vr: str
    span: Span
    view: memoryview
    is_inflated: bool


def steps_of(path: str) -> tuple[int, ...] | None:
    """Return tags and item indices in turn, ending with a tag; None for what is no such path."""
    if not _PATH.fullmatch(path):
        return None
    parts = path.split("/")
    return tuple(int(one, 10 if place & 1 else 16) for place, one in enumerate(parts))


def find(view: memoryview, steps: Sequence[int], bounds: Bounds = DEFAULT) -> Bulk | None:
    """Return a value of an object that the gate has passed; None if there is none at that place."""
    head = prologue(view, bounds)
    body, start, end = view, head.dataset_offset, len(view)
    if head.syntax.deflated:
        body = check(view, bounds).dataset_view(view)
        start, end = 0, len(body)
    coding = head.syntax.coding
    for place in range(0, len(steps), 2):
        element = _element(body, start, end, coding, steps[place])
        if element is None:
            return None
        if place + 1 == len(steps):
            return Bulk(element.vr, Span(element.value, element.stop - element.value), body, body is not view)
        if not tokenizer.is_sequence(body, element):
            return None
        coding = IMPLICIT_LITTLE if element.vr == "UN" else coding
        found = tokenizer.items(body, element, coding.explicit, little_endian=coding.little_endian)
        item = next(islice(found, steps[place + 1], None), None)
        if item is None:
            return None
        start, end = item.value, item.stop
    return None


def _element(view: memoryview, start: int, end: int, coding: Coding, tag: int) -> Element | None:
    for one in tokenizer.elements(view, start, end, coding.explicit, little_endian=coding.little_endian):
        if one.tag >= tag:
            return one if one.tag == tag else None
    return None
