from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR

from scanward.deidentify import policy as policies
from scanward.deidentify import resolution
from scanward.deidentify.actions import is_textual
from scanward.deidentify.policy import Policy, vr_is_sound, vr_of
from scanward.deidentify.profile import Profile, tag_number
from scanward.deidentify.profile import load as load_profile
from scanward.deidentify.rule import REMOVE, Do, How, Rule
from scanward.deidentify.table import load
from tests.deidentify.objects import CT, SEG, policy

pytestmark = pytest.mark.unit

PRIVATE_CLASS = "1.2.3.4.5.6"


def decide(path: str, name: str | Policy = "hipaa-safe-harbor", vr: str = "", sop_class: str = CT) -> Rule:
    """Decide on an attribute by its keywords, as `ReferencedImageSequence.ReferencedSOPInstanceUID`."""
    tags = tuple(tag_number(step) for step in path.split("."))
    chosen = policy(name) if isinstance(name, str) else name
    return chosen.decide(tags, vr or dictionary_VR(tags[-1]), sop_class)


@pytest.mark.parametrize(
    ("path", "do", "how"),
    [
        ("PatientName", Do.REPLACE, How.NAME_REMOVED),
        ("PatientID", Do.REPLACE, How.PATIENT_ID),
        ("RequestAttributesSequence.PatientID", Do.REPLACE, How.OTHER_ID),
        ("PatientBirthDate", Do.EMPTY, How.NONE),
        ("PatientSex", Do.EMPTY, How.NONE),
        ("PatientAge", Do.REPLACE, How.AGE_CAP),
        ("PatientAddress", Do.REMOVE, How.NONE),
        ("PatientTelephoneNumbers", Do.REMOVE, How.NONE),
        ("OtherPatientIDs", Do.REMOVE, How.NONE),
        ("InstitutionName", Do.REMOVE, How.NONE),
        ("ReferringPhysicianName", Do.EMPTY, How.NONE),
        ("PerformingPhysicianName", Do.REMOVE, How.NONE),
        ("StationName", Do.REMOVE, How.NONE),
        ("StudyDate", Do.REPLACE, How.DATE_YEAR),
        ("StudyTime", Do.REPLACE, How.TIME_EMPTY),
        ("AcquisitionDateTime", Do.REPLACE, How.DATETIME_YEAR),
        ("TimezoneOffsetFromUTC", Do.REMOVE, How.NONE),
        ("StudyDescription", Do.REPLACE, How.DESCRIPTOR),
        ("AdmittingDiagnosesCodeSequence", Do.RECURSE, How.NONE),
        ("AdmittingDiagnosesCodeSequence.CodeMeaning", Do.REPLACE, How.DESCRIPTOR),
        ("AdmittingDiagnosesCodeSequence.CodeValue", Do.KEEP, How.SCAN),
        ("StudyInstanceUID", Do.REPLACE, How.UID),
        ("SOPClassUID", Do.KEEP, How.SCAN_UID),
        ("ReferencedImageSequence", Do.REMOVE, How.NONE),
        ("Manufacturer", Do.KEEP, How.SCAN),
        ("BodyPartExamined", Do.KEEP, How.SCAN_CODE),
        ("KVP", Do.KEEP, How.SCAN_NUMBER),
        ("Rows", Do.KEEP, How.NONE),
        ("PixelData", Do.KEEP, How.NONE),
        ("IconImageSequence", Do.REMOVE, How.NONE),
        ("RetrieveURL", Do.REMOVE, How.NONE),
        ("URNCodeValue", Do.KEEP, How.SCAN),
        ("SpecificCharacterSet", Do.KEEP, How.SCAN_CHARSET),
        ("ProcedureCodeSequence.CodingSchemeUID", Do.KEEP, How.SCAN_SCHEME),
        ("SegmentLabel", Do.REPLACE, How.DESCRIPTOR),
        ("TextValue", Do.REPLACE, How.DESCRIPTOR),
        ("SequenceName", Do.KEEP, How.SCAN),
        ("ConvolutionKernel", Do.KEEP, How.SCAN),
        ("SoftwareVersions", Do.KEEP, How.SCAN),
        ("DigitalSignaturesSequence", Do.REMOVE, How.NONE),
        ("DataSetTrailingPadding", Do.REMOVE, How.NONE),
        ("ProcedureCodeSequence", Do.RECURSE, How.NONE),
        ("ReferencedSOPInstanceUID", Do.REPLACE, How.UID),
        ("MultiFrameSourceSOPInstanceUID", Do.REPLACE, How.UID),
        ("EvaluatorName", Do.REMOVE, How.NONE),
        ("DateOfGainCalibration", Do.REPLACE, How.DATE_YEAR),
    ],
)
def test_the_default_profile_decides_as_the_guide_says(path: str, do: Do, how: How) -> None:
    vr = "OB" if path == "PixelData" else ""
    rule = decide(path, vr=vr)
    assert (rule.do, rule.how) == (do, how)


@pytest.mark.parametrize(
    ("path", "do", "how"),
    [
        ("StudyDate", Do.REPLACE, How.DATE_SHIFT),
        ("StudyTime", Do.REPLACE, How.TIME_KEEP),
        ("AcquisitionDateTime", Do.REPLACE, How.DATETIME_SHIFT),
        ("TimezoneOffsetFromUTC", Do.REPLACE, How.OFFSET_KEEP),
        ("CertifiedTimestamp", Do.REMOVE, How.NONE),
        ("PatientName", Do.REPLACE, How.PATIENT_ID),
        ("PatientSex", Do.KEEP, How.SCAN_CODE),
        ("PatientWeight", Do.KEEP, How.SCAN_NUMBER),
        ("Allergies", Do.REPLACE, How.DESCRIPTOR),
        ("ReferencedImageSequence", Do.RECURSE, How.NONE),
    ],
)
def test_the_research_profile_shifts_and_keeps(path: str, do: Do, how: How) -> None:
    rule = decide(path, "research")
    assert (rule.do, rule.how) == (do, how)


@pytest.mark.parametrize(
    ("path", "do"),
    [
        ("StudyDate", Do.EMPTY),
        ("SeriesDate", Do.REMOVE),
        ("StudyDescription", Do.REMOVE),
        ("PatientAge", Do.REMOVE),
        ("PatientSex", Do.EMPTY),
    ],
)
def test_the_basic_profile_is_the_first_column(path: str, do: Do) -> None:
    assert decide(path, "basic").do is do


def test_full_dates_are_kept_and_read_for_identifiers() -> None:
    rule = decide("StudyDate", "limited-data-set")
    assert (rule.do, rule.how) == (Do.KEEP, How.SCAN)
    assert decide("PatientAge", "limited-data-set").do is Do.KEEP


@pytest.mark.parametrize(
    ("keyword", "sop_class", "letter"),
    [
        ("InstitutionName", CT, "X"),  # X/Z/D, type 3
        (
            "ContentDate",
            "1.2.840.10008.5.1.4.1.1.481.1",
            "D",
        ),  # Z/D, of no module: type 3 takes Z or D by need
        ("AcquisitionContextSequence", "1.2.840.10008.5.1.4.1.1.1.1", "Z"),  # X/Z, type 2
        ("PatientID", CT, "D"),
        ("DetectorID", PRIVATE_CLASS, "D"),  # X/D, type not known
        ("ReferencedImageSequence", PRIVATE_CLASS, "U"),  # X/Z/U*, type not known
    ],
)
def test_conditional_actions_follow_the_type_in_the_iod(keyword: str, sop_class: str, letter: str) -> None:
    basic = Policy(Profile(name="plain"))
    rule = decide(keyword, basic, sop_class=sop_class)
    if keyword == "ContentDate":
        assert rule.action in {"Z", "D"}
    else:
        assert rule.action == letter


def test_a_removal_never_takes_a_type_1_or_2_attribute_away() -> None:
    basic = Policy(Profile(name="plain", overrides={"Modality": "X", "SeriesNumber": "X", "Laterality": "X"}))
    assert decide("Modality", basic).do is Do.REPLACE
    assert decide("SeriesNumber", basic).do is Do.EMPTY
    assert (
        decide(
            "ContentLabel", Policy(Profile(name="plain", overrides={"ContentLabel": "D"})), sop_class=SEG
        ).do
        is Do.REPLACE
    )
    assert (
        decide(
            "SharedFunctionalGroupsSequence",
            Policy(Profile(name="plain", overrides={"SharedFunctionalGroupsSequence": "Z"})),
            sop_class=SEG,
        ).do
        is Do.RECURSE
    )


def test_inside_a_dummy_sequence_texts_are_dummies_and_bytes_go() -> None:
    chosen = Policy(Profile(name="plain", overrides={"ProcedureCodeSequence": "D"}))
    assert decide("ProcedureCodeSequence.CodeMeaning", chosen).how is How.DUMMY
    assert decide("ProcedureCodeSequence.ICCProfile", chosen).do is Do.REMOVE
    assert decide("ProcedureCodeSequence.ContextIdentifier", chosen).how is How.SCAN_CODE


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00080000, "UL"),  # group length
        (0x00000002, "UI"),  # command group
        (0x00020010, "UI"),  # file meta inside a data set
        (0x00041130, "CS"),  # directory
        (0x00061234, "LO"),
        (0x00081FFE, "LO"),  # not in the dictionary
        (0xFFFAFFFA, "SQ"),
        (0x50000005, "US"),
        (0x60000010, "US"),
        (0x60003000, "OW"),
        (0x60024000, "LT"),
        (0x00091001, "LO"),
        (0x00090010, "LO"),
    ],
)
@pytest.mark.parametrize("name", ["hipaa-safe-harbor", "research", "basic", "limited-data-set"])
def test_what_has_no_business_in_a_released_object_goes(tag: int, vr: str, name: str) -> None:
    assert policy(name).decide((tag,), vr, CT).do is Do.REMOVE


def test_pixels_inside_a_sequence_go() -> None:
    assert decide("ProcedureCodeSequence.PixelData", vr="OW").do is Do.REMOVE


def test_retired_free_text_goes_and_retired_numbers_stay() -> None:
    assert decide("DocumentAuthorTrial").do is Do.REMOVE
    assert decide("StudyIDIssuer").do is Do.REMOVE
    assert decide("ImageDimensions").do is Do.KEEP
    assert decide("StudyPriorityID", vr="LO").do is Do.REMOVE


@pytest.mark.parametrize(
    ("keyword", "vr", "do"),
    [
        ("Manufacturer", "OB", Do.REMOVE),
        ("Manufacturer", "SQ", Do.REMOVE),
        ("Manufacturer", "US", Do.REMOVE),
        ("Manufacturer", "XX", Do.REMOVE),
        ("Manufacturer", "LT", Do.KEEP),
        ("Rows", "SS", Do.KEEP),
        ("Rows", "OB", Do.REMOVE),
        ("PixelData", "OB", Do.KEEP),
        ("ICCProfile", "OW", Do.KEEP),
        ("ProcedureCodeSequence", "LO", Do.REMOVE),
        ("PatientName", "OB", Do.EMPTY),
        ("PatientID", "OB", Do.EMPTY),
        ("PatientAge", "OB", Do.REMOVE),
        ("StudyInstanceUID", "OB", Do.REMOVE),
        ("StudyDescription", "OB", Do.EMPTY),
    ],
)
def test_a_value_in_a_vr_that_cannot_be_read_never_stays(keyword: str, vr: str, do: Do) -> None:
    assert decide(keyword, vr=vr).do is do


def test_a_listed_attribute_that_is_retained_goes_if_its_vr_hides_it() -> None:
    assert decide("PatientSex", "research", vr="OB").do is Do.REMOVE


def test_a_known_tag_stored_as_un_is_decided_by_its_own_vr() -> None:
    assert decide("PatientName", vr="UN").how is How.NAME_REMOVED
    assert decide("StudyDate", vr="UN").how is How.DATE_YEAR
    assert vr_of(0x00081FFE, "UN") == "UN"
    assert vr_of(0x00280106, "UN") == "US"


@pytest.mark.parametrize(
    ("tag", "vr", "creator", "do"),
    [
        (0x00190010, "LO", "SIEMENS MR HEADER", Do.KEEP),
        (0x0019100C, "IS", "SIEMENS MR HEADER", Do.KEEP),
        (0x0019100C, "UN", "SIEMENS MR HEADER", Do.REMOVE),
        (0x0019100E, "UN", "SIEMENS MR HEADER", Do.KEEP),
        (0x0019100E, "FL", "SIEMENS MR HEADER", Do.REMOVE),
        (0x0019100C, "OB", "SIEMENS MR HEADER", Do.REMOVE),
        (0x0019100C, "IS", "OTHER", Do.REMOVE),
        (0x00190010, "LO", "Rossi^Giulia", Do.REMOVE),
        (0x001910FF, "IS", "SIEMENS MR HEADER", Do.REMOVE),
        (0x00010010, "LO", "SIEMENS MR HEADER", Do.REMOVE),
        (0xFFFF1001, "LO", "SIEMENS MR HEADER", Do.REMOVE),
    ],
)
def test_only_listed_private_attributes_stay_under_retain_safe_private(
    tag: int, vr: str, creator: str, do: Do
) -> None:
    assert policy("research").decide((tag,), vr, CT, creator).do is do


def test_markers_of_an_earlier_run_are_replaced_and_not_reported() -> None:
    assert decide("DeidentificationMethod").action == "M"


def test_preserved_attributes_are_kept_as_they_are_and_recorded() -> None:
    chosen = Policy(
        Profile(name="plain").preserving(
            ["PatientSex", "InstitutionCodeSequence", (0x0009, 0x1001)], force=True
        )
    )
    assert decide("PatientSex", chosen) == Rule(Do.KEEP, How.NONE, "P")
    assert decide("InstitutionCodeSequence", chosen).do is Do.RECURSE
    assert chosen.decide((0x00091001,), "LO", CT, "ANY").action == "P"
    assert "kept on request" in chosen.markers[1].values[0]


def test_ages_can_be_kept_or_removed() -> None:
    assert decide("SelectorASValue", "basic").do is Do.REPLACE
    assert decide("PatientAge", Policy(Profile(name="plain", ages="keep"))).do is Do.KEEP


@pytest.mark.parametrize(
    ("ages", "do"), [("aggregate", Do.REPLACE), ("keep", Do.KEEP), ("remove", Do.REMOVE)]
)
def test_an_age_that_no_row_names_follows_the_profile(ages: str, do: Do) -> None:
    chosen = Policy(Profile.model_validate({"name": "plain", "ages": ages, "retain_safe_private": True}))
    assert resolution.kept("AS", "3", chosen.profile, retired=False, inside="").do is do


def test_retained_uids_stay() -> None:
    chosen = Policy(Profile(name="plain", retain_uids=True))
    assert decide("StudyInstanceUID", chosen).do is Do.KEEP
    assert decide("MultiFrameSourceSOPInstanceUID", chosen).do is Do.KEEP


def test_a_clean_action_on_addresses_and_codes_leaves_no_text_of_theirs() -> None:
    device = Policy(Profile(name="plain", retain_device_identity=True))
    assert decide("StationAETitle", device).do is Do.EMPTY
    assert decide("DestinationAE", device, sop_class=PRIVATE_CLASS).how is How.DUMMY
    cleaned = Policy(Profile(name="plain", overrides={"BodyPartExamined": "C"}))
    assert decide("BodyPartExamined", cleaned).how is How.SCAN_CODE


@pytest.mark.parametrize("name", ["hipaa-safe-harbor", "research", "basic", "limited-data-set"])
def test_no_row_of_the_table_is_kept_unread_by_any_profile(name: str) -> None:
    chosen = policy(name)
    for tag in load().rows:
        vr = vr_of(tag, "")
        rule = chosen.decide((tag,), vr, CT)
        if rule.do is Do.KEEP and is_textual(vr) and vr != "UI":
            assert rule.how is not How.NONE, f"{tag:08X}"


def test_the_memory_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "_MEMO", 2)
    chosen = policy()
    for tag in (0x00100010, 0x00100020, 0x00100030):
        chosen.decide((tag,), "LO", CT)
    assert chosen.decide((0x00100010,), "PN", CT).how is How.NAME_REMOVED


def test_the_hash_tells_profiles_apart_and_stays_the_same() -> None:
    assert policy().hash == policy().hash
    assert policy().hash != policy("research").hash


def test_a_vr_stands_in_only_for_its_kind() -> None:
    assert vr_is_sound("OW", ("OB", "OW"))
    assert not vr_is_sound("UN", ("LO",))
    assert not vr_is_sound("US", ("LO",))


@pytest.mark.parametrize("keyword", ["StudyDescription", "ImageComments", "ProtocolName", "SegmentLabel"])
def test_a_text_written_as_a_code_is_cleaned_like_the_text_that_it_is(keyword: str) -> None:
    assert decide(keyword, vr="CS").how is How.DESCRIPTOR


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100033, "LO"),
        (0x00100035, "CS"),
        (0x7F220010, "OW"),
        (0x7FE00030, "OW"),
        (0x00080202, "OB"),
        (0x00280020, "OB"),
        (0x0040A074, "OB"),
        (0x10000001, "US"),
        (0x10102222, "US"),
        (0x00203100, "CS"),
        (0x00203402, "CS"),
        (0x00201070, "IS"),
        (0x00080001, "UL"),
        (0x54001010, "OW"),
        (0x00686300, "OB"),
        (0x04000520, "OB"),
        (0x04000120, "OB"),
        (0x0008041B, "OB"),
        (0x4010101A, "SH"),
        (0x00102295, "LO"),
        (0x00720069, "OW"),
        (0x54000110, "OB"),
    ],
)
@pytest.mark.parametrize("path", [(), (0x00189346,)])
def test_relics_and_opaque_originals_go_at_any_depth(tag: int, vr: str, path: tuple[int, ...]) -> None:
    for name in ("basic", "research"):
        chosen = load_profile(name).preserving((tag,), force=True)
        assert Policy(chosen).decide((*path, tag), vr, CT) == REMOVE


def test_grays_and_colours_of_old_images_stay() -> None:
    assert decide("LargeRedPaletteColorLookupTableData").do is Do.KEEP
    assert decide("GrayLookupTableData", vr="OW").do is Do.KEEP


def test_ages_anywhere_follow_the_profile_of_ages() -> None:
    assert decide("SelectorASValue", "research").how is How.AGE_CAP
    assert decide("SelectorASValue", "limited-data-set").do is Do.KEEP
