"""Reads an object with pydicom into the form of the tokenizer's walk, so that the two can be compared."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement, RawDataElement

from scanward.dicom import tokenizer
from scanward.dicom.structure import check
from scanward.dicom.structure.coding import PIXEL_TAGS
from tests.hostile.build import CHARSET_TAG as CHARACTER_SET
from tests.hostile.build import even

Place = tuple[tuple[int, ...], bytes | None]


def by_tokenizer(view: memoryview) -> list[Place]:
    """Return path and value of every element; None for sequences and pixels."""
    return list(_told(view))


def _told(view: memoryview) -> Iterator[Place]:
    structure = check(view)
    parents: set[tuple[int, ...]] = set()
    found = list(tokenizer.walk(view, structure))
    for attribute in found:
        parents.update(attribute.path[:depth] for depth in range(1, len(attribute.path), 2))
    for attribute in found:
        opened = attribute.path in parents or attribute.vr == "SQ" or attribute.tag in PIXEL_TAGS
        yield attribute.path, None if opened else bytes(attribute.value)


def by_pydicom(view: memoryview) -> list[Place]:
    """Return the same as pydicom reads it, before it decodes any value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(_read(dcmread(BytesIO(view), force=True), ()))


def _read(dataset: Dataset, prefix: tuple[int, ...]) -> Iterator[Place]:
    raws = {tag: dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118 - iterating decodes the values
    for tag in sorted(raws):
        path = (*prefix, int(tag))
        if int(tag) in PIXEL_TAGS:
            yield path, None
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            yield path, None
            for index, inner in enumerate(element.value):
                yield from _read(inner, (*path, index))
        else:
            yield path, _raw_value(raws[tag])


def _raw_value(raw: DataElement | RawDataElement) -> bytes:
    if isinstance(raw, RawDataElement):
        return raw.value or b""
    if raw.is_empty:
        return b""
    # Of the others the character set alone is decoded while pydicom reads.
    assert raw.tag == CHARACTER_SET, raw.tag
    values = [raw.value] if isinstance(raw.value, str) else raw.value or []
    return even("\\".join(values).encode("latin-1"))
