from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.deidentify import dates

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("20200517", "20200101"),
        ("2020.05.17", "20200101"),
        ("20200230", ""),
        ("2020", ""),
        ("2020.0517", ""),
        ("00000000", ""),
        ("Rossi", ""),
        ("", ""),
    ],
)
def test_of_a_date_only_the_year_stays(value: str, year: str) -> None:
    assert dates.year_of_date(value) == year


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("20200517101112.123456+0100", "2020"),
        ("2020", "2020"),
        ("202005", "2020"),
        ("20201317", ""),
        ("20200517 10:11", ""),
        ("MRN-4711", ""),
    ],
)
def test_of_a_datetime_only_the_year_stays(value: str, year: str) -> None:
    assert dates.year_of_datetime(value) == year


@given(st.dates(min_value=date(1000, 1, 1)), st.integers(1, 3650))
def test_a_shifted_date_lies_exactly_so_many_days_before(day: date, days: int) -> None:
    assert dates.shift_date(f"{day:%Y%m%d}", days) == f"{day - timedelta(days=days):%Y%m%d}".zfill(8)


@given(st.dates(min_value=date(1900, 1, 1)), st.dates(min_value=date(1900, 1, 1)), st.integers(1, 3650))
def test_shifting_keeps_the_days_between_two_dates(first: date, second: date, days: int) -> None:
    def moved(day: date) -> date:
        return date.fromisoformat(dates.shift_date(f"{day:%Y%m%d}", days))

    assert moved(first) - moved(second) == first - second


def test_ranges_are_shifted_at_both_ends() -> None:
    assert dates.shift_date("20200110-20200120", 9) == "20200101-20200111"
    assert dates.shift_date("20200110-", 9) == "20200101-"


def test_a_date_before_all_time_comes_back_empty() -> None:
    assert dates.shift_date("00010101", 1) == ""
    assert dates.shift_date("x", 1) == ""


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        ("20200110101112.5+0100", "20200101101112.5+0100"),
        ("20200110", "20200101"),
        ("202001", "202001"),
        ("2020", "2020"),
        ("2020011010", "2020010110"),
        ("20200132", ""),
        ("202001101", ""),
        ("00010101", ""),
    ],
)
def test_a_datetime_is_shifted_at_its_own_precision(value: str, moved: str) -> None:
    assert dates.shift_datetime(value, 9) == moved


@pytest.mark.parametrize(
    ("value", "same"), [("101112.123", True), ("10:11:12", True), ("25", False), ("x", False)]
)
def test_only_well_formed_times_stay(value: str, same: bool) -> None:  # noqa: FBT001 - a column of the table above
    assert dates.well_formed_time(value) == (value if same else "")


def test_only_well_formed_offsets_stay() -> None:
    assert dates.well_formed_offset("-0500") == "-0500"
    assert dates.well_formed_offset("Bern") == ""


@pytest.mark.parametrize(
    ("value", "capped"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("104M", "104M"), ("94", ""), ("Y094", "")],
)
def test_ages_over_89_are_one_class(value: str, capped: str) -> None:
    assert dates.cap_age(value) == capped
