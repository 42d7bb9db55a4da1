from __future__ import annotations

import copy
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from scanward.deidentify import memory, profile, secret
from scanward.deidentify.deidentifier import Deidentifier
from scanward.errors import BadInput, InvalidDicom, Quarantined
from tests.deidentify.objects import SECRET, TEST_FILES, ct, item, part10, sequence

pytestmark = pytest.mark.unit


def read(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    return pydicom.dcmread(BytesIO(part10(dataset, syntax)))


def test_a_data_set_comes_back_clean_with_what_was_removed() -> None:
    new, removed = Deidentifier(secret=SECRET).deidentify_dataset(read(ct()), patient_id="ANON12345")
    assert (new.PatientID, new.PatientName) == ("ANON12345", "REMOVED")
    assert removed[:3] == ["SOPInstanceUID", "StudyDate", "ContentDate"]
    assert {"PatientName", "PatientBirthDate", "StudyInstanceUID", "StudyDescription"} <= set(removed)
    assert "SOPClassUID" not in removed


def test_the_input_is_not_changed() -> None:
    dataset = read(ct())
    before = copy.deepcopy(dataset)
    Deidentifier(secret=SECRET).deidentify_dataset(dataset)
    assert dataset == before
    assert dataset.file_meta == before.file_meta


def test_private_attributes_are_named_by_their_tags() -> None:
    dataset = ct()
    dataset.private_block(0x0009, "X", create=True).add_new(1, "LO", "y")
    _, removed = Deidentifier(secret=SECRET).deidentify_dataset(dataset)
    assert {"(0009,0010)", "(0009,1001)"} <= set(removed)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_clean_copy_can_be_saved_and_read_again(syntax: str, tmp_path: Path) -> None:
    new, _ = Deidentifier(secret=SECRET).deidentify_dataset(read(ct(), syntax))
    new.save_as(tmp_path / "clean.dcm", enforce_file_format=True)
    again = pydicom.dcmread(tmp_path / "clean.dcm")
    assert again.PixelData == ct().PixelData
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID
    assert again.file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize(
    ("implicit", "little", "syntax"),
    [
        (True, True, ImplicitVRLittleEndian),
        (False, False, ExplicitVRBigEndian),
        (False, True, ExplicitVRLittleEndian),
    ],
)
def test_a_data_set_without_file_meta_keeps_its_own_coding(
    *, implicit: bool, little: bool, syntax: str
) -> None:
    dataset = ct()
    dataset.set_original_encoding(implicit, little)
    new, _ = Deidentifier(secret=SECRET).deidentify_dataset(dataset)
    assert new.file_meta.TransferSyntaxUID == syntax


def test_a_header_alone_is_cleaned_and_gets_the_given_id() -> None:
    new, removed = Deidentifier(secret=SECRET).deidentify_dataset(
        item(PatientName="Rossi^Giulia"), patient_id="P1"
    )
    assert (new.PatientName, new.PatientID) == ("REMOVED", "P1")
    assert removed == ["PatientName"]


def test_what_follows_the_pixels_in_memory_is_cleaned() -> None:
    new, _ = Deidentifier(secret=SECRET).deidentify_dataset(
        ct(lambda dataset: dataset.add_new(0xFFFCFFFC, "OB", b"MRN-4711"))
    )
    assert 0xFFFCFFFC not in new


def test_a_documented_list_of_tags_is_preserved() -> None:
    deidentifier = Deidentifier(preserve_tags=[(0x0008, 0x0070), "PatientSex", "(0008,1010)"], secret=SECRET)
    new, removed = deidentifier.deidentify_dataset(ct(lambda dataset: setattr(dataset, "StationName", "CT1")))
    assert (new.Manufacturer, new.PatientSex, new.StationName) == ("ACME", "F", "CT1")
    assert "PatientSex" not in removed
    assert new.DeidentificationMethod.endswith("kept on request")


def test_an_identifier_is_preserved_only_by_force() -> None:
    with pytest.raises(BadInput):
        Deidentifier(preserve_tags=["PatientName"], secret=SECRET)
    new, _ = Deidentifier(["PatientName"], secret=SECRET, force_preserve=True).deidentify_dataset(ct())
    assert new.PatientName == "Rossi^Giulia"


def test_nesting_beyond_the_gates_bound_is_refused() -> None:
    inner = item(CodeMeaning="x")
    for _ in range(70):
        inner = item(ProcedureCodeSequence=sequence(inner))
    with pytest.raises(InvalidDicom, match="64"):
        Deidentifier(secret=SECRET).deidentify_dataset(inner)


def test_what_cannot_be_written_is_refused_by_type() -> None:
    with pytest.raises(InvalidDicom) as caught:
        Deidentifier(secret=SECRET).deidentify_dataset(
            ct(lambda dataset: dataset.add_new(0x00280010, "US", "Rossi"))
        )
    assert "Rossi" not in caught.value.message


def test_what_cannot_be_cleaned_is_quarantined() -> None:
    with pytest.raises(Quarantined):
        Deidentifier(secret=SECRET).deidentify_dataset(pydicom.dcmread(TEST_FILES / "test-SR.dcm"))
    with pytest.raises(Quarantined):
        Deidentifier(secret=SECRET).deidentify_dataset(item(BurnedInAnnotation="YES"))


def test_a_file_is_cleaned_into_another(tmp_path: Path) -> None:
    removed = Deidentifier(secret=SECRET).deidentify_file(
        str(TEST_FILES / "CT_small.dcm"), str(tmp_path / "o.dcm"), "P1"
    )
    new = pydicom.dcmread(tmp_path / "o.dcm")
    assert (new.PatientID, new.pixel_array.shape) == ("P1", (128, 128))
    assert "PatientName" in removed
    assert [path.name for path in tmp_path.iterdir()] == ["o.dcm"]


def test_file_and_memory_give_the_same_data_set(tmp_path: Path) -> None:
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(part10(ct()))
    deidentifier = Deidentifier(secret=SECRET)
    removed = deidentifier.deidentify_file(source, target)
    new, also_removed = deidentifier.deidentify_dataset(pydicom.dcmread(source))
    assert (pydicom.dcmread(target), removed) == (new, also_removed)


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "in.dcm"
    source.write_bytes(part10(ct())[:-3])
    with pytest.raises(InvalidDicom):
        Deidentifier(secret=SECRET).deidentify_file(source, tmp_path / "out.dcm")
    with pytest.raises(Quarantined):
        Deidentifier(secret=SECRET).deidentify_file(TEST_FILES / "test-SR.dcm", tmp_path / "out.dcm")
    assert [path.name for path in tmp_path.iterdir()] == ["in.dcm"]


def test_an_output_that_cannot_get_its_name_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "out.dcm").mkdir()
    with pytest.raises(OSError, match="directory"):
        Deidentifier(secret=SECRET).deidentify_file(TEST_FILES / "CT_small.dcm", tmp_path / "out.dcm")
    assert [path.name for path in tmp_path.iterdir()] == ["out.dcm"]


def test_the_sites_secret_and_settings_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANWARD_KEY_FILE", str(tmp_path / "site.key"))
    monkeypatch.setenv("SCANWARD_PATIENT_ID_DIGITS", "16")
    first, _ = Deidentifier().deidentify_dataset(ct())
    second, _ = Deidentifier(domain="other", profile=profile.load("research")).deidentify_dataset(ct())
    assert len(first.PatientID) == len("ANON-") + 16
    assert first.PatientID != second.PatientID
    assert len(secret.load(tmp_path / "site.key")) == 32


def test_an_unknown_transfer_syntax_falls_back_to_the_coding() -> None:
    assert memory._syntax(item(PatientName="x")) == ExplicitVRLittleEndian  # noqa: SLF001 - the fallback alone


def test_pixels_that_the_gate_would_refuse_are_refused_in_memory_too() -> None:
    dataset = read(ct())
    dataset.PixelData = dataset.PixelData + b"Rossi^Giulia"
    with pytest.raises(InvalidDicom) as caught:
        Deidentifier(secret=SECRET).deidentify_dataset(dataset)
    assert caught.value.faults


def test_a_second_image_beside_the_pixels_is_refused() -> None:
    dataset = ct()
    dataset.FloatPixelData = b"Rossi^Giulia" * 4
    with pytest.raises(InvalidDicom):
        Deidentifier(secret=SECRET).deidentify_dataset(dataset)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "rtdose.dcm", "MR_small_bigendian.dcm"])
def test_real_pixels_pass_in_memory(name: str) -> None:
    dataset = pydicom.dcmread(TEST_FILES / name)
    new, _ = Deidentifier(secret=SECRET).deidentify_dataset(dataset)
    assert new.PixelData == dataset.PixelData


@pytest.mark.parametrize("wrong", [None, 5, "x", b"x"])
def test_what_is_no_data_set_is_named_by_its_type(wrong: object) -> None:
    with pytest.raises(BadInput, match=type(wrong).__name__):
        Deidentifier(secret=SECRET).deidentify_dataset(wrong)  # type: ignore[arg-type]  # that is the point
