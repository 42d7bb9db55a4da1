"""The metadata of an object in five sections."""

from __future__ import annotations

import json
from io import BytesIO

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydicom import Dataset

from scanward.dicom.metadata import MetadataExtractor
from scanward.validate.schemas import DICOMMetadataModel
from tests.validate.objects import ct_image, item, put, written
from tests.validate.realfiles import FOLDER, passed

pytestmark = pytest.mark.unit

UIDS = {
    ("study", "study_instance_uid"),
    ("series", "series_instance_uid"),
    ("image", "sop_instance_uid"),
}


def extract(dataset: Dataset) -> dict[str, dict[str, object]]:
    return MetadataExtractor().extract_metadata(dataset)


def read(dataset: Dataset) -> Dataset:
    return pydicom.dcmread(BytesIO(written(dataset)))


def test_the_sections_have_the_fields_of_the_models() -> None:
    metadata = extract(ct_image())

    assert list(metadata) == list(DICOMMetadataModel.model_fields)
    for section, fields in metadata.items():
        model = DICOMMetadataModel.model_fields[section].annotation
        names = getattr(model, "model_fields", None) or model.__args__[0].model_fields  # type: ignore[union-attr]  # Optional[…]
        assert list(fields) == list(names)


def test_values_are_plain_strings_and_numbers() -> None:
    metadata = extract(read(ct_image()))

    assert metadata["patient"] == {
        "patient_id": "P1",
        "patient_name": "Grün^Änne",
        "patient_birth_date": "19700101",
        "patient_sex": "F",
        "patient_age": None,
    }
    assert metadata["image"] == {
        "sop_instance_uid": "1.2.3.4",
        "instance_number": 1,
        "rows": 2,
        "columns": 2,
        "bits_allocated": 16,
        "pixel_spacing": [0.5, 0.5],
    }
    assert type(metadata["series"]["series_number"]) is int
    assert type(metadata["acquisition"]["kvp"]) is float
    assert type(metadata["patient"]["patient_name"]) is str
    assert type(metadata["study"]["study_instance_uid"]) is str


def test_an_empty_data_set_gives_none_and_an_empty_patient_id() -> None:
    metadata = extract(Dataset())

    assert metadata["patient"]["patient_id"] == ""
    assert {value for fields in metadata.values() for value in fields.values()} == {None, ""}


def test_values_without_their_form_are_none() -> None:
    dataset = ct_image()
    for tag, vr, value in (
        (0x00180060, "DS", b"high"),
        (0x00180050, "DS", b"1e999"),
        (0x00200013, "IS", b"1.5"),
        (0x00200011, "IS", b"third"),
        (0x00280030, "DS", b"0.5\\wide"),
        (0x00100030, "DA", b"in May"),
        (0x00080020, "DA", b"20230229"),
        (0x00080030, "TM", b"noon"),
        (0x00100040, "CS", b"FEMALE"),
        (0x00101010, "AS", b"42"),
    ):
        put(dataset, tag, vr, value)

    metadata = extract(read(dataset))

    assert [
        metadata["acquisition"]["kvp"],
        metadata["acquisition"]["slice_thickness"],
        metadata["image"]["instance_number"],
        metadata["series"]["series_number"],
        metadata["image"]["pixel_spacing"],
        metadata["patient"]["patient_birth_date"],
        metadata["study"]["study_date"],
        metadata["study"]["study_time"],
        metadata["patient"]["patient_sex"],
        metadata["patient"]["patient_age"],
    ] == [None] * 10
    DICOMMetadataModel(**metadata)


def test_dates_of_the_old_form_come_in_the_new_one() -> None:
    dataset = ct_image()
    put(dataset, 0x00080020, "DA", b"1997.04.24")
    put(dataset, 0x00080030, "TM", b"14:04:38")

    study = extract(read(dataset))["study"]

    assert (study["study_date"], study["study_time"]) == ("19970424", "140438")


def test_several_values_of_a_text_are_joined() -> None:
    dataset = ct_image()
    dataset.ProtocolName = ["HEAD", "NECK"]

    assert extract(dataset)["acquisition"]["protocol_name"] == "HEAD\\NECK"


def test_spacing_of_a_multi_frame_object_is_its_shared_groups() -> None:
    dataset = Dataset()
    measures = item(PixelSpacing=[0.25, 0.25], SliceThickness=3)
    dataset.SharedFunctionalGroupsSequence = item(PixelMeasuresSequence=measures)

    metadata = extract(dataset)

    assert metadata["image"]["pixel_spacing"] == [0.25, 0.25]
    assert metadata["acquisition"]["slice_thickness"] == 3.0


def test_names_are_decoded_with_the_object_s_character_set() -> None:
    names = {
        name: extract(pydicom.dcmread(FOLDER / "charset_files" / name))["patient"]["patient_name"]
        for name in ("chrH31.dcm", "chrRuss.dcm", "chrGreek.dcm", "chrX1.dcm")
    }

    assert names == {
        "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "chrRuss.dcm": "Люкceмбypг",  # noqa: RUF001 - it is written so in the file
        "chrGreek.dcm": "Διονυσιος",
        "chrX1.dcm": "Wang^XiaoDong=王^小東",
    }


def test_every_real_file_s_metadata_is_valid_but_for_missing_uids() -> None:
    valid = 0
    for path, _, structure in passed():
        metadata = extract(pydicom.dcmread(path, force=True, stop_before_pixels=True))
        json.dumps(metadata, allow_nan=False)
        missing = {(section, name) for section, name in UIDS if not metadata[section][name]}
        try:
            DICOMMetadataModel(**metadata)
        except ValidationError as error:
            named = {fault["loc"] for fault in error.errors()}
        else:
            named = set()
            valid += 1
        assert named == missing, path.name
        assert (structure.study_uid or None) == metadata["study"]["study_instance_uid"], path.name

    assert valid > 80


@given(
    st.dictionaries(
        st.sampled_from(
            ["PatientID", "PatientName", "StudyDate", "KVP", "Rows", "PixelSpacing", "PatientAge"]
        ),
        st.one_of(
            st.none(), st.text(max_size=8), st.binary(max_size=8), st.floats(), st.lists(st.text(max_size=3))
        ),
    )
)
def test_nothing_that_a_data_set_may_hold_makes_it_raise(values: dict[str, object]) -> None:
    dataset = Dataset()
    for keyword, value in values.items():
        try:
            setattr(dataset, keyword, value)
        except (AttributeError, TypeError, ValueError, OverflowError):
            continue

    assert set(extract(dataset)) == {"patient", "study", "series", "image", "acquisition"}
