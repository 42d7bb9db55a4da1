"""Nothing that rides in compressed pixels beside the image comes through either engine."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from scanward.deidentify.bytepath_source import FileSource
from scanward.dicom.structure import check
from tests.deidentify.bytepath.both import PROFILES, Both, content
from tests.deidentify.objects import TEST_FILES, ct, part10
from tests.dicom.encapsulated import (
    JPEG,
    JPEG_2000,
    JPEG_LS,
    JPEG_XL,
    NEEDLE,
    RAW,
    RLE,
    comment,
    encapsulated,
    jpeg,
    jpeg_2000,
    rle,
    segment,
)

pytestmark = pytest.mark.unit

HIDING = {
    "comment": encapsulated(JPEG, [jpeg(segment(0xFE, NEEDLE))]),
    "exif": encapsulated(JPEG, [jpeg(segment(0xE1, b"Exif\0\0" + NEEDLE))]),
    "behind": encapsulated(JPEG, [jpeg(tail=NEEDLE)]),
    "jpeg-ls": encapsulated(JPEG_LS, [jpeg(segment(0xFE, NEEDLE), NEEDLE, 0xF7)]),
    "jpeg 2000": encapsulated(JPEG_2000, [jpeg_2000(comment(), NEEDLE, comment())]),
    "rle": encapsulated(RLE, [rle(NEEDLE.ljust(56, b"\0"), NEEDLE)]),
    "fragment": encapsulated(JPEG, [jpeg(), NEEDLE]),
    "fragment beside a table": encapsulated(JPEG, [jpeg(), NEEDLE], table=bytes(4)),
    "table": encapsulated(JPEG, [jpeg()], table=NEEDLE),
    "delimiter": encapsulated(
        JPEG, [jpeg(segment(0xFE, NEEDLE))], delimiter_length=int.from_bytes(NEEDLE[:4], "little")
    ),
}
UNREADABLE = {
    "jpeg xl": encapsulated(JPEG_XL, [b"\xff\x0a" + NEEDLE]),
    "frames of unknown limits": encapsulated(JPEG, [jpeg(), jpeg(), NEEDLE], frames=2),
    "no end": encapsulated(JPEG, [jpeg()[:-2] + NEEDLE]),
}
SOUND = {
    "jpeg": encapsulated(JPEG, [jpeg()]),
    "jpeg-ls": encapsulated(JPEG_LS, [jpeg(start_of_frame=0xF7)]),
    "jpeg 2000": encapsulated(JPEG_2000, [jpeg_2000()]),
    "rle": encapsulated(RLE, [rle()]),
    "raw": encapsulated(RAW, [bytes(64)]),
}


@pytest.mark.parametrize("name", HIDING)
def test_what_rides_beside_the_image_comes_through_neither_engine(name: str) -> None:
    both = Both()
    both.assert_alike(HIDING[name])
    outcome = both.surely(HIDING[name])
    assert outcome.cleaned is not None
    assert not any(NEEDLE[at : at + 8] in outcome.output for at in range(len(NEEDLE) - 8))
    assert outcome.cleaned.changes.count(("(7FE0,0010)", "C")) == 1
    assert outcome.cleaned.warnings[-1].rule == "pixels-residue"
    again = check(memoryview(outcome.output))
    assert "offset-table" not in {fault.rule for fault in again.warnings}
    assert "113101" not in str(pydicom.dcmread(BytesIO(outcome.output)))


@pytest.mark.parametrize("name", UNREADABLE)
def test_pixels_that_cannot_be_walked_are_quarantined_by_both_engines(name: str) -> None:
    both = Both()
    assert both.assert_alike(UNREADABLE[name]) == "Quarantined"
    assert both.surely(UNREADABLE[name]).faults == ("pixels-unread",)


@pytest.mark.parametrize("name", SOUND)
def test_sound_frames_come_out_as_they_went_in(name: str) -> None:
    both = Both()
    assert both.assert_alike(SOUND[name]) == ""
    outcome = both.quickly(SOUND[name])
    assert outcome.cleaned is not None
    assert outcome.cleaned.warnings == ()
    place = SOUND[name].rindex(b"\xe0\x7f\x10\0OB")
    assert outcome.output.endswith(SOUND[name][place:])


def test_a_risk_of_the_table_is_told_before_unread_pixels() -> None:
    file = UNREADABLE["no end"].replace(b"ORIGINAL\\PRIMARY\\AXIAL", b"DERIVED\\PRIMARY\\REPORT")
    both = Both()
    both.assert_alike(file)
    assert both.surely(file).faults == ("screen-capture-type",)


def test_changes_stay_in_the_order_of_the_document() -> None:
    behind = b"\xfc\xff\xfc\xffOB\0\0\4\0\0\0test"
    file = encapsulated(JPEG, [jpeg(tail=NEEDLE)], behind=behind)
    both = Both()
    assert both.assert_alike(file) == ""
    cleaned = both.quickly(file).cleaned
    assert cleaned is not None
    assert [path for path, _ in cleaned.changes][-2:] == ["(7FE0,0010)", "(FFFC,FFFC)"]


@pytest.mark.parametrize("profile", PROFILES)
def test_extended_offset_tables_are_removed(profile: str) -> None:
    dataset = ct()
    dataset.ExtendedOffsetTable = dataset.ExtendedOffsetTableLengths = NEEDLE[:8]
    both = Both(profile)
    assert both.assert_alike(part10(dataset)) == ""
    made = both.read(part10(dataset))
    assert "ExtendedOffsetTable" not in made
    assert "ExtendedOffsetTableLengths" not in made


def test_a_file_is_read_for_its_residues_too(tmp_path: Path) -> None:
    path = tmp_path / "object.dcm"
    path.write_bytes(HIDING["behind"])
    both = Both()
    fd = os.open(path, os.O_RDONLY)
    try:
        cleaned = both.bytepath.clean(FileSource(fd, path.stat().st_size))
    finally:
        os.close(fd)
    assert content(cleaned, memoryview(HIDING["behind"])) == both.surely(HIDING["behind"]).output


@pytest.mark.parametrize(
    "name", ["693_J2KI.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm"]
)
def test_real_compressed_images_are_delivered(name: str) -> None:
    both = Both()
    file = (TEST_FILES / name).read_bytes()
    both.assert_alike(file)
    outcome = both.surely(file)
    assert outcome.cleaned is not None
    assert pydicom.dcmread(BytesIO(outcome.output)).SOPClassUID == pydicom.dcmread(BytesIO(file)).SOPClassUID
