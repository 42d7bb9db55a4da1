"""The metadata models, as printed in the API document."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from scanward.validate.schemas import (
    AcquisitionModel,
    DICOMMetadataModel,
    ImageModel,
    PatientModel,
    SeriesModel,
    StudyModel,
)

pytestmark = pytest.mark.unit

METADATA: dict[str, Any] = {
    "patient": {
        "patient_id": "P1",
        "patient_birth_date": "19700101",
        "patient_sex": "F",
        "patient_age": "042Y",
    },
    "study": {"study_instance_uid": "1.2.3", "study_date": "20240229", "study_time": "120000.5"},
    "series": {"series_instance_uid": "1.2.4", "series_number": 3, "modality": "CT"},
    "image": {"sop_instance_uid": "1.2.5", "rows": 512, "pixel_spacing": [0.5, 0.5]},
    "acquisition": {"kvp": 120, "manufacturer": "Maker"},
}
PRINTED: list[tuple[type[BaseModel], list[tuple[str, bool, str | None]]]] = [
    (
        PatientModel,
        [
            ("patient_id", True, "Patient identifier"),
            ("patient_name", False, "Patient name"),
            ("patient_birth_date", False, "YYYYMMDD"),
            ("patient_sex", False, "M, F, O"),
            ("patient_age", False, "Age string"),
        ],
    ),
    (
        StudyModel,
        [
            ("study_instance_uid", True, "Study UID"),
            ("study_date", False, "YYYYMMDD"),
            ("study_time", False, "HHMMSS"),
            ("study_description", False, None),
            ("accession_number", False, None),
        ],
    ),
    (
        SeriesModel,
        [
            ("series_instance_uid", True, "Series UID"),
            ("series_number", False, None),
            ("modality", False, "CT, MR, etc."),
            ("series_description", False, None),
            ("body_part_examined", False, None),
        ],
    ),
    (
        ImageModel,
        [
            ("sop_instance_uid", True, "Image UID"),
            ("instance_number", False, None),
            ("rows", False, None),
            ("columns", False, None),
            ("bits_allocated", False, None),
            ("pixel_spacing", False, None),
        ],
    ),
    (
        DICOMMetadataModel,
        [
            ("patient", True, None),
            ("study", True, None),
            ("series", True, None),
            ("image", True, None),
            ("acquisition", False, None),
        ],
    ),
]


def changed(section: str, field: str, value: object) -> dict[str, Any]:
    metadata = copy.deepcopy(METADATA)
    metadata[section][field] = value
    return metadata


@pytest.mark.parametrize(("model", "fields"), PRINTED)
def test_a_model_has_the_printed_fields_in_the_printed_order(
    model: type[BaseModel], fields: list[tuple[str, bool, str | None]]
) -> None:
    found = [(name, field.is_required(), field.description) for name, field in model.model_fields.items()]

    assert found == fields


def test_the_acquisition_has_the_fields_of_the_design_all_optional() -> None:
    assert list(AcquisitionModel.model_fields) == [
        "kvp",
        "exposure_time",
        "tube_current",
        "slice_thickness",
        "spacing_between_slices",
        "repetition_time",
        "echo_time",
        "magnetic_field_strength",
        "flip_angle",
        "manufacturer",
        "model_name",
        "protocol_name",
        "contrast_agent",
    ]
    assert AcquisitionModel.model_validate({}).model_dump(exclude_none=True) == {}


def test_sound_metadata_is_valid() -> None:
    assert DICOMMetadataModel(**METADATA).series.series_number == 3


def test_the_acquisition_may_be_missing() -> None:
    metadata = {section: fields for section, fields in METADATA.items() if section != "acquisition"}

    assert DICOMMetadataModel(**metadata).acquisition is None


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("patient", "patient_id", None),
        ("patient", "patient_birth_date", "1970-01-01"),
        ("patient", "patient_birth_date", "19700230"),
        ("patient", "patient_sex", "female"),
        ("patient", "patient_age", "42"),
        ("study", "study_instance_uid", ""),
        ("study", "study_instance_uid", "../../etc/passwd"),
        ("study", "study_instance_uid", "1." * 33),
        ("study", "study_time", "25"),
        ("series", "series_instance_uid", None),
        ("series", "series_number", "three"),
        ("image", "sop_instance_uid", "1.2.x"),
        ("image", "pixel_spacing", ["wide"]),
        ("acquisition", "kvp", "high"),
    ],
)
def test_an_error_names_the_field_and_hides_the_value(section: str, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        DICOMMetadataModel(**changed(section, field, value))

    assert caught.value.errors()[0]["loc"][:2] == (section, field)
    assert "input_value" not in str(caught.value)
    if value:
        assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("patient", "patient_id", ""),
        ("patient", "patient_birth_date", ""),
        ("patient", "patient_sex", "O"),
        ("patient", "patient_sex", ""),
        ("patient", "patient_age", ""),
        ("study", "study_date", None),
        ("study", "study_time", ""),
        ("study", "study_time", "1200"),
        ("study", "study_instance_uid", "1.2.0123.4"),
    ],
)
def test_what_archives_hold_and_no_reader_stumbles_over_is_valid(
    section: str, field: str, value: object
) -> None:
    model = DICOMMetadataModel(**changed(section, field, value))
    assert getattr(getattr(model, section), field) == value


def test_each_model_by_itself_hides_values_too() -> None:
    with pytest.raises(ValidationError) as caught:
        PatientModel.model_validate({"patient_id": "P1", "patient_birth_date": "born in May"})

    assert "May" not in str(caught.value)
