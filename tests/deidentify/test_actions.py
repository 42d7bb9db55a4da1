from __future__ import annotations

import warnings

import pytest
from pydicom.config import RAISE
from pydicom.valuerep import VR, validate_value

from scanward.deidentify import actions
from scanward.deidentify.identifiers import identifiers
from scanward.deidentify.rule import Do, How, Rule
from tests.deidentify.objects import KEYS

pytestmark = pytest.mark.unit

SUBJECT = KEYS.subject("MRN-4711", "", "1.2.3", identifiers(("MRN-4711",), ("Rossi^Giulia",)))


def replaced(how: How, vr: str, *values: str, required: bool = False) -> tuple[str, ...]:
    return actions.replace(Rule(Do.REPLACE, how, "D", required), vr, values, SUBJECT, KEYS)


@pytest.mark.parametrize(
    "vr", ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"]
)
def test_every_text_dummy_is_valid_for_its_vr(vr: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validate_value(vr, actions.dummy(vr), RAISE)
    assert actions.dummy(vr)


@pytest.mark.parametrize("vr", [vr for vr in VR if len(vr) == 2 and vr not in {"SQ", "UI"}])
def test_every_vr_has_one_kind_of_dummy(vr: str) -> None:
    if actions.is_textual(vr):
        assert actions.dummy(vr)
    else:
        assert not any(actions.binary_dummy(vr))
        assert len(actions.binary_dummy(vr)) % 2 == 0


def test_uids_have_a_dummy_of_their_own() -> None:
    assert replaced(How.DUMMY, "UI", "1.2.3") == (KEYS.uid("1.2.3"),)
    assert replaced(How.DUMMY, "UI")[0].startswith("2.25.")


def test_names_and_ids_are_replaced_even_where_there_was_none() -> None:
    assert replaced(How.NAME_REMOVED, "PN") == ("REMOVED",)
    assert replaced(How.PATIENT_ID, "LO") == (SUBJECT.pseudonym,)
    assert replaced(How.OTHER_ID, "LO") == (SUBJECT.pseudonym,)


def test_an_id_inside_is_the_patients_own_or_anothers() -> None:
    assert replaced(How.OTHER_ID, "LO", "MRN-4711", "OTHER-1") == (
        SUBJECT.pseudonym,
        KEYS.pseudonym("OTHER-1"),
    )


@pytest.mark.parametrize(
    ("how", "vr", "values", "new"),
    [
        (How.DATE_YEAR, "DA", ("20200517", "19990102"), ("20200101", "19990101")),
        (How.DATETIME_YEAR, "DT", ("20200517101112",), ("2020",)),
        (How.TIME_EMPTY, "TM", ("101112",), ()),
        (How.TIME_KEEP, "TM", ("101112", "Rossi"), ("101112", "")),
        (How.OFFSET_KEEP, "SH", ("+0100",), ("+0100",)),
        (How.AGE_CAP, "AS", ("094Y",), ("090Y",)),
        (How.DESCRIPTOR, "LO", ("CT Rossi",), ("CT",)),
        (How.UID, "UI", ("1.2.3", "1.2.840.10008.1.2.1"), (KEYS.uid("1.2.3"), "1.2.840.10008.1.2.1")),
        (How.SCAN, "LO", ("for Rossi", "x"), ("for", "x")),
        (How.SCAN_CODE, "CS", ("ROSSI",), ()),
        (How.SCAN_NUMBER, "DS", ("12", "Rossi"), ("12", "")),
        (How.DATE_SHIFT, "DA", ("",), ()),
        (How.DATETIME_SHIFT, "DT", ("bad",), ()),
    ],
)
def test_each_value_is_replaced_on_its_own(
    how: How, vr: str, values: tuple[str, ...], new: tuple[str, ...]
) -> None:
    assert replaced(how, vr, *values) == new


def test_shifted_values_move_by_the_subjects_days() -> None:
    assert replaced(How.DATE_SHIFT, "DA", "20200517") != ("20200517",)
    assert replaced(How.DATETIME_SHIFT, "DT", "20200517")[0] == replaced(How.DATE_SHIFT, "DA", "20200517")[0]


@pytest.mark.parametrize(
    ("how", "vr"),
    [(How.TIME_EMPTY, "TM"), (How.DESCRIPTOR, "LO"), (How.SCAN_CODE, "CS"), (How.DATE_YEAR, "DA")],
)
def test_a_required_value_never_comes_back_empty(how: How, vr: str) -> None:
    assert replaced(how, vr, "Rossi", required=True) == (actions.dummy(vr),)
    assert replaced(how, vr, "Rossi") == ()


def test_a_required_uid_that_was_empty_stays_empty() -> None:
    assert replaced(How.UID, "UI", "", required=True) == ()
