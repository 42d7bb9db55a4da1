"""Values by the path of their BulkDataURI."""

from __future__ import annotations

import pytest

from scanward.dicom.bulk import find, steps_of
from tests.dicom.real import content
from tests.hostile import build as b

pytestmark = pytest.mark.unit


def raw(path: str, view: memoryview) -> bytes | None:
    steps = steps_of(path)
    assert steps is not None
    found = find(view, steps)
    return (
        None
        if found is None
        else bytes(found.view[found.span.offset : found.span.offset + found.span.length])
    )


def nested(explicit: bool) -> memoryview:  # noqa: FBT001 - the test's parameter
    def element(tag: int, vr: str, value: bytes) -> bytes:
        return b.explicit(tag, vr, value) if explicit else b.implicit(tag, value)

    inside = element(0x00091001, "OB", b"deep")
    items = b.item() + b.item(inside)
    body = (
        element(b.CLASS_TAG, "UI", b.uid(b.REPORT))
        + element(b.INSTANCE_TAG, "UI", b.uid(b.INSTANCE))
        + element(0x00101002, "SQ", items)
        + element(0x00111001, "OB", b"flat")
    )
    return memoryview(b.part10(body, b.EXPLICIT if explicit else b.IMPLICIT))


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("00111001", b"flat"),
        ("00101002/1/00091001", b"deep"),
        ("00101002/0/00091001", None),
        ("00101002/2/00091001", None),
        ("00111001/0/00091001", None),
        ("00111002", None),
    ],
)
def test_a_value_is_found_by_tags_and_items(explicit: bool, path: str, value: bytes | None) -> None:  # noqa: FBT001 - as above
    assert raw(path, nested(explicit)) == value


@pytest.mark.parametrize(
    "path", ["", "0011", "00111001/", "00111001/x/00091001", "../etc", "00111001/0", "0011100g"]
)
def test_what_is_no_path_is_told(path: str) -> None:
    assert steps_of(path) is None


def test_pixels_of_real_files_are_found() -> None:
    assert len(raw("7FE00010", content("CT_small.dcm")) or b"") == 32768
    assert len(raw("7fe00010", content("MR_small_bigendian.dcm")) or b"") == 8192
    assert len(raw("7FE00010", content("image_dfl.dcm")) or b"") == 262144
