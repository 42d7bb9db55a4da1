from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.deidentify import text
from scanward.deidentify.identifiers import NONE, Identifiers, identifiers
from scanward.deidentify.uids import is_class, is_scheme, is_standard
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
        ("MRN-47112", ""),
        ("Grossi", ""),
        ("born 1931-02-03", "born"),
        ("born 3.2.1931 or 03-Feb-1931", "born or"),
        ("山田太郎様", "様"),
        ("X9", ""),
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
    assert is_scheme("2.16.840.1.113883.6.96")
    assert not is_standard("2.16.840.1.113883.6.96")
    assert not is_class("1.2.840.10008.5 Doe")
    assert not is_standard("1.2.840.113619.2")


@pytest.mark.parametrize(
    "value",
    [
        "1.2." + "1." * 40 + "1",
        "see CT.1.2.840.113619.2.55.3.1",
        "1.2.840.113619.2.55.3.1..",
        "..1.3.6.1.4.1.9",
    ],
)
def test_a_uid_is_replaced_whatever_stands_around_it(value: str) -> None:
    assert "113619.2" not in text.scan(value, NONE, KEYS.uid)
    assert text.scan(value, NONE, KEYS.uid) != value


def test_time_is_linear_in_a_hostile_text() -> None:
    started = time.monotonic()
    for value in ("1" + ".1" * 30000 + "..1", "1" * 60000 + "x", "1.1" * 20000):
        text.scan(value, ROSSI, KEYS.uid)
        text.descriptor(value, ROSSI)
        text.scan_number(value, ROSSI)
    text.scan_number(" " * 200000 + "x", ROSSI)
    assert time.monotonic() - started < 2


def test_more_identifiers_than_a_patient_has_are_excessive() -> None:
    assert identifiers(
        names=("^".join(f"nam{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300)),)
    ).is_excessive
    assert identifiers(ids=("x" * 300,)).is_excessive
    assert not ROSSI.is_excessive


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Mustermann^Erika", "ERIKAMUSTERMANN"),
        ("Mustermann^Erika", "Mustermann2"),
        ("Mustermann^Erika", "Mustermanns"),
        ("Mustermann^Erika", "M u s t e r m a n n"),
        ("Mustermann^Erika", "Muster-mann"),
        ("O'Brien^Pat", "OBRIEN"),
        ("Li^Wu", "LI WEI"),
        ("Ng^Ada", "Ng"),
        ("Müller^Jörg", "MUELLER"),
        ("Müller^Jörg", "Muller"),
        ("Mueller^J", "Müller"),
        ("Müller^Jörg", "Mu\u0308ller"),
        ("Straßer^Jo", "STRASSER"),
        ("Hayashi^X=林^三", "林"),
    ],
)
def test_a_name_is_found_in_disguise(name: str, value: str) -> None:
    found = identifiers(names=(name,))
    assert value.split(maxsplit=1)[0] not in text.scan(value, found, KEYS.uid)
    assert found.suspicious(value.encode())


@pytest.mark.parametrize("value", ["HU", "10 ng", "li", "MR", "Wu-Modell"])
def test_a_name_of_two_letters_is_found_as_a_name_only(value: str) -> None:
    assert text.scan(value, identifiers(names=("Hu^Li^Ng", "Mr")), KEYS.uid) == value


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("MRN778899", "mrn 778 899"),
        ("MRN778899", "778899"),
        ("MRN778899", "XMRN778899A"),
        ("778899", "0778899"),
        ("000778899", "778899"),
        ("123-45-6789", "123456789"),
        ("42", "No 42"),
        ("030-1234567", "0301234567"),
        ("1.2.3.4.5", "1_2_3_4_5"),
        ("Charite Berlin", "CHARITE-BERLIN"),
    ],
)
def test_an_id_is_found_in_disguise(number: str, value: str) -> None:
    found = identifiers(ids=(number,))
    assert text.scan(value, found, KEYS.uid) in {"", "No"}
    assert found.suspicious(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "17.04.33", "1933-04-17", "4/17/1933", "17041933", "April 17, 1933", "17APR1933", "DOB19330417X",
        "17. April 1933", "1933 Apr 17", "Apr 17th, 1933", "2.17.4.1933",
    ],
)  # fmt: skip
def test_a_date_is_found_in_any_spelling(value: str) -> None:
    found = identifiers(dates=("19330417",))
    assert text.scan(value, found, KEYS.uid) in {"", "2."}
    assert found.suspicious(value.encode())


@pytest.mark.parametrize("value", ["19330417", "+19330417.0", "17041933", "0778899", "-7.78899E5", "1" * 33])
def test_a_number_is_compared_as_a_number(value: str) -> None:
    found = identifiers(ids=("MRN778899",), dates=("19330417",))
    assert text.scan_number(value, found) == ""
    assert text.is_odd_number(value.encode()) or found.suspicious_number(value.encode())


@given(st.text(alphabet="RosiGulam 193-02.MN471^E+", max_size=24))
def test_numbers_that_are_not_suspicious_stay(value: str) -> None:
    if not text.is_odd_number(value.encode()) and not ROSSI.suspicious_number(value.encode()):
        assert text.scan_number(value, ROSSI) in {value, ""}


def test_a_short_surname_inside_a_coded_word_is_not_found() -> None:
    assert text.scan_code("CONTINUOUS", identifiers(names=("Conti^A",))) == "CONTINUOUS"
    assert text.scan_code("ROSSI_1", ROSSI) == ""


@pytest.mark.parametrize(("value", "kept"), [("ISO_IR 100", True), ("", True), ("DOE", False)])
def test_a_character_set_is_a_known_term(value: str, *, kept: bool) -> None:
    assert text.scan_charset(value) == (value if kept else "")
    assert text.is_odd_charset(value.encode()) is not kept
