from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from scanward.dicom import tokenizer
from scanward.dicom.iods import is_image
from scanward.dicom.structure import Structure, check, check_file
from scanward.errors import InvalidDicom
from tests.dicom.real import content, files, name_of

pytestmark = pytest.mark.unit


def _regular() -> Iterator[Path]:
    """Yield each kind of object once: of the many alike in the directory tests the first is enough."""
    seen: set[tuple[str, str, bool]] = set()
    for path in files():
        try:
            structure = check_file(path)
        except InvalidDicom:
            continue
        kind = (
            path.parent.name if "dicomdirtests" in str(path) else name_of(path),
            structure.sop_class_uid,
            True,
        )
        if not structure.deflated and structure.has_preamble and kind not in seen:
            seen.add(kind)
            yield path


def _boundaries(view: memoryview, structure: Structure) -> set[int]:
    """Return where each element of any depth begins, has its value, the middle of it, and its end."""
    cuts: set[int] = set()
    for attribute in tokenizer.walk(view, structure):
        value = attribute.value
        if len(value):
            start = _position(view, value)
            cuts.update((start, start + len(value) // 2, start + len(value)))
    for element in tokenizer.top_level(view, structure):
        middle = (element.value + element.end) // 2
        cuts.update((element.start, element.start + 4, element.value, middle, element.stop, element.end))
    return {cut for cut in cuts if structure.dataset_offset < cut < len(view)}


def _position(view: memoryview, value: memoryview) -> int:
    # Two views of one buffer: their distance is that of their addresses.
    import ctypes  # noqa: PLC0415 - for this only

    address = ctypes.addressof(ctypes.c_char.from_buffer(value))
    return address - ctypes.addressof(ctypes.c_char.from_buffer(view))


def _whole_without_its_end(view: memoryview, structure: Structure) -> set[int]:
    """Return the cuts that leave a sound, shorter data set; structure cannot tell it from a whole one."""
    starts = {element.start for element in tokenizer.top_level(view, structure)} - {structure.dataset_offset}
    end = structure.pixel_end or 0
    if is_image(structure.sop_class_uid):
        return {start for start in starts if start >= end}
    first = structure.pixel_offset or len(view)
    return {start for start in starts if not first < start < end}


@pytest.mark.parametrize("path", list(_regular()), ids=name_of)
def test_a_real_file_cut_at_any_boundary_of_its_structure_is_refused(path: Path) -> None:
    view = memoryview(bytearray(path.read_bytes()))
    structure = check(view)
    passed = set()
    for cut in _boundaries(view, structure):
        with suppress(InvalidDicom):
            check(view[:cut])
            passed.add(cut)
    assert passed <= _whole_without_its_end(view, structure)
    if is_image(structure.sop_class_uid) and structure.pixel_end == len(view):
        assert not passed


def test_no_cut_of_a_deflated_file_passes() -> None:
    view = content("image_dfl.dcm")
    offset = check(view).prologue.dataset_offset
    for cut in range(offset, len(view) - 8, 7):
        with pytest.raises(InvalidDicom):
            check(view[:cut])


def test_no_cut_of_a_meta_passes() -> None:
    view = content("CT_small.dcm")
    for cut in range(check(view).dataset_offset + 1):
        with pytest.raises(InvalidDicom):
            check(view[:cut])
