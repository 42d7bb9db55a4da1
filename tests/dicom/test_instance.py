from __future__ import annotations

import pytest

from scanward.dicom.instance import Instance, describe
from scanward.dicom.structure import check
from scanward.dicom.text import decode, encodings_of
from tests.dicom.real import ROOT, content
from tests.hostile import build as b

pytestmark = pytest.mark.unit


def _described(made: bytes | memoryview) -> Instance:
    view = memoryview(made)
    return describe(view, check(view))


def test_a_header_is_summarised() -> None:
    found = _described(content("CT_small.dcm"))
    assert found == Instance(
        study_uid="1.3.6.1.4.1.5962.1.2.1.20040119072730.12322",
        series_uid="1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322",
        instance_uid="1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax="1.2.840.10008.1.2.1",
        modality="CT",
        patient_id="1CT1",
        patient_name="CompressedSamples^CT1",
        patient_sex="O",
        study_id="1CT1",
        study_date="20040119",
        study_time="072730",
        study_description="e+1",
        series_number=1,
        series_date="19970430",
        instance_number=1,
        rows=128,
        columns=128,
    )


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"])
def test_every_coding_gives_the_same_summary(name: str) -> None:
    found = _described(content(name))
    assert (found.patient_name, found.rows, found.columns) == ("CompressedSamples^MR1", 64, 64)


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("chrArab.dcm", "قباني^لنزار"),
        ("chrFrenMulti.dcm", "Buc^Jérôme"),
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrI2.dcm", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chrX1.dcm", "Wang^XiaoDong=王^小東="),
    ],
)
def test_names_are_decoded_with_the_character_set_of_the_object(name: str, patient: str) -> None:
    assert _described((ROOT / "charset_files" / name).read_bytes()).patient_name == patient


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (b"7 ", 7),
        (b"-3", -3),
        (b"", None),
        (b"x7", None),
        (b"1\\2 ", 1),
        (b"99999999999 ", None),
        (b"\xb2 ", None),
    ],
)
def test_a_number_that_is_none_or_too_large_is_none(raw: bytes, number: int | None) -> None:
    changed = b.ct({0x00200011: b.explicit(0x00200011, "IS", raw)})
    assert _described(b.part10(changed)).series_number == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"Doe^Jane ", "Doe^Jane"),
        (b"Doe\0\0", "Doe"),
        (b"\x1b]0;title\x07", "]0;title"),
        (b"J\xe9r\xf4me", "Jérôme"),
        (b"a\r\nb", "ab"),
    ],
)
def test_text_has_no_padding_and_no_control_characters(value: bytes, text: str) -> None:
    assert decode(value, encodings_of(b"ISO_IR 100")) == text


def test_an_unknown_character_set_is_read_without_failing() -> None:
    encodings = encodings_of(b"ISO_IR 999\\no such set")
    assert decode(b"\xe9t\xe9", encodings).endswith("t\xe9")


def test_bytes_outside_a_character_set_are_replaced() -> None:
    assert decode(b"\xff\xfeJane", encodings_of(b"ISO_IR 192")).endswith("Jane")
