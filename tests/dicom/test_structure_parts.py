from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from scanward.dicom import tokenizer
from scanward.dicom.structure import (
    DEFAULT,
    Bounds,
    Findings,
    check,
    check_file,
    check_sequence,
    open_object,
    prologue,
)
from scanward.dicom.structure.codestream import read_header
from scanward.dicom.structure.coding import UNDEFINED, tag_text
from scanward.dicom.structure.prologue import META_SYNTAX, guess
from scanward.dicom.structure.syntaxes import SYNTAXES, UNSUPPORTED, Codec
from scanward.errors import InvalidDicom
from tests.dicom.real import content
from tests.hostile import build as b

pytestmark = pytest.mark.unit

_INNER = b.explicit(0x00081150, "UI", b"1.2\0")


def test_a_prologue_gives_meta_coding_and_the_place_of_the_data_set() -> None:
    view = memoryview(b.part10(b.ct()))
    head = prologue(view)
    assert head.has_preamble
    assert head.text(view, META_SYNTAX) == b.EXPLICIT
    assert head.text(view, 0x00020016) == ""
    assert bytes(view[head.dataset_offset :]) == b.ct()
    assert head.warnings == ()


@pytest.mark.parametrize("coded", [b.ct(), b.ct_implicit(), b.ct_big()])
def test_the_coding_of_a_data_set_shows_in_its_first_element(coded: bytes) -> None:
    found = guess(memoryview(coded), 0)
    assert found is not None
    assert (found.explicit, found.little_endian) == (coded != b.ct_implicit(), coded != b.ct_big())


@pytest.mark.parametrize("coded", [b"", b"\x08\0", b"\x08\x08\x05\0CS\2\0", b"\0\x08\0\5\0\0\0\2"])
def test_bytes_that_show_no_coding_give_none(coded: bytes) -> None:
    assert guess(memoryview(coded), 0) is None


def test_a_missing_syntax_that_does_not_show_is_refused() -> None:
    with pytest.raises(InvalidDicom) as refused:
        check(memoryview(b.part10(b"\x08\x08\x05\0CS\2\0ab", head=b.meta(""))))
    assert [fault.rule for fault in refused.value.faults] == ["transfer-syntax-missing"]


@pytest.mark.parametrize("undefined", [False, True])
def test_one_sequence_is_checked_by_itself(*, undefined: bool) -> None:
    coded = b.open_sequence(b.item(_INNER)) if undefined else b.sequence(b.item(_INNER))
    view = memoryview(coded + b"what follows")
    length = UNDEFINED if undefined else len(coded) - 12
    assert check_sequence(view, b.REFERENCED_TAG, 12, length, len(view), explicit=True) == len(coded)


def test_a_sequence_longer_than_its_container_is_refused() -> None:
    view = memoryview(b.sequence(b.item(_INNER)))
    with pytest.raises(InvalidDicom, match="remain in its container"):
        check_sequence(view, b.REFERENCED_TAG, 12, len(view), len(view), explicit=True)


def test_warnings_of_a_sequence_are_handed_back() -> None:
    view = memoryview(b.sequence(b.item(b.explicit(0x00081150, "UI", b"1.2"))))
    findings = Findings()
    check_sequence(view, b.REFERENCED_TAG, 12, len(view) - 12, len(view), explicit=True, findings=findings)
    assert [fault.rule for fault in findings.warnings] == ["odd-length"]


def test_faults_name_path_offset_and_clause_and_are_told_all_at_once() -> None:
    broken = b.sequence(b.item(_INNER + b.explicit(0x00080060, "CS", b"CT")))
    changed = b.ct(
        {b.REFERENCED_TAG: broken, b.STUDY_TAG: b.explicit(b.STUDY_TAG, "UI", b"../x")}, pixels=None
    )
    made = b.part10(changed)
    with pytest.raises(InvalidDicom) as refused:
        check(memoryview(made))
    faults = {fault.rule: fault for fault in refused.value.faults}
    assert set(faults) == {"tag-order", "uid-form", "pixels-missing"}
    order = faults["tag-order"]
    assert (order.path, order.clause) == ("(0008,1140)[0].(0008,0060)", "PS3.5 7.1")
    assert order.offset == made.index(b.tag_bytes(0x00080060) + b"CSCT"[:2], made.index(_INNER))
    assert "and 2 more" in str(refused.value)


def test_of_a_fault_made_many_times_the_first_twenty_are_told() -> None:
    items = b.item(b.explicit(0x00081150, "UI", b"1")) * 1_000
    found = check(memoryview(b.part10(b.ct({b.REFERENCED_TAG: b.sequence(items)}))))
    assert len(found.warnings) == 20


def test_bounds_are_those_given() -> None:
    made = memoryview(b.part10(b.ct({b.REFERENCED_TAG: b.sequence(b.item() * 3)})))
    assert check(made, Bounds(items=3)).items == 3
    for bounds in (Bounds(items=2), Bounds(elements=9), Bounds(object_bytes=100)):
        with pytest.raises(InvalidDicom):
            check(made, bounds)


def test_every_transfer_syntax_is_taken_or_refused_with_a_reason() -> None:
    from pydicom._uid_dict import UID_dictionary  # noqa: PLC0415 - for this only

    standard = {uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"}
    assert standard <= set(SYNTAXES) | set(UNSUPPORTED)
    assert not set(SYNTAXES) & set(UNSUPPORTED)


def test_a_large_deflated_data_set_is_kept_in_a_file_and_read_like_others() -> None:
    blob = b.explicit(0x00420011, "OB", bytes(20 << 20))
    report = (
        b.explicit(b.CLASS_TAG, "UI", b.uid(b.REPORT))
        + b.explicit(b.INSTANCE_TAG, "UI", b.uid(b.INSTANCE))
        + blob
    )
    view = memoryview(b.part10(b.deflate(report), b.DEFLATED))
    structure = check(view, Bounds(inflate_ratio=2_000))
    assert structure.inflated is not None
    assert len(structure.dataset_view(view)) == len(report)
    assert [a.tag for a in tokenizer.walk(view, structure)] == [b.CLASS_TAG, b.INSTANCE_TAG, 0x00420011]


def test_the_height_of_a_jpeg_may_come_later() -> None:
    frame = memoryview(b.jpeg(rows=0))
    header = read_header(frame, 0, len(frame), Codec.JPEG)
    assert header is not None
    assert (header.rows, header.columns, header.precision) == (0, 4, 12)


def test_a_codec_without_a_readable_header_gives_none() -> None:
    assert read_header(memoryview(b"\0" * 64), 0, 64, Codec.VIDEO) is None


def test_an_opened_file_is_mapped_and_closed_also_while_views_of_it_live(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(b.part10(b.ct()))
    with open_object(path, inside=tmp_path) as opened:
        kept = opened.view[128:132]
        assert opened.size == path.stat().st_size
        assert opened.fileno() > 0
    assert bytes(kept) == b"DICM"


def test_an_opened_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(b.part10(b.ct()))
    with open_object(path) as opened:
        view = opened.view
    with pytest.raises(ValueError, match="released"):
        view[0]


def test_a_file_beyond_the_bound_is_refused_before_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "large.dcm"
    with path.open("wb") as file:
        file.truncate(DEFAULT.object_bytes + 1)
    with pytest.raises(InvalidDicom, match="larger than"):
        check_file(path)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(InvalidDicom) as refused:
        open_object("Doe\0Jane.dcm")
    assert "Doe" not in str(refused.value)


def test_a_refusal_goes_across_processes_with_its_faults() -> None:
    with pytest.raises(InvalidDicom) as refused:
        check(content("MR_truncated.dcm"))
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301 - our own bytes
    assert again.faults == refused.value.faults
    assert tag_text(b.PIXELS_TAG) in again.faults[0].path
