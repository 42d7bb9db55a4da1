from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.deidentify import text
from scanward.deidentify.identifiers import NONE, Identifiers, identifiers
from scanward.deidentify.uids import is_standard
from tests.deidentify.objects import KEYS

pytestmark = pytest.mark.unit

ROSSI = identifiers(
    ("MRN-4711", "X9"), ("Rossi^Giulia Maria^^Dr.", "山田^太郎", "Head^Ed"), ("19310203", "no date")
)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("CT Chest w/o contrast, Rossi, Room 12", "CT Chest w/o contrast"),
        ("t1_mprage_sag 1.0mm", "t1 mprage sag 1.0mm"),
        ("Axial 5.0mm 120kV 3D", "Axial 5.0mm 120kV 3D"),
        ("MRN 4711 19310203", ""),
        ("Non-contrast, not for Rossi", "Non contrast not"),
        ("Schädel nativ", "nativ"),
        ("HEAD", ""),
        ("", ""),
    ],
)
def test_a_descriptor_keeps_its_clinical_words(value: str, kept: str) -> None:
    assert text.descriptor(value, ROSSI) == kept


@given(st.text())
def test_a_descriptor_holds_nothing_but_listed_words_and_measures(value: str) -> None:
    for word in text.descriptor(value, NONE).split():
        assert text.is_clinical(word, NONE)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("ACME Scanner", "ACME Scanner"),
        ("for GIULIA rossi", "for"),
        ("id MRN-4711.", "id ."),
        ("MRN-47112", "MRN-47112"),
        ("Grossi", "Grossi"),
        ("born 1931-02-03", "born"),
        ("born 3.2.1931 or 03-Feb-1931", "born or"),
        ("山田太郎様", "様"),
        ("X9", "X9"),
        ("see 1.2.840.113619.2.55.3.1", f"see {KEYS.uid('1.2.840.113619.2.55.3.1')}"),
        ("class 1.2.840.10008.5.1.4.1.1.2", "class 1.2.840.10008.5.1.4.1.1.2"),
        ("v1.2.3", "v1.2.3"),
    ],
)
def test_a_kept_text_loses_identifiers_and_foreign_uids(value: str, kept: str) -> None:
    assert text.scan(value, ROSSI, KEYS.uid) == kept


@pytest.mark.parametrize(("value", "kept"), [("CHEST", "CHEST"), ("ROSSI", ""), ("HEAD", "HEAD")])
def test_a_code_is_kept_unless_it_is_a_name_and_no_clinical_word(value: str, kept: str) -> None:
    assert text.scan_code(value, ROSSI) == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("1.5", "1.5"),
        ("-3e4", "-3e4"),
        (" 12 ", " 12 "),
        ("", ""),
        ("Rossi", ""),
        ("12 34", ""),
        ("123456", ""),
    ],
)
def test_a_number_is_kept_if_it_is_one_and_not_the_patients(value: str, kept: str) -> None:
    assert text.scan_number(value, identifiers(ids=("123456",))) == kept


def test_letters_in_a_number_are_seen_without_decoding() -> None:
    assert text.is_odd_number(b"12 DOE")
    assert not text.is_odd_number(b"1.5\\-2E3 ")


@pytest.mark.parametrize(
    "raw",
    [b"rossi", b"by GIULIA", b"MRN-4711", b"03.02.1931", "é".encode(), b"\x1b$B", b"1.2.840.113619.2.55.3"],
)
def test_whatever_may_hold_an_identifier_is_suspicious(raw: bytes) -> None:
    assert ROSSI.suspicious(raw)


def test_numbers_are_suspicious_by_the_numbers_of_the_patient() -> None:
    numbered = identifiers(ids=("123456",))
    assert numbered.suspicious_number(b"12\\123456")
    assert not numbered.suspicious_number(b"12.5\\3")


@pytest.mark.parametrize("raw", [b"ACME", b"", b"1.5\\2.5", b"v1.2.3.4"])
def test_plain_values_are_not(raw: bytes) -> None:
    assert not ROSSI.suspicious(raw)


@given(st.text(alphabet="RosiGulam 193-02.MN471^", max_size=24))
def test_what_is_not_suspicious_is_not_changed_by_a_scan(value: str) -> None:
    if not ROSSI.suspicious(value.encode()):
        assert text.scan(value, ROSSI, KEYS.uid) == value


def test_equal_inputs_give_the_same_object() -> None:
    assert identifiers(("A-1",), (), ()) is identifiers(["A-1"])
    assert NONE.cut("anything") == "anything"
    assert isinstance(ROSSI, Identifiers)


def test_a_month_that_is_none_gets_no_spelling_with_its_name() -> None:
    odd = identifiers(dates=("19319999",))
    assert odd.found_in("19319999")
    assert not odd.found_in("Feb 1931")


def test_terminologies_and_the_standard_are_not_the_patients() -> None:
    assert is_standard("2.16.840.1.113883.6.96")
    assert not is_standard("1.2.840.113619.2")
