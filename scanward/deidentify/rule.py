"""What is to be done with one element: the words in which the policy speaks to both engines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Do(StrEnum):
    """What happens to the element."""

    KEEP = "keep"
    REMOVE = "remove"
    EMPTY = "empty"
    REPLACE = "replace"
    RECURSE = "recurse"


class How(StrEnum):
    """Which replacer makes the new value (`actions.replace`).

    With Do.KEEP: NONE means the bytes stay; the SCAN kinds mean that they stay unless something is found in
    them: `values.must_look` says whether the value must be decoded and `replace` asked.
    """

    NONE = "none"
    SCAN = "scan"
    SCAN_CODE = "scan-code"
    SCAN_NUMBER = "scan-number"
    SCAN_UID = "scan-uid"
    SCAN_SCHEME = "scan-scheme"
    SCAN_CHARSET = "scan-charset"
    UID = "uid"
    DATE_YEAR = "date-year"
    DATE_SHIFT = "date-shift"
    DATETIME_YEAR = "datetime-year"
    DATETIME_SHIFT = "datetime-shift"
    TIME_EMPTY = "time-empty"
    TIME_KEEP = "time-keep"
    OFFSET_KEEP = "offset-keep"
    AGE_CAP = "age-cap"
    NAME_REMOVED = "name-removed"
    PATIENT_ID = "patient-id"
    OTHER_ID = "other-id"
    DESCRIPTOR = "descriptor"
    DUMMY = "dummy"


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision. `action` is the letter for the report.

    `required`: the value must not become empty (type 1, 1C).
    """

    do: Do
    how: How
    action: str
    required: bool = False


KEEP = Rule(Do.KEEP, How.NONE, "K")
REMOVE = Rule(Do.REMOVE, How.NONE, "X")
EMPTY = Rule(Do.EMPTY, How.NONE, "Z")
CLASS_UID = Rule(Do.KEEP, How.SCAN_UID, "K")
SCHEME_UID = Rule(Do.KEEP, How.SCAN_SCHEME, "K")
CHARSET = Rule(Do.KEEP, How.SCAN_CHARSET, "K")
RECURSE = Rule(Do.RECURSE, How.NONE, "K")
