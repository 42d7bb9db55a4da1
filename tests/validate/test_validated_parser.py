"""Parsing that is validated."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanward.errors import InvalidDicom, ValidationFailed
from src.validation.validated_parser import ValidatedParser
from tests.validate.objects import ct_image, written

pytestmark = pytest.mark.unit


def test_a_sound_file_gives_data_set_metadata_and_no_warning(tmp_path: Path) -> None:
    (tmp_path / "ct.dcm").write_bytes(written(ct_image()))

    found = ValidatedParser().parse_file(tmp_path / "ct.dcm")

    assert found.dataset.Modality == "CT"
    assert found.metadata.patient.patient_name == "Grün^Änne"
    assert found.warnings == ()


def test_harmless_faults_come_as_warnings() -> None:
    image = ct_image()
    del image.PatientSex

    found = ValidatedParser().parse_bytes(written(image))

    assert [fault.rule for fault in found.warnings] == ["type2-missing"]


def test_a_site_s_severities_hold() -> None:
    image = ct_image()
    del image.PatientSex

    with pytest.raises(ValidationFailed, match=r"Missing required DICOM tags: PatientSex \(0010,0040\)"):
        ValidatedParser({"type2-missing": "reject"}).parse_bytes(written(image))


def test_what_is_missing_is_refused_by_name() -> None:
    image = ct_image()
    del image.StudyInstanceUID

    with pytest.raises(
        ValidationFailed, match=r"Missing required DICOM tags: StudyInstanceUID \(0020,000D\)"
    ):
        ValidatedParser().parse_bytes(written(image))


def test_metadata_must_have_their_identifiers_even_where_the_rule_was_softened() -> None:
    image = ct_image()
    del image.StudyInstanceUID

    with pytest.raises(ValidationFailed, match=r"without a valid study\.study_instance_uid"):
        ValidatedParser({"identifier-missing": "warn"}).parse_bytes(written(image))


def test_what_is_not_dicom_does_not_come_past_the_gate() -> None:
    with pytest.raises(InvalidDicom):
        ValidatedParser().parse_bytes(b"not DICOM")
