from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID, ExplicitVRLittleEndian

from scanward.deidentify.identifiers import NONE, identifiers
from scanward.deidentify.keys import PLACEHOLDER, Keys, is_placeholder, with_identifiers
from tests.deidentify.objects import KEYS, SECRET

pytestmark = pytest.mark.unit

STUDY = "1.2.3"


def test_the_same_patient_gets_the_same_pseudonym_across_two_studies() -> None:
    first, second = KEYS.subject("MRN-1", "", STUDY), KEYS.subject(" MRN-1\0", "", "1.2.4")
    assert first.pseudonym == second.pseudonym
    assert first.shift_days == second.shift_days


def test_the_same_id_of_another_issuer_is_another_patient() -> None:
    assert KEYS.subject("1", "A", STUDY).pseudonym != KEYS.subject("1", "B", STUDY).pseudonym


def test_parts_cannot_be_moved_between_issuer_and_id() -> None:
    assert KEYS.subject("B1", "A", STUDY).pseudonym != KEYS.subject("1", "AB", STUDY).pseudonym


def test_another_domain_or_secret_gives_other_pseudonyms() -> None:
    others = {
        keys.subject("MRN-1", "", STUDY).pseudonym for keys in (KEYS, Keys(SECRET, "b"), Keys(bytes(32)))
    }
    assert len(others) == 3


def test_a_pseudonym_is_anon_and_hex_digits() -> None:
    assert re.fullmatch(r"ANON-[0-9a-f]{12}", KEYS.subject("MRN-1", "", STUDY).pseudonym)
    assert re.fullmatch(r"ANON-[0-9a-f]{20}", Keys(SECRET, digits=20).subject("MRN-1", "", STUDY).pseudonym)


@pytest.mark.parametrize("patient_id", ["", "0", "000", " ", "ANONYMOUS", "Unknown", "N/A", "no name", "---"])
def test_a_placeholder_stands_for_its_study_only(patient_id: str) -> None:
    first, second = KEYS.subject(patient_id, "", "1.2.3"), KEYS.subject(patient_id, "", "1.2.4")
    assert is_placeholder(patient_id)
    assert first.pseudonym != second.pseudonym
    assert first.warnings == (PLACEHOLDER,)


def test_a_real_id_warns_of_nothing() -> None:
    assert KEYS.subject("MRN-1", "", STUDY).warnings == ()
    assert not is_placeholder("12345")


def test_a_given_patient_id_is_everybodys() -> None:
    keys = Keys(SECRET, patient_id="TRIAL-7")
    assert keys.subject("MRN-1", "", STUDY).pseudonym == "TRIAL-7"
    assert keys.subject("MRN-1", "", STUDY).shift_days == KEYS.subject("MRN-1", "", STUDY).shift_days


@given(st.text(max_size=64))
def test_every_patient_is_shifted_by_1_to_3650_days(patient_id: str) -> None:
    assert 1 <= KEYS.subject(patient_id, "", STUDY).shift_days <= 3650


@given(st.from_regex(r"[0-2](\.(0|[1-9][0-9]{0,8})){3,6}", fullmatch=True))
def test_a_new_uid_is_valid_and_stays_the_same(uid: str) -> None:
    new = KEYS.uid(uid)
    assert new == KEYS.uid(uid + "\0")
    assert new.startswith("2.25.")
    assert UID(new).is_valid


@pytest.mark.parametrize("uid", ["", ExplicitVRLittleEndian, "1.2.840.10008.1.4.1.1"])
def test_standard_uids_are_never_mapped(uid: str) -> None:
    assert KEYS.uid(uid) == uid


def test_a_root_of_terminologies_is_no_excuse_for_a_patients_uid() -> None:
    assert KEYS.uid("2.16.840.1.113883.6.778899").startswith("2.25.")


def test_an_invented_uid_under_the_standards_root_is_mapped() -> None:
    assert KEYS.uid("1.2.840.10008.19310203").startswith("2.25.")


def test_other_texts_and_ids_get_keyed_digits() -> None:
    assert KEYS.text("segment", "Rossi") == KEYS.text("segment", "Rossi ")
    assert KEYS.text("segment", "Rossi") != KEYS.text("other", "Rossi")
    assert KEYS.pseudonym("MRN-1") == KEYS.subject("MRN-1", "", STUDY).pseudonym


def test_a_subject_can_be_given_other_identifiers() -> None:
    subject = KEYS.subject("MRN-1", "", STUDY)
    assert subject.identifiers is NONE
    assert with_identifiers(subject, identifiers(ids=("MRN-1",))).identifiers.found_in("see MRN-1")
