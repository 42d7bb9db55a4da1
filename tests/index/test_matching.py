"""Matching on the DICOM JSON Model (PS3.4 C.2.2.2)."""

from __future__ import annotations

import pytest

from scanward.index.matching import matches
from scanward.index.parsing import read
from scanward.ports.search import Level

pytestmark = pytest.mark.unit

MODEL = {
    "00080020": {"vr": "DA", "Value": ["20200517"]},
    "00080030": {"vr": "TM", "Value": ["101112.5"]},
    "00080050": {"vr": "SH"},
    "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
    "00081030": {"vr": "LO", "Value": ["Thorax (nativ) 1.5 mm"]},
    "00100010": {
        "vr": "PN",
        "Value": [{"Alphabetic": "Çelik^Ayşe Nur", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}],
    },
    "00100020": {"vr": "LO", "Value": ["MRN-4711"]},
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    "00200011": {"vr": "IS", "Value": [7]},
    "00400275": {
        "vr": "SQ",
        "Value": [
            {"00400009": {"vr": "SH", "Value": ["S1"]}}, {}, {"00400009": {"vr": "SH", "Value": ["S2"]}},
        ],
    },
}  # fmt: skip


def found(name: str, value: str, **flags: str) -> bool:
    query, _ = read(Level.INSTANCE, [(name, value), *flags.items()])
    assert query.conditions
    return matches(MODEL, query.conditions)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PatientID", "MRN-4711"),
        ("PatientID", "MRN*"),
        ("PatientID", "*4711"),
        ("PatientID", "MRN?4711"),
        ("StudyDescription", "Thorax (nativ)*"),
        ("PatientName", "Çelik^Ayşe Nur"),
        ("PatientName", "celik^ayse nur"),
        ("PatientName", "CELIK*"),
        ("PatientName", "山田^太郎"),
        ("PatientName", "*太郎"),
        ("PatientName", "やまだ*"),
        ("StudyDate", "20200517"),
        ("StudyDate", "20200501-20200531"),
        ("StudyDate", "20200517-"),
        ("StudyDate", "-20200517"),
        ("StudyTime", "10-11"),
        ("StudyTime", "1011-1012"),
        ("StudyTime", "-10"),
        ("StudyTime", "10"),
        ("ModalitiesInStudy", "SR"),
        ("ModalitiesInStudy", "MR\\CT"),
        ("StudyInstanceUID", "1.2.4,1.2.3"),
        ("SeriesNumber", "07"),
        ("RequestAttributesSequence.ScheduledProcedureStepID", "S2"),
    ],
)
def test_what_matches(name: str, value: str) -> None:
    assert found(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PatientID", "mrn-4711"),
        ("PatientID", "MRN"),
        ("PatientID", "MRN-471?1"),
        ("StudyDescription", "Thorax .nativ.*"),
        ("PatientName", "Ayşe*"),
        ("StudyDate", "20200518-"),
        ("StudyDate", "-20200516"),
        ("StudyDate", "20190517"),
        ("StudyTime", "11-12"),
        ("ModalitiesInStudy", "MR"),
        ("StudyInstanceUID", "1.2"),
        ("SeriesNumber", "70"),
        ("AccessionNumber", "x"),
        ("InstitutionName", "*x"),
        ("RequestAttributesSequence.ScheduledProcedureStepID", "S3"),
    ],
)
def test_what_does_not_match(name: str, value: str) -> None:
    assert not found(name, value)


@pytest.mark.parametrize("value", ["ayse", "nur celik", "CEL AYS", "太郎"])
def test_fuzzy_matching_takes_beginnings_of_words_in_any_order(value: str) -> None:
    assert found("PatientName", value, fuzzymatching="true")


@pytest.mark.parametrize("value", ["ayse rossi", "elik"])
def test_fuzzy_matching_asks_for_every_word(value: str) -> None:
    assert not found("PatientName", value, fuzzymatching="true")


def test_empty_and_missing_values_match_on_demand() -> None:
    assert found("AccessionNumber", '""', emptyvaluematching="true")
    assert found("InstitutionName", '""', emptyvaluematching="true")
    assert not found("PatientID", '""', emptyvaluematching="true")


@pytest.mark.parametrize(("value", "both"), [("CT\\SR", True), ("CT\\MR", False)])
def test_each_of_several_values_must_be_there_on_demand(value: str, *, both: bool) -> None:
    assert found("ModalitiesInStudy", value, multiplevaluematching="true") is both
    assert found("ModalitiesInStudy", value)


@pytest.mark.parametrize(("procedure", "together"), [("P2", True), ("P1", False)])
def test_keys_of_a_sequence_match_in_one_item(procedure: str, *, together: bool) -> None:
    steps = [("S1", "P1"), ("S2", "P2")]
    items = [{"00400009": {"Value": [step]}, "00401001": {"Value": [of]}} for step, of in steps]
    query, _ = read(Level.SERIES, [("00400275.00400009", "S2"), ("00400275.00401001", procedure)])
    assert matches({"00400275": {"vr": "SQ", "Value": items}}, query.conditions) is together
    assert not matches({}, query.conditions)
