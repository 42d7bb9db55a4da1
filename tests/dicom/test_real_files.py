from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scanward.dicom.structure import check, check_file
from scanward.errors import InvalidDicom
from tests.dicom.real import content, files, name_of

pytestmark = pytest.mark.unit

with (Path(__file__).parent / "real_files.csv").open(newline="") as _table:
    VERDICTS = {row["file"]: row for row in csv.DictReader(_table)}


def _verdict(path: Path) -> tuple[str, str]:
    try:
        structure = check_file(path)
    except InvalidDicom as refused:
        return "rejected", " ".join(dict.fromkeys(fault.rule for fault in refused.faults))
    rules = " ".join(dict.fromkeys(fault.rule for fault in structure.warnings))
    return ("warned" if rules else "directory" if structure.is_directory else "accepted"), rules


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_each_real_file_has_the_verdict_of_the_table(path: Path) -> None:
    row = VERDICTS[name_of(path)]
    assert _verdict(path) == (row["outcome"], row["rules"])


def test_the_table_lists_no_other_file_and_gives_a_reason_for_each_refusal() -> None:
    assert set(VERDICTS) == {name_of(path) for path in files()}
    assert all(row["why"] for row in VERDICTS.values() if row["outcome"] == "rejected")


def test_a_structure_tells_identity_coding_and_place_of_the_pixels() -> None:
    view = content("CT_small.dcm")
    structure = check(view)
    assert structure.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert structure.instance_uid == "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"
    assert structure.study_uid == "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
    assert structure.series_uid == "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
    assert structure.regular
    assert structure.pixel_value is not None
    assert structure.pixel_end is not None
    assert structure.pixel_end - structure.pixel_value == 128 * 128 * 2
    assert structure.pixel_offset == structure.pixel_value - 12
    assert structure.dataset_end == structure.size == len(view)


@pytest.mark.parametrize(
    ("name", "explicit", "little_endian", "deflated", "encapsulated"),
    [
        ("MR_small.dcm", True, True, False, False),
        ("MR_small_implicit.dcm", False, True, False, False),
        ("MR_small_bigendian.dcm", True, False, False, False),
        ("MR_small_RLE.dcm", True, True, False, True),
        ("image_dfl.dcm", True, True, True, False),
    ],
)
def test_a_structure_tells_how_its_object_is_coded(
    name: str, *, explicit: bool, little_endian: bool, deflated: bool, encapsulated: bool
) -> None:
    found = check(content(name))
    told = (found.explicit, found.little_endian, found.deflated, found.encapsulated)
    assert told == (explicit, little_endian, deflated, encapsulated)
    assert found.regular == (little_endian and not deflated)


def test_a_directory_is_recognised_so_that_callers_read_past_it() -> None:
    assert check(content("dicomdirtests/DICOMDIR")).is_directory
    assert not check(content("CT_small.dcm")).is_directory


def test_a_missing_instance_uid_is_taken_from_the_file_meta() -> None:
    structure = check(content("dicomdirtests/DICOMDIR"))
    assert structure.instance_uid.startswith("1.2.276")
