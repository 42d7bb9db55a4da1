"""The DICOM JSON Model (PS3.18 F), with pydicom as the oracle where it is right."""

from __future__ import annotations

import json
import math
import struct
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydicom import Dataset

from scanward.dicom.json_model import JsonModels, is_whole, kept, lines, members, models, whole
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom
from tests.dicom.generated import datasets, write
from tests.dicom.real import content, files, name_of
from tests.hostile import build as b

pytestmark = pytest.mark.unit

Json = dict[str, Any]
SHARED = JsonModels()


def model(view: memoryview, maker: JsonModels | None = None) -> Json:
    told = lines((maker or JsonModels()).fragments(view, check(view)))
    made: Json = json.loads(whole(told, b"https://example.org/i/"))
    return made


def of(*elements: bytes, charset: bytes = b"") -> Json:
    """Return the model of a report that holds these explicit elements of group 0010 and above."""
    body = b"".join([
        b.explicit(b.CHARSET_TAG, "CS", b.even(charset)) if charset else b"",
        b.explicit(b.CLASS_TAG, "UI", b.uid(b.REPORT)),
        b.explicit(b.INSTANCE_TAG, "UI", b.uid(b.INSTANCE)),
        *elements,
    ])  # fmt: skip
    return model(memoryview(b.part10(body)))


def oracle(view: memoryview) -> Json:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(BytesIO(view), force=True)
        return _without_group_lengths(
            dataset.to_json_dict(bulk_data_threshold=1025, bulk_data_element_handler=lambda _: "elsewhere")
        )


def _without_group_lengths(found: Json) -> Json:
    return {tag: value for tag, value in found.items() if not tag.endswith("0000")}


def alike(ours: Json, theirs: Json, *, is_big: bool = False) -> None:
    """Compare all but what pydicom answers otherwise than PS3.18 asks for: empty values, byte order."""
    assert list(ours) == sorted(theirs)
    for tag, one in ours.items():
        other = theirs[tag]
        assert one["vr"] == other["vr"], tag
        if "BulkDataURI" in one or "BulkDataURI" in other or tag == "00080005":
            continue
        if one["vr"] == "SQ":
            assert len(one.get("Value", [])) == len(other.get("Value", [])), tag
            for mine, its in zip(one.get("Value", []), other.get("Value", []), strict=True):
                alike(mine, _without_group_lengths(its), is_big=is_big)
            continue
        assert _values(one) == _values(other), (tag, one, other)
        if not (is_big and one["vr"] == "OW"):
            assert one.get("InlineBinary") == other.get("InlineBinary"), tag


def _values(attribute: Json) -> list[Any] | None:
    """Return values without padding; pydicom keeps some, and leaves empty ones as they are."""
    values = attribute.get("Value", [])
    if attribute["vr"] not in NUMBERS:
        values = [_plain(value) or None for value in values]
    values = [_number(value) for value in values]
    return values if any(value is not None for value in values) else None


def _plain(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(value, dict):
        return {group: name.strip() for group, name in value.items() if name.strip()}
    return value.strip() if isinstance(value, str) else value


def _number(value: Any) -> Any:  # noqa: ANN401 - as above
    return (
        str(value).title().replace("Inf", "Infinity")
        if isinstance(value, float) and math.isinf(value)
        else value
    )


NUMBERS = {"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_the_model_of_a_real_file_is_pydicoms(path: Path) -> None:
    view = memoryview(path.read_bytes())
    try:
        check(view)
    except InvalidDicom:
        pytest.skip("refused by the gate")
    if bytes(view[128:132]) != b"DICM":
        pytest.skip("pydicom does not know its coding")
    made = model(view, SHARED)
    alike(made, oracle(view))
    assert made == model(view, SHARED) == model(view)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(datasets(), st.sampled_from([b.EXPLICIT, b.BIG, b.DEFLATED]))
def test_the_model_of_a_made_object_is_pydicoms(dataset: Dataset, syntax: str) -> None:
    view = write(dataset, syntax)
    try:
        theirs = oracle(view)
    except IndexError:  # pydicom's own, for some empty values
        reject()
    made = model(view, SHARED)
    alike(made, theirs, is_big=syntax == b.BIG)
    assert made == model(view), "what is remembered of other objects changes nothing"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.50", 1.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("-0012", -12),
        ("1e3", 1000.0),
        ("0", 0),
        ("007.10E-2", 0.071),
    ],
)
def test_a_decimal_string_becomes_a_number(text: str, number: float) -> None:
    assert of(b.explicit(0x00101030, "DS", b.even(text.encode())))["00101030"] == {
        "vr": "DS",
        "Value": [number],
    }


@pytest.mark.parametrize("text", ["1,5", ".", "12cm", "e5", "--1"])
def test_what_is_no_number_stays_a_string(text: str) -> None:
    raw = b.even(text.encode())
    assert of(b.explicit(0x00101030, "DS", raw))["00101030"]["Value"] == [text]
    assert of(b.explicit(0x00200013, "IS", raw))["00200013"]["Value"] == [text]


def test_infinity_and_nan_are_strings_because_json_has_no_such_numbers() -> None:
    raw = struct.pack("<3d", float("nan"), float("inf"), float("-inf"))
    assert of(b.explicit(0x00189073, "FD", raw))["00189073"]["Value"] == ["NaN", "Infinity", "-Infinity"]


def test_an_empty_element_has_no_value_and_an_empty_value_among_others_is_null() -> None:
    made = of(
        b.explicit(0x00101000, "LO", b"A\\\\B "),
        b.explicit(0x00102160, "SH"),
        b.explicit(0x00104000, "LT", b"  "),
    )
    assert made["00101000"]["Value"] == ["A", None, "B"]
    assert made["00102160"] == {"vr": "SH"}
    assert made["00104000"] == {"vr": "LT"}


def test_an_empty_item_is_an_empty_object_and_an_empty_sequence_has_no_value() -> None:
    made = of(b.explicit(0x00101002, "SQ", b.item() + b.item()), b.explicit(0x00102201, "SQ"))
    assert made["00101002"]["Value"] == [{}, {}]
    assert made["00102201"] == {"vr": "SQ"}


def test_a_name_is_told_by_its_groups() -> None:
    made = of(b.explicit(b.NAME_TAG, "PN", "Yamada^Tarou=山田^太郎==".encode()), charset=b"ISO_IR 192")
    assert made["00100010"]["Value"] == [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]
    only = of(b.explicit(b.NAME_TAG, "PN", "==やまだ^たろう".encode() + b" "), charset=b"ISO_IR 192")
    assert only["00100010"]["Value"] == [{"Phonetic": "やまだ^たろう"}]


def test_half_a_character_is_no_separator() -> None:
    raw = "縗乗".encode("gb18030")
    assert b"\\" in raw
    made = of(b.explicit(0x00101000, "LO", b.even(raw + b"\\B")), charset=b"GB18030")
    assert made["00101000"]["Value"] == ["縗乗", "B"]


def test_text_of_one_value_keeps_its_backslashes_and_lines() -> None:
    made = of(b.explicit(0x00104000, "LT", b'a\\b\r\n"c"\t'.ljust(12)))
    assert made["00104000"]["Value"] == ['a\\b\r\n"c"\t']


def test_the_character_set_is_utf_8_whatever_it_was() -> None:
    made = of(b.explicit(b.NAME_TAG, "PN", b.even("Müller".encode("latin-1"))), charset=b"ISO_IR 100")
    assert made["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert made["00100010"]["Value"] == [{"Alphabetic": "Müller"}]


def test_an_item_of_another_character_set_is_read_by_its_own() -> None:
    inside = b.explicit(b.CHARSET_TAG, "CS", b"ISO_IR 144") + b.explicit(
        b.ID_TAG, "LO", b.even("Люкс".encode("iso8859-5"))
    )
    made = of(
        b.explicit(0x00101002, "SQ", b.item(inside)),
        b.explicit(0x00102160, "SH", b"\xe9\xe8"),
        charset=b"ISO_IR 100",
    )
    assert made["00101002"]["Value"][0]["00100020"]["Value"] == ["Люкс"]
    assert made["00102160"]["Value"] == ["éè"]


def test_long_bytes_are_addressed_by_their_place_and_short_ones_are_inside() -> None:
    nested = b.item(b.explicit(0x00091001, "OB", bytes(2000)) + b.explicit(0x00091002, "OB", b"ab"))
    made = of(b.explicit(0x00101002, "SQ", b.item() + nested), b.explicit(0x00111001, "UT", b"x" * 70_000))
    second = made["00101002"]["Value"][1]
    assert second["00091001"] == {
        "vr": "OB", "BulkDataURI": "https://example.org/i/bulkdata/00101002/1/00091001",
    }  # fmt: skip
    assert second["00091002"] == {"vr": "OB", "InlineBinary": "YWI="}
    assert made["00111001"]["BulkDataURI"].endswith("/bulkdata/00111001")


def test_pixels_are_addressed_even_where_they_are_few() -> None:
    made = model(content("SC_rgb_small_odd.dcm"))
    assert made["7FE00010"] == {"vr": "OW", "BulkDataURI": "https://example.org/i/bulkdata/7FE00010"}


def test_words_of_big_endian_objects_are_little_endian_inside_json() -> None:
    elements = b.explicit(0x00091001, "OW", b"\x01\x02\x03\x04", order=">")
    body = (
        b.explicit(b.CLASS_TAG, "UI", b.uid(b.REPORT), order=">")
        + b.explicit(b.INSTANCE_TAG, "UI", b.uid(b.INSTANCE), order=">")
        + elements
    )
    assert model(memoryview(b.part10(body, b.BIG)))["00091001"]["InlineBinary"] == "AgEEAw=="


def test_what_an_archive_did_not_know_is_told_by_the_dictionary() -> None:
    made = of(b.explicit(b.ID_TAG, "UN", b"4711"), b.explicit(0x00111010, "UN", b"ab"))
    assert made["00100020"] == {"vr": "LO", "Value": ["4711"]}
    assert made["00111010"] == {"vr": "UN", "InlineBinary": "YWI="}


def test_an_implicit_number_is_signed_where_the_pixels_are() -> None:
    view = content("MR_small_implicit.dcm")
    made = model(view)
    assert made["00280103"]["Value"] == [1]
    assert made["00280106"]["vr"] == made["00280107"]["vr"] == "SS"


def test_kept_members_are_told_apart_by_tag() -> None:
    view = content("CT_small.dcm")
    fragments = models().fragments(view, check(view))
    told = lines(fragments)
    assert members(told) == fragments
    assert members(told, {0x00080060}) == [(0x00080060, b'"00080060":{"vr":"CS","Value":["CT"]}')]
    assert members(b"") == []
    assert models() is models()


def test_memory_is_bounded_and_what_is_forgotten_is_made_again() -> None:
    maker = JsonModels()
    first = of(b.explicit(0x00104000, "LT", b"x" * 4000))
    for number in range(3000):
        body = (
            b.explicit(b.CLASS_TAG, "UI", b.uid(b.REPORT))
            + b.explicit(b.INSTANCE_TAG, "UI", b.uid(b.INSTANCE))
            + b.explicit(0x00104000, "LT", f"{number:04}".encode() * 900)
        )
        view = memoryview(b.part10(body))
        assert model(view, maker)["00104000"]["Value"] == [f"{number:04}" * 900]
    assert first["00104000"]["Value"] == ["x" * 4000]
    assert sum(one.held for one in maker._memories.values()) < 6 << 20  # noqa: SLF001 - the bound is its own


def test_of_a_long_header_only_what_searches_tell_is_kept() -> None:
    many = b"".join(b.explicit(0x00090000 | number, "SH", b"x ") for number in range(0x1000, 0xFFFF))
    body = b"".join([
        b.explicit(b.CLASS_TAG, "UI", b.uid(b.REPORT)),
        b.explicit(b.INSTANCE_TAG, "UI", b.uid(b.INSTANCE)),
        many, many.replace(b"\x09\x00", b"\x0b\x00"),
        b.explicit(b.ID_TAG, "LO", b"4711"),
        b.explicit(0x00400244, "DA", b"20200101"),
        b.explicit(0x00420010, "ST", b"late"),
    ])  # fmt: skip
    view = memoryview(b.part10(body))
    found = kept(view, check(view))
    assert not is_whole(found)
    assert [tag for tag, _ in members(found)] == [b.CLASS_TAG, b.INSTANCE_TAG, b.ID_TAG, 0x00400244]
    assert json.loads(whole(found, b""))["00100020"]["Value"] == ["4711"]
    small = content("CT_small.dcm")
    assert is_whole(kept(small, check(small)))
    assert not is_whole(b"")
