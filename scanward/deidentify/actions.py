"""The replacers: from the values of one element to its new values, all as text."""

from __future__ import annotations

from collections.abc import Callable

from scanward.deidentify import dates, text
from scanward.deidentify.keys import Keys, Subject, trim
from scanward.deidentify.rule import How, Rule

TEXT_DUMMY = "REMOVED"

# A valid value a VR for what must not be empty (PS3.5 6.2), of no meaning.
_DUMMIES = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "DS": "0",
    "IS": "0",
    "UR": "urn:removed",
}
_TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_BINARY_DUMMIES = {
    "AT": bytes(4),
    "FD": bytes(8),
    "FL": bytes(4),
    "OB": bytes(2),
    "OD": bytes(8),
    "OF": bytes(4),
    "OL": bytes(4),
    "OV": bytes(8),
    "OW": bytes(2),
    "SL": bytes(4),
    "SS": bytes(2),
    "SV": bytes(8),
    "UL": bytes(4),
    "UN": bytes(2),
    "US": bytes(2),
    "UV": bytes(8),
}

One = Callable[[str, Subject, Keys], str]

_EACH: dict[How, One] = {
    How.SCAN: lambda value, subject, keys: text.scan(value, subject.identifiers, keys.uid),
    How.SCAN_CODE: lambda value, subject, _: text.scan_code(value, subject.identifiers),
    How.SCAN_NUMBER: lambda value, subject, _: text.scan_number(value, subject.identifiers),
    How.SCAN_UID: lambda value, _, keys: text.scan_uid(value, keys.uid),
    How.SCAN_SCHEME: lambda value, _, keys: text.scan_scheme(value, keys.uid),
    How.SCAN_CHARSET: lambda value, *_: text.scan_charset(value),
    How.UID: lambda value, _, keys: keys.uid(value),
    How.DATE_YEAR: lambda value, *_: dates.year_of_date(trim(value)),
    How.DATE_SHIFT: lambda value, subject, _: dates.shift_date(trim(value), subject.shift_days),
    How.DATETIME_YEAR: lambda value, *_: dates.year_of_datetime(trim(value)),
    How.DATETIME_SHIFT: lambda value, subject, _: dates.shift_datetime(trim(value), subject.shift_days),
    How.TIME_EMPTY: lambda *_: "",
    How.TIME_KEEP: lambda value, *_: dates.well_formed_time(trim(value)),
    How.OFFSET_KEEP: lambda value, *_: dates.well_formed_offset(trim(value)),
    How.AGE_CAP: lambda value, *_: dates.cap_age(trim(value)),
    How.DESCRIPTOR: lambda value, subject, _: text.descriptor(value, subject.identifiers),
}


def replace(rule: Rule, vr: str, values: tuple[str, ...], subject: Subject, keys: Keys) -> tuple[str, ...]:
    """Return the new values of an element; () is a value of zero length.

    values: decoded, without the padding at their end, split at the backslash where the VR allows that; one
    whole text for LT, ST, UT and UR. Values to which nothing was to do come back the same. A required
    element never comes back empty.
    """
    new = _replaced(rule, vr, values, subject, keys)
    if any(new):
        return new
    return (dummy(vr),) if rule.required and vr != "UI" and is_textual(vr) else ()


def _replaced(rule: Rule, vr: str, values: tuple[str, ...], subject: Subject, keys: Keys) -> tuple[str, ...]:
    if rule.how is How.PATIENT_ID:
        return (subject.pseudonym,)
    if rule.how is How.OTHER_ID:
        return tuple(_other_id(value, subject, keys) for value in values) or (subject.pseudonym,)
    if rule.how is How.NAME_REMOVED:
        return (TEXT_DUMMY,)
    if rule.how is How.DUMMY:
        return _dummies(vr, values, keys)
    each = _EACH[rule.how]
    return tuple(each(value, subject, keys) for value in values)


def dummy(vr: str) -> str:
    """Return a valid value of a textual VR that means nothing."""
    return TEXT_DUMMY if vr in _TEXT_VRS else _DUMMIES[vr]


def binary_dummy(vr: str) -> bytes:
    """Return a valid value of a binary VR: zeros, one unit of it."""
    return _BINARY_DUMMIES[vr]


def is_textual(vr: str) -> bool:
    """Tell whether a VR's value is text that `replace` can make anew."""
    return vr in _TEXT_VRS or vr in _DUMMIES or vr == "UI"


def _dummies(vr: str, values: tuple[str, ...], keys: Keys) -> tuple[str, ...]:
    if vr == "UI":
        return tuple(keys.uid(value) for value in values if value) or (keys.uid("2.25.0"),)
    return (dummy(vr),)


def _other_id(value: str, subject: Subject, keys: Keys) -> str:
    """Return the pseudonym of an ID inside a sequence: the patient's own, or another's."""
    bare = trim(value)
    if bare in {"", subject.original}:
        return subject.pseudonym
    return keys.pseudonym(bare)
