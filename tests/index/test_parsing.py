"""Search parameters as clients send them (PS3.18 8.3.4, 10.6.1.2)."""

from __future__ import annotations

import pytest

from scanward.errors import BadInput
from scanward.index.parsing import MOST, read
from scanward.ports.search import Condition, Level, Matching

pytestmark = pytest.mark.unit

NAME, ID, DATE, TIME = 0x00100010, 0x00100020, 0x00080020, 0x00080030


def condition(name: str, value: str, level: Level = Level.STUDY, **flags: str) -> Condition:
    query, _ = read(level, [(name, value), *flags.items()])
    (one,) = query.conditions
    return one


@pytest.mark.parametrize("name", ["PatientID", "00100020"])
def test_an_attribute_is_named_by_keyword_or_by_tag(name: str) -> None:
    assert condition(name, "4711") == Condition((ID,), "LO", Matching.SINGLE, ("4711",))


@pytest.mark.parametrize(
    "name",
    [
        "RequestAttributesSequence.ScheduledProcedureStepID",
        "00400275.00400009",
        "RequestAttributesSequence.00400009",
    ],
)
def test_an_attribute_in_a_sequence_is_named_by_its_path(name: str) -> None:
    assert condition(name, "S1", Level.SERIES).path == (0x00400275, 0x00400009)


@pytest.mark.parametrize(
    ("name", "value", "matching", "values"),
    [
        ("PatientName", "Rossi*", Matching.WILDCARD, ("Rossi*",)),
        ("PatientID", "A?C", Matching.WILDCARD, ("A?C",)),
        ("StudyDate", "20200101-20200131", Matching.RANGE, ("20200101", "20200131")),
        ("StudyDate", "20200101-", Matching.RANGE, ("20200101", "")),
        ("StudyDate", "-20200131", Matching.RANGE, ("", "20200131")),
        ("StudyDate", "20200131", Matching.SINGLE, ("20200131",)),
        ("StudyTime", "08-0930", Matching.RANGE, ("08", "0930")),
        ("StudyInstanceUID", "1.2,1.3", Matching.LIST, ("1.2", "1.3")),
        ("StudyInstanceUID", "1.2\\1.3", Matching.LIST, ("1.2", "1.3")),
        ("ModalitiesInStudy", "CT\\MR", Matching.LIST, ("CT", "MR")),
        ("StudyID", "a-b", Matching.SINGLE, ("a-b",)),
    ],
)
def test_how_a_value_is_compared_follows_from_its_vr_and_form(
    name: str, value: str, matching: Matching, values: tuple[str, ...]
) -> None:
    one = condition(name, value)
    assert (one.matching, one.values) == (matching, values)


def test_a_date_time_range_is_told_from_an_offset() -> None:
    name = "SOPInstanceUID", "AcquisitionDateTime"
    single = condition(name[1], "20200101120000-0500", Level.INSTANCE)
    assert (single.matching, single.values) == (Matching.SINGLE, ("20200101120000-0500",))
    ranged = condition(name[1], "20200101120000-0500-20200102+0100", Level.INSTANCE)
    assert (ranged.matching, ranged.values) == (Matching.RANGE, ("20200101120000-0500", "20200102+0100"))


@pytest.mark.parametrize("value", ["", "*"])
def test_an_empty_value_only_asks_to_be_told(value: str) -> None:
    query, _ = read(Level.STUDY, [("InstitutionName", value)])
    assert not query.conditions
    assert 0x00080080 in query.include


def test_an_empty_value_is_matched_on_demand() -> None:
    assert condition("AccessionNumber", '""', emptyvaluematching="true").matching is Matching.EMPTY
    assert condition("AccessionNumber", '""').matching is Matching.SINGLE


def test_several_values_are_matched_on_demand() -> None:
    one = condition("PatientID", "A\\B", multiplevaluematching="true")
    assert (one.matching, one.values) == (Matching.EACH, ("A", "B"))


def test_fuzzy_matching_is_for_names() -> None:
    assert condition("PatientName", "ros giu", fuzzymatching="true").matching is Matching.FUZZY
    assert condition("PatientID", "ros", fuzzymatching="true").matching is Matching.SINGLE


def test_include_fields_come_as_a_list_repeated_or_all() -> None:
    query, _ = read(
        Level.STUDY,
        [("includefield", "00081030,InstitutionName"), ("includefield", "RequestAttributesSequence")],
    )
    assert query.include == {0x00081030, 0x00080080, 0x00400275}
    assert not query.everything
    assert read(Level.STUDY, [("includefield", "all")])[0].everything


def test_the_modality_of_a_study_is_that_of_its_series() -> None:
    assert condition("Modality", "CT").path == (0x00080061,)


def test_an_attribute_below_the_level_is_told_with_a_warning() -> None:
    query, warnings = read(Level.STUDY, [("SeriesNumber", "3")])
    assert not query.conditions
    assert 0x00200011 in query.include
    assert len(warnings) == 1


def test_the_number_of_results_is_bounded_and_a_higher_wish_is_warned_of() -> None:
    query, warnings = read(Level.STUDY, [("limit", "5000"), ("offset", "20")])
    assert (query.limit, query.offset) == (MOST, 20)
    assert len(warnings) == 1
    assert read(Level.STUDY, [("limit", "0")])[0].limit == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoSuchKeyword", "x"),
        ("0010002", "x"),
        ("PatientName.StudyDate", "x"),
        ("StudyDate", "yesterday"),
        ("StudyDate", "20200101-soon"),
        ("StudyInstanceUID", "1.2.x"),
        ("NumberOfStudyRelatedInstances", "many"),
        ("includefield", "NoSuchKeyword"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("offset", "1.5"),
        ("fuzzymatching", "perhaps"),
        ("RequestAttributesSequence", "x"),
    ],
)
def test_what_cannot_be_read_is_named_without_the_value(name: str, value: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(Level.SERIES, [(name, value)])
    assert len(caught.value.faults) == 1
    assert "NoSuchKeyword" not in caught.value.message
    assert "yesterday" not in caught.value.message


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read(Level.STUDY, [("limit", "x"), ("offset", "y"), ("StudyDate", "z")])
    assert len(caught.value.faults) == 3


def test_a_path_of_no_end_is_refused() -> None:
    deep = ".".join(["RequestAttributesSequence"] * 900)
    with pytest.raises(BadInput, match="deeper"):
        read(Level.SERIES, [(f"{deep}.ScheduledProcedureStepID", "1")])
