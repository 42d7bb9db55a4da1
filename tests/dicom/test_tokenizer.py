from __future__ import annotations

from pathlib import Path

import pytest

from scanward.dicom import tokenizer
from scanward.dicom.structure import check
from scanward.dicom.structure.coding import PIXELS
from scanward.errors import InvalidDicom
from tests.dicom.differences import by_pydicom, by_tokenizer
from tests.dicom.real import content, files, name_of
from tests.hostile import build as b

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_tokenizer_and_pydicom_read_every_real_file_alike(path: Path) -> None:
    view = memoryview(path.read_bytes())
    try:
        ours = by_tokenizer(view)
    except InvalidDicom:
        return
    theirs = by_pydicom(view)
    # Of an element that is repeated byte for byte pydicom keeps one.
    assert list(dict(ours).items()) == theirs


def test_elements_of_one_level_cover_their_range_without_a_gap() -> None:
    view = content("rtplan.dcm")
    structure = check(view)
    position = structure.dataset_offset
    for element in tokenizer.elements(view, position, structure.dataset_end, structure.explicit):
        assert element.start == position
        position = element.end
    assert position == structure.dataset_end


@pytest.mark.parametrize("name", ["rtplan.dcm", "test-SR.dcm", "liver_1frame.dcm"])
def test_items_cover_their_sequence_without_a_gap(name: str) -> None:
    view = content(name)
    structure = check(view)
    for element in tokenizer.top_level(view, structure):
        if element.vr != "SQ":
            continue
        position = element.value
        for item in tokenizer.items(view, element, structure.explicit):
            assert item.start == position
            position = item.end
        assert position == element.stop


def test_delimiters_are_in_the_end_and_not_in_the_value() -> None:
    inner = b.explicit(0x00081150, "UI", b"1.2\0")
    coded = b.open_sequence(b.item(inner + b.ITEM_END, b.UNDEFINED), b.item(inner))
    (element,) = tokenizer.elements(memoryview(coded), 0, len(coded), explicit=True)
    assert element.undefined
    assert element.end == len(coded)
    assert element.stop == len(coded) - 8
    first, second = tokenizer.items(memoryview(coded), element, explicit=True)
    assert coded[first.value : first.stop] == coded[second.value : second.stop] == inner
    assert first.end == first.stop + 8
    assert second.end == second.stop


def test_the_walk_leaves_out_pixels_also_inside_icons_and_goes_on_behind_them() -> None:
    icon = b.sequence(b.item(b.explicit(b.PIXELS_TAG, "OW", bytes(8))), tag=0x00880200)
    dataset = b.ct({0x00880200: icon}) + b.explicit(0xFFFCFFFC, "OB", b"padding ")
    view = memoryview(b.part10(dataset))
    found = {attribute.path: attribute for attribute in tokenizer.walk(view, check(view))}
    assert len(found[(PIXELS,)].value) == 0
    assert len(found[(0x00880200, 0, PIXELS)].value) == 0
    assert bytes(found[(0xFFFCFFFC,)].value) == b"padding "


def test_values_are_views_of_the_object_and_no_copies() -> None:
    data = bytearray(b.part10(b.ct()))
    view = memoryview(data)
    name = next(a for a in tokenizer.walk(view, check(view)) if a.tag == b.NAME_TAG)
    data[data.index(b"Doe^Jane") : data.index(b"Doe^Jane") + 3] = b"Roe"
    assert bytes(name.value) == b"Roe^Jane"


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100010, "PN"),
        (0x00100000, "UL"),
        (0x00090010, "LO"),
        (0x00091001, "UN"),
        (0x60003000, "OW"),
        (0x60420010, "US"),
        (0x00280106, "US"),
        (0x12341234, "UN"),
    ],
)
def test_implicit_elements_have_the_vr_of_the_dictionary(tag: int, vr: str) -> None:
    coded = b.implicit(tag, b"1234")
    (element,) = tokenizer.elements(memoryview(coded), 0, len(coded), explicit=False)
    assert element.vr == vr
