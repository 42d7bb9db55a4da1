"""Looks for what identified the original anywhere in the processed object's bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanward.deidentify.keys import is_placeholder
from scanward.deidentify.subjects import BIRTH_DATE, ID_TAGS, NAME_TAGS
from scanward.deidentify.uids import is_standard
from scanward.entrypoints.cli.verifying.comparing import Loaded

_UIDS = (0x00020003, 0x00080018, 0x0020000D, 0x0020000E, 0x00200052, 0x00081155)
_LEAST_IN_HEADER = 3
_LEAST_IN_PIXELS = 6  # shorter ones stand in noise by chance
_LEAST_NAME = 4
_SPLIT = re.compile(rb"[\\^=\s,;]+")


def left_over(original: Loaded, processed: Loaded) -> tuple[str, ...]:
    """Return the attributes of the original of which a value is still found, as `(gggg,eeee)`."""
    found = {tag for tag, value in _identifiers(original) if _stands_in(value, processed)}
    return tuple(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in sorted(found))


def is_marked(processed: Loaded) -> bool:
    """Say whether the object itself says that its patient's identity was removed (PS3.15 E.1.1)."""
    return processed.top.get(0x00120062, b"").strip() == b"YES"


def _identifiers(original: Loaded) -> Iterator[tuple[int, bytes]]:
    for path, raw in original.elements.items():
        tag = path[-1]
        if tag in _UIDS:
            yield from (
                (tag, uid) for uid in raw.split(b"\\") if uid and not is_standard(uid.decode("latin-1"))
            )
        elif tag in ID_TAGS or tag == BIRTH_DATE:
            yield from ((tag, value.strip()) for value in raw.split(b"\\") if _tells(value))
        elif tag in NAME_TAGS:
            yield from (
                (tag, part) for part in _SPLIT.split(raw) if len(part) >= _LEAST_NAME and _tells(part)
            )


def _tells(value: bytes) -> bool:
    return len(value.strip()) >= _LEAST_IN_HEADER and not is_placeholder(value.decode("latin-1").strip())


def _stands_in(value: bytes, processed: Loaded) -> bool:
    pattern = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(value) + rb"(?![0-9A-Za-z])", re.IGNORECASE)
    structure, view = processed.structure, processed.view
    if structure.inflated is not None:
        return any(pattern.search(element) for element in processed.elements.values())
    if structure.pixel_value is None or structure.pixel_end is None:
        return pattern.search(view) is not None
    header, pixels, rest = (
        view[: structure.pixel_value],
        view[structure.pixel_value : structure.pixel_end],
        view[structure.pixel_end :],
    )
    if pattern.search(header) or pattern.search(rest):
        return True
    return len(value) >= _LEAST_IN_PIXELS and pattern.search(pixels) is not None
