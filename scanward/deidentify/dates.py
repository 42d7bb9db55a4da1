"""Dates, times and ages, one value at a time; what is not well-formed comes back empty (fail closed)."""

from __future__ import annotations

import re
from datetime import date, timedelta

OLDEST = 89

_DA = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})")
_TM = re.compile(r"(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?")
_DT = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?((?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?)?([+-]\d{4})?"
)
_AS = re.compile(r"(\d{3})([DWMY])")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4])[0-5]\d")
_MONTHS_A_YEAR = 12
_MID_MONTH, _MID_DAY = 7, 15


def year_of_date(value: str) -> str:
    """Return the first of January of a DA's year (PS3.5 6.2)."""
    day = _parse(value)
    return f"{day.year:04}0101" if day else ""


def year_of_datetime(value: str) -> str:
    """Return the year of a DT alone, without time and offset."""
    match = _DT.fullmatch(value)
    return match[1] if match and _anchored(match) else ""


def shift_date(value: str, days: int) -> str:
    """Return a DA `days` earlier; also for a range `from-to`, as queries hold."""
    if "-" in value:
        return "-".join(shift_date(end, days) if end else "" for end in value.split("-", 1))
    day = _parse(value)
    moved = _earlier(day, days) if day else None
    return f"{moved:%Y%m%d}".zfill(8) if moved else ""


def shift_datetime(value: str, days: int) -> str:
    """Return a DT `days` earlier at the precision it has, its time and offset kept.

    A year or month without a day is moved from its middle, so that it stays true on average.
    """
    match = _DT.fullmatch(value)
    day = _anchored(match) if match else None
    moved = _earlier(day, days) if day else None
    if match is None or moved is None:
        return ""
    text = f"{moved.year:04}"
    text += f"{moved.month:02}" if match[2] else ""
    text += f"{moved.day:02}" if match[3] else ""
    return text + (match[4] or "") + (match[5] or "")


def well_formed_time(value: str) -> str:
    """Return a TM as it is, or nothing if it is none."""
    return value if _TM.fullmatch(value) else ""


def well_formed_offset(value: str) -> str:
    """Return an offset from UTC such as `-0500` as it is, or nothing if it is none."""
    return value if _OFFSET.fullmatch(value) else ""


def cap_age(value: str) -> str:
    """Return an AS, all ages over 89 years as `090Y` (45 CFR 164.514(b)(2)(i)(C))."""
    match = _AS.fullmatch(value)
    if match is None:
        return ""
    return "090Y" if match[2] == "Y" and int(match[1]) > OLDEST else value


def _parse(value: str) -> date | None:
    match = _DA.fullmatch(value)
    return _date(int(match[1]), int(match[3]), int(match[4])) if match else None


def _anchored(match: re.Match[str]) -> date | None:
    """Return a DT's day; the middle of what it leaves open."""
    return _date(int(match[1]), int(match[2] or _MID_MONTH), int(match[3] or _MID_DAY))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _earlier(day: date, days: int) -> date | None:
    try:
        return day - timedelta(days=days)
    except OverflowError:
        return None
