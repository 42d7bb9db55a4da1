"""Identifiers of an object are looked for in its kept texts, by both engines alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanward.deidentify import subjects
from scanward.deidentify.profile import load
from scanward.errors import Quarantined
from tests.deidentify.objects import KEYS

if TYPE_CHECKING:
    from scanward.deidentify.identifiers import Identifiers

pytestmark = pytest.mark.unit

VALUES: dict[int, tuple[str, ...]] = {
    0x00100020: ("MRN-4711",),
    0x00101040: ("Hauptstr. 5, 10115 Berlin",),
    0x00080080: ("Klinik Nordwest",),
    0x00181000: ("SN8833221",),
    0x00080020: ("20170823",),
    0x00200010: ("STUDY77",),
    0x0020000E: ("1.2.3.4.5",),
    0x00081070: ("Helfer^Ina",),
}


def _found(name: str, values: dict[int, tuple[str, ...]] | None = None) -> Identifiers:
    return subjects.subject_of(values or VALUES, KEYS, load(name)).identifiers


@pytest.mark.parametrize(
    "text",
    [
        "Hauptstr",
        "10115 B",
        "KLINIK-NORDWEST",
        "SN8833221",
        "2017-08-23",
        "study77",
        "1_2_3_4_5",
        "InaHelfer",
    ],
)
def test_places_numbers_days_uids_and_staff_of_an_object_are_identifiers(text: str) -> None:
    assert _found("research").found_in(text)


def test_what_the_profile_keeps_is_no_identifier() -> None:
    kept = load("research").model_copy(
        update={"retain_institution_identity": True, "retain_device_identity": True, "dates": "keep"}
    )
    found = subjects.subject_of(VALUES, KEYS, kept).identifiers
    assert not any(found.found_in(text) for text in ("Klinik Nordwest", "SN8833221", "2017-08-23"))
    assert not _found("limited-data-set").found_in("20170823")


def test_a_makers_name_in_place_of_an_institutions_is_none() -> None:
    assert not _found("research", {0x00080080: ("TOSHIBA",)}).found_in("TOSHIBA_MEC")


def test_a_small_number_of_a_study_is_none() -> None:
    assert not _found("research", {0x00200010: ("7",)}).found_in("7 slices")


def test_an_object_of_too_many_names_is_quarantined() -> None:
    many = tuple(f"nam{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300))
    with pytest.raises(Quarantined) as caught:
        _found("research", {0x00101001: many})
    assert [fault.rule for fault in caught.value.faults] == ["identifiers-excessive"]
