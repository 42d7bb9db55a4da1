from __future__ import annotations

from pathlib import Path

import pytest

from bench.corpus import header
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom
from tests.deidentify.bytepath.both import PROFILES, Both
from tests.dicom.real import files, name_of

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module", params=PROFILES)
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_the_byte_path_ends_as_gate_and_pydicom_path_do_on_every_real_file(both: Both, path: Path) -> None:
    both.assert_alike(path.read_bytes())


def test_the_byte_path_takes_nearly_all_real_files_that_are_regular_and_without_a_warning() -> None:
    both, taken, left = Both(), 0, []
    for path in files():
        raw = path.read_bytes()
        try:
            structure = check(memoryview(raw))
        except InvalidDicom:
            continue
        if structure.regular and not structure.warnings and not structure.is_directory:
            taken += 1
            if both.quickly(raw).error == "Irregular":
                left.append(path.name)
    assert taken > 100
    # Known tags as UN in two of them; the third's file meta and data set do not both name the SOP class.
    assert set(left) == {"rtdose_rle.dcm", "rtdose_rle_1frame.dcm", "empty_charset_LEI.dcm"}


@pytest.mark.parametrize("series", [0, 1, 2, 5])
def test_ct_slices_of_the_benchmark_come_out_alike_both_ways(both: Both, series: int, tmp_path: Path) -> None:
    for index in range(3):
        made = header(series, index)
        made.Rows = made.Columns = 4
        made.add_new(0x7FE00010, "OW", bytes(32))
        made.save_as(tmp_path / "slice.dcm", enforce_file_format=True)
        assert not both.assert_alike((tmp_path / "slice.dcm").read_bytes())
