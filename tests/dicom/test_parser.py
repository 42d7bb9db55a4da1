from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from pydicom import Dataset

from scanward.dicom.parser import DICOMParser
from scanward.errors import BadInput, InvalidDicom
from tests.dicom.real import ROOT
from tests.hostile import build as b

pytestmark = pytest.mark.unit

CT_SMALL = ROOT / "test_files" / "CT_small.dcm"


@pytest.mark.parametrize("path", [CT_SMALL, str(CT_SMALL)])
def test_a_file_is_parsed_by_path_or_string(path: str | Path) -> None:
    dataset = DICOMParser().parse_file(path)
    assert dataset.PatientName == "CompressedSamples^CT1"
    assert dataset.pixel_array.shape == (128, 128)


def test_bytes_are_parsed_like_the_file() -> None:
    assert DICOMParser().parse_bytes(CT_SMALL.read_bytes()) == DICOMParser().parse_file(CT_SMALL)


@pytest.mark.parametrize(
    ("made", "syntax"),
    [
        (b.part10(b.ct()), b.EXPLICIT),
        (b.part10(b.ct_implicit(), b.IMPLICIT), b.IMPLICIT),
        (b.part10(b.ct_big(), b.BIG), b.BIG),
        (b.part10(b.deflate(b.ct()), b.DEFLATED), b.DEFLATED),
        (b.ct(), b.EXPLICIT),
        (b.ct_implicit(), b.IMPLICIT),
        (b.ct_big(), b.BIG),
    ],
)
def test_the_transfer_syntax_is_known_also_of_bare_data_sets(made: bytes, syntax: str) -> None:
    parser = DICOMParser()
    dataset = parser.parse_bytes(made)
    assert parser.get_transfer_syntax(dataset) == syntax
    assert dataset.PatientName == "Doe^Jane"


def test_the_transfer_syntax_of_a_data_set_made_in_memory_is_asked_for() -> None:
    with pytest.raises(BadInput, match="has no transfer syntax"):
        DICOMParser().get_transfer_syntax(Dataset())


def test_the_gate_runs_first_and_names_its_faults() -> None:
    with pytest.raises(InvalidDicom) as refused:
        DICOMParser().parse_bytes(b.part10(b.ct())[:-1])
    assert [fault.rule for fault in refused.value.faults] == ["length-outside"]


def test_a_missing_file_is_named_without_its_path() -> None:
    with pytest.raises(InvalidDicom) as refused:
        DICOMParser().parse_file("/nowhere/Doe_Jane.dcm")
    assert "Doe" not in str(refused.value)


def test_zero_bytes_behind_the_last_element_are_no_element() -> None:
    assert 0 not in DICOMParser().parse_bytes(b.part10(b.ct() + bytes(16)))


def test_what_pydicom_must_hold_whole_has_tighter_bounds() -> None:
    many = b.part10(b.ct({b.REFERENCED_TAG: b.sequence(b.item() * 60_000)}))
    with pytest.raises(InvalidDicom, match="items"):
        DICOMParser().parse_bytes(many)


def test_parsing_prints_and_warns_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    strange = b.ct({b.CHARSET_TAG: b.explicit(b.CHARSET_TAG, "CS", b"ISO_IR 999")})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DICOMParser().parse_bytes(b.part10(strange))
    assert capfd.readouterr() == ("", "")
