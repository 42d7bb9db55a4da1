from __future__ import annotations

import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from scanward.deidentify import datasetpath
from scanward.deidentify.datasetwalk import DatasetWalk, Place
from scanward.deidentify.policy import Policy
from scanward.deidentify.profile import Profile
from scanward.deidentify.writer import Writer
from scanward.dicom.structure import check
from scanward.errors import InvalidDicom, Quarantined
from tests.deidentify.objects import (
    CT,
    DATA,
    KEYS,
    SECRET,
    TEST_FILES,
    cleaned,
    ct,
    item,
    joined,
    output,
    part10,
    policy,
    sequence,
    spliced,
)

pytestmark = pytest.mark.unit

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
PLANTED = [b"Rossi", b"ROSSI", b"Giulia", b"MRN-4711", b"ACC-90210", b"19310203", b"1.2.3.4.5.6.7.", b"House"]


def crowded(dataset: Dataset) -> None:
    """Plant the patient wherever a header has room."""
    dataset.Manufacturer = "ACME for ROSSI"
    dataset.SoftwareVersions = ["v1", "MRN-4711"]
    dataset.BodyPartExamined = "ROSSI"
    dataset.PatientComments = "Giulia Rossi, born 19310203"
    dataset.OtherPatientNames = "Rossi^G"
    dataset.PerformedProcedureStepStartDateTime = "20200517101112+0100"
    dataset.ProcedureCodeSequence = sequence(
        item(CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning="Rossi special"),
    )
    dataset.RequestAttributesSequence = sequence(
        item(
            RequestedProcedureDescription="CT Chest of Rossi",
            RequestedProcedureID="MRN-4711",
            PatientID="MRN-4711",
            ScheduledProtocolCodeSequence=sequence(
                item(CodeMeaning="Chest Rossi", CodeValue="2", LongCodeValue="MRN-4711")
            ),
        )
    )
    dataset.ReferencedImageSequence = sequence(
        item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID="1.2.3.4.5.6.7.1")
    )
    dataset.private_block(0x0009, "Rossi creator", create=True).add_new(1, "LO", "Rossi")
    dataset.add_new(0x60000010, "US", 2)
    dataset.add_new(0x60003000, "OW", b"MRN-4711")
    dataset.add_new(0x60004000, "LT", "Rossi")
    dataset.add_new(0xFFFCFFFC, "OB", b"MRN-4711")


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("name", ["hipaa-safe-harbor", "research", "basic", "limited-data-set"])
def test_no_planted_identifier_survives_in_any_byte(name: str, syntax: str) -> None:
    file = part10(ct(crowded), syntax)
    result = cleaned(file, name)
    made = joined(result, file)
    structure = check(memoryview(made))
    made += bytes(structure.inflated or b"")
    assert [word for word in PLANTED if word in made] == []
    assert structure.transfer_syntax == syntax


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_default_profile_gives_what_the_guide_promises(syntax: str) -> None:
    new = output(part10(ct(crowded), syntax))
    assert (new.PatientName, new.PatientID) == ("REMOVED", KEYS.subject("MRN-4711", "", "").pseudonym)
    assert (new.StudyDate, new.StudyTime, new.ContentDate, new.ContentTime) == (
        "20200101",
        "",
        "20200101",
        "",
    )
    assert (new.PatientBirthDate, new.PatientSex, new.PatientAge) == ("", "", "090Y")
    assert (new.StudyDescription, new.BodyPartExamined, new.Manufacturer) == ("CT Chest", "", "ACME for")
    assert (new.Modality, new.Rows, new.PixelData) == ("CT", 2, ct().PixelData)
    assert new.PatientIdentityRemoved == "YES"
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"
    assert [code.CodeValue for code in new.DeidentificationMethodCodeSequence] == [
        "113100",
        "113105",
        "113107",
    ]
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID == KEYS.uid("1.2.3.4.5.6.7.1")
    assert new.RequestAttributesSequence[0].PatientID == new.PatientID
    assert new.ProcedureCodeSequence[0].CodeMeaning == "special"
    assert not any(tag.is_private or tag.group >> 8 == 0x60 for tag in new.keys())  # noqa: SIM118 - a Dataset iterates over elements


def test_the_research_profile_keeps_intervals_and_references() -> None:
    new = output(part10(ct(crowded)), "research")
    assert new.StudyTime == "101112"
    assert new.StudyDate == new.ContentDate != "20200517"
    assert new.PatientSex == "F"
    assert new.PatientName == new.PatientID
    assert new.ReferencedImageSequence[0].ReferencedSOPInstanceUID == new.SOPInstanceUID
    assert new.PerformedProcedureStepStartDateTime[:8] == new.StudyDate


def test_the_report_names_paths_and_actions_in_document_order() -> None:
    result = cleaned(part10(ct(crowded)))
    assert ("(0040,0275)[0].(0040,0008)[0].(0008,0104)", "C") in result.changes
    assert ("(0010,0010)", "D") in result.changes
    assert ("(0009,1001)", "X") in result.changes
    assert result.original.patient_id == "MRN-4711"
    assert result.replaced.instance_uid == KEYS.uid("1.2.3.4.5.6.7.1")
    assert result.modality == "CT"


def test_values_that_stay_the_same_are_not_reported() -> None:
    def already_clean(dataset: Dataset) -> None:
        dataset.StudyDate, dataset.PatientSex = "20200101", ""

    changed = {path for path, _ in cleaned(part10(ct(already_clean))).changes}
    assert not {"(0008,0020)", "(0010,0040)", "(0008,0016)"} & changed


def test_a_known_tag_stored_as_un_gets_its_vr_and_its_action() -> None:
    file = part10(ct())
    un = struct.pack("<HH2sHI", 0x0010, 0x1040, b"UN", 0, 6) + b"Rossi "
    number = struct.pack("<HH2sHI", 0x0018, 0x1210, b"UN", 0, 4) + b"SOFT"
    kernel = output(spliced(spliced(file, 0x0020000D, number), 0x0020000D, b""))
    assert kernel["ConvolutionKernel"].VR == "SH"
    assert "PatientAddress" not in output(spliced(file, 0x0020000D, un))


def test_a_sequence_stored_as_un_is_cleaned_inside() -> None:
    parts = {0x00080104: b"Rossi ", 0x00090010: b"XX", 0x00280010: b"\1\0", 0x00280106: b"\1\0"}
    inner = b"".join(
        struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(raw)) + raw for tag, raw in parts.items()
    )
    value = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    un = struct.pack("<HH2sHI", 0x0008, 0x1032, b"UN", 0, len(value)) + value
    new = output(spliced(part10(ct()), 0x00100010, un))
    assert new.ProcedureCodeSequence[0].CodeMeaning == "REMOVED"
    assert new.ProcedureCodeSequence[0].Rows == 1
    assert new.ProcedureCodeSequence[0].get_item(0x00280106).VR == "UN"


def test_a_sequence_stored_as_un_in_big_endian_goes() -> None:
    value = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    un = struct.pack(">HH2sHI", 0x0008, 0x1032, b"UN", 0, len(value)) + value
    file = part10(ct(), ExplicitVRBigEndian)
    at = file.index(struct.pack(">HH", 0x0010, 0x0010), 200)
    assert "ProcedureCodeSequence" not in output(file[:at] + un + file[at:])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_kept_text_stored_as_un_is_read_in_either_byte_order(syntax: str) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    un = struct.pack(f"{order}HH2sHI", 0x0018, 0x1020, b"UN", 0, 10) + b"of ROSSI 1"
    file = part10(ct(), syntax)
    at = file.index(struct.pack(f"{order}HH", 0x0020, 0x000D), 200)
    assert output(file[:at] + un + file[at:]).SoftwareVersions == "of 1"


def test_a_class_uid_that_is_none_does_not_stay() -> None:
    def odd(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = ["ISO_IR 192", "ROSSI"]
        dataset.ProcedureCodeSequence = sequence(
            item(CodingSchemeUID="SMITH", ContextUID="1.2.840.10008.6.1.1")
        )

    file = part10(ct(odd))
    new = output(file)
    assert new.ProcedureCodeSequence[0].CodingSchemeUID == ""
    assert new.ProcedureCodeSequence[0].ContextUID == "1.2.840.10008.6.1.1"
    assert b"ROSSI" not in joined(cleaned(file), file)


def test_an_odd_length_is_padded() -> None:
    file = part10(ct())
    at = file.index(struct.pack("<HH2sH", 0x0008, 0x0070, b"LO", 4))
    odd = file[: at + 6] + struct.pack("<H", 3) + b"ACM" + file[at + 12 :]
    assert output(odd).Manufacturer == "ACM"


def test_pixels_of_odd_length_are_padded() -> None:
    def odd(dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns, dataset.BitsAllocated = 1, 3, 8
        dataset.BitsStored, dataset.HighBit = 8, 7
        dataset.PixelData = b"\1\2\3\0"

    file = part10(ct(odd))
    cut = file[: file.rindex(struct.pack("<I", 4))] + struct.pack("<I", 3) + b"\1\2\3"
    assert output(cut).PixelData == b"\1\2\3\0"


def test_what_follows_the_pixels_is_cleaned_too() -> None:
    file = part10(ct(lambda dataset: dataset.add_new(0xFFFCFFFC, "OB", b"Rossi ")))
    assert output(file).get(0xFFFCFFFC) is None


def test_undefined_lengths_stay_undefined() -> None:
    def undefined(dataset: Dataset) -> None:
        dataset.ProcedureCodeSequence = sequence(item(CodeMeaning="Chest"))
        dataset["ProcedureCodeSequence"].is_undefined_length = True
        dataset.ProcedureCodeSequence[0].is_undefined_length_sequence_item = True

    assert output(part10(ct(undefined)))["ProcedureCodeSequence"].is_undefined_length


def test_an_empty_sequence_of_undefined_length_stays_empty() -> None:
    open_ended = struct.pack("<HH2sHI", 0x0008, 0x1032, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE0DD, 0
    )
    assert output(spliced(part10(ct()), 0x00100010, open_ended)).ProcedureCodeSequence == []


def test_markers_of_an_earlier_run_are_replaced_and_not_reported() -> None:
    def marked(dataset: Dataset) -> None:
        dataset.PatientIdentityRemoved = "NO"
        dataset.DeidentificationMethod = "Rossi's own"
        dataset.LongitudinalTemporalInformationModified = "UNMODIFIED"

    file = part10(ct(marked))
    assert output(file).DeidentificationMethod == "Scanward hipaa-safe-harbor PS3.15 2026d"
    assert not [path for path, _ in cleaned(file).changes if path.startswith(("(0012", "(0028"))]


def test_text_is_read_by_the_character_set_of_its_own_item() -> None:
    def mixed(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.PatientName = "Müller^Jürgen"
        dataset.Manufacturer = "Müller AG"
        dataset.ProcedureCodeSequence = sequence(
            item(SpecificCharacterSet="ISO_IR 192", CodeMeaning="für Jürgen"),
            item(CodeMeaning="Schädel"),
        )

    new = output(part10(ct(mixed)))
    assert new.Manufacturer == "AG"
    assert [code.CodeMeaning for code in new.ProcedureCodeSequence] == ["für", "Schädel"]


def test_undecodable_text_does_not_stay() -> None:
    file = part10(ct(lambda dataset: setattr(dataset, "Manufacturer", "AxME")))
    assert output(file.replace(b"AxME", b"A\xfcME")).Manufacturer == ""


def test_a_placeholder_id_is_told() -> None:
    result = cleaned(part10(ct(lambda dataset: setattr(dataset, "PatientID", "UNKNOWN"))))
    assert "patient-id-placeholder" in {fault.rule for fault in result.warnings}


def test_what_cannot_be_cleaned_is_quarantined() -> None:
    with pytest.raises(Quarantined) as caught:
        cleaned(part10(ct(lambda dataset: setattr(dataset, "BurnedInAnnotation", "YES"))))
    assert caught.value.faults[0].rule == "burned-in-stated"


def test_graphics_in_a_sequence_of_undefined_length_are_quarantined() -> None:
    def graphics(dataset: Dataset) -> None:
        dataset.GraphicAnnotationSequence = sequence(item(GraphicLayer="L"))
        dataset["GraphicAnnotationSequence"].is_undefined_length = True

    with pytest.raises(Quarantined) as caught:
        cleaned(part10(ct(graphics)))
    assert caught.value.faults[0].rule == "graphic-annotation"


def test_an_overlay_in_the_pixels_is_quarantined() -> None:
    with pytest.raises(Quarantined):
        cleaned(part10(ct(lambda dataset: dataset.add_new(0x60000102, "US", 12))))


def test_a_preserved_attribute_is_kept_and_reported() -> None:
    chosen = Policy(Profile(name="plain").preserving(["PatientSex", "InstitutionCodeSequence"]))
    file = part10(
        ct(lambda one: setattr(one, "InstitutionCodeSequence", sequence(item(CodeMeaning="Chest"))))
    )
    result = cleaned(file, chosen)
    assert [path for path, action in result.changes if action == "P"] == ["(0010,0040)"]


def test_a_private_safe_attribute_stays_with_its_creator() -> None:
    def siemens(dataset: Dataset) -> None:
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", "1000")
        block.add_new(0x08, "CS", "Rossi")

    new = output(part10(ct(siemens)), "research")
    assert new[0x0019100C].value == 1000
    assert 0x00191008 not in new


def test_faults_of_the_library_are_named_by_type_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("Rossi")

    file = part10(ct())
    monkeypatch.setattr(datasetpath, "read_dataset", fail)
    with pytest.raises(InvalidDicom, match="ValueError") as caught:
        cleaned(file)
    assert "Rossi" not in caught.value.message
    monkeypatch.undo()
    monkeypatch.setattr(DatasetWalk, "dataset", fail)
    with pytest.raises(InvalidDicom, match="ValueError"):
        cleaned(file)


def test_an_element_already_decoded_does_not_pass_unread() -> None:
    dataset = item(Manufacturer="Rossi")
    walk = DatasetWalk(
        policy(), KEYS, KEYS.subject("M", "", ""), CT, Writer(explicit=True, little_endian=True)
    )
    assert walk.dataset(dataset, Place()) == []
    assert walk.changes == [("(0008,0070)", "X")]
    assert datasetpath._raw(dataset, 0x00080070) is None  # noqa: SLF001 - the same guard one layer up


def test_an_object_without_pixels_is_cleaned() -> None:
    file = (TEST_FILES / "rtplan.dcm").read_bytes()
    assert output(file).RTPlanLabel == "REMOVED"


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "rtdose_expb.dcm", "liver_expb_1frame.dcm"])
def test_big_endian_stays_big_endian(name: str) -> None:
    assert output((TEST_FILES / name).read_bytes()).file_meta.TransferSyntaxUID == ExplicitVRBigEndian


def test_the_samples_of_character_sets_are_there() -> None:
    assert len(SECRET) == 32
    assert (DATA / "charset_files").is_dir()
