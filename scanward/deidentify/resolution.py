"""From a row's action to a rule.

Options, then the attribute's type in its IOD, then its VR (PS3.15 E.1.1, E.3).
"""

from __future__ import annotations

from scanward.deidentify.actions import is_textual
from scanward.deidentify.profile import Profile
from scanward.deidentify.rule import EMPTY, KEEP, RECURSE, REMOVE, Do, How, Rule
from scanward.deidentify.table import Row
from scanward.dicom.iods import attribute_type, is_known

UNKNOWN = "?"
AGES = {"aggregate": Rule(Do.REPLACE, How.AGE_CAP, "C"), "keep": Rule(Do.KEEP, How.SCAN, "K")}

_PLAIN = {"X": REMOVE, "Z": EMPTY}
_RETAIN = (
    "retain_patient_characteristics",
    "retain_device_identity",
    "retain_institution_identity",
    "retain_uids",
)
_YEAR = {"DA": How.DATE_YEAR, "TM": How.TIME_EMPTY, "DT": How.DATETIME_YEAR}
_SHIFT = {"DA": How.DATE_SHIFT, "TM": How.TIME_KEEP, "DT": How.DATETIME_SHIFT, "SH": How.OFFSET_KEEP}
TEXTS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_OPAQUE = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_UNLISTED_DATE = Row("", "", "X/Z/D", {"retain_full_dates": "K", "retain_modified_dates": "C"})
_UNLISTED_PERSON = Row("", "", "X/Z/D", {})


def need_of(sop_class_uid: str, path: tuple[int, ...]) -> str:
    """Return an attribute's type; `?` where the tables cannot tell.

    A top-level attribute that the IOD of a known SOP class does not name is an extension, and so of type 3.
    """
    found = attribute_type(sop_class_uid, path)
    if found:
        return found
    return "3" if len(path) == 1 and is_known(sop_class_uid) else UNKNOWN


def resolve(row: Row, override: str | None, need: str, profile: Profile) -> str:
    """Return one letter for a row.

    One of X, Z, D, K, C, U, or `date` for what the profile's mode of dates decides.
    """
    if override:
        return _by_type(override, need)
    if "retain_modified_dates" in row.options and profile.dates != "remove":
        if profile.dates == "keep":
            return row.options.get("retain_full_dates", "K")
        return "date"
    letters = {
        row.options[option] for option in _RETAIN if getattr(profile, option) and option in row.options
    }
    if "K" in letters:
        return "K"
    if letters or (profile.clean_descriptors and row.options.get("clean_descriptors")):
        return "C"
    return _by_type(row.basic, need)


def _by_type(action: str, need: str) -> str:
    """Resolve X/Z, X/D, Z/D, X/Z/D and X/Z/U* so that the object stays valid.

    The mildest that its type allows.

    Where the type is not known the last choice is taken: it keeps the attribute, without its value.
    """
    choices = action.replace("*", "").split("/")
    if need == UNKNOWN:
        return choices[-1]
    if need == "3":
        return choices[0]
    if need in {"2", "2C"}:
        return "Z" if choices[0] in {"X", "Z"} else choices[0]
    if len(choices) == 1 and choices[0] == "X" and need == "1C":
        return "X"
    return "D" if choices[-1] in {"X", "Z"} else choices[-1]


def rule_of(letter: str, row: Row, vr: str, need: str, profile: Profile) -> Rule:
    """Return the rule of a resolved action for an element of this VR."""
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter == "K":
        return AGES.get(profile.ages, REMOVE) if vr == "AS" else scanned(vr, need)
    if letter == "date":
        return _date_rule(row, vr, need, profile)
    return _changed(letter, vr, required=_is_required(need, row))


def _changed(letter: str, vr: str, *, required: bool) -> Rule:
    if vr == "SQ":
        return Rule(Do.RECURSE, How.NONE, letter)
    if letter == "D":
        return Rule(Do.REPLACE, How.DUMMY, "D", required=True)
    if letter == "U":
        return Rule(Do.REPLACE, How.UID, "U", required=required) if vr == "UI" else REMOVE
    return _cleaned(vr, required=required)


def _cleaned(vr: str, *, required: bool) -> Rule:
    if vr in TEXTS:
        return Rule(Do.REPLACE, How.DESCRIPTOR, "C", required=required)
    if vr == "CS":
        return Rule(Do.KEEP, How.SCAN_CODE, "K", required=required)
    return Rule(Do.REPLACE, How.DUMMY, "D", required=True) if required else EMPTY


def _date_rule(row: Row, vr: str, need: str, profile: Profile) -> Rule:
    how = (_YEAR if profile.dates == "year" else _SHIFT).get(vr)
    if how is None:
        return rule_of(_by_type(row.basic, need), row, vr, need, profile)
    return Rule(Do.REPLACE, how, "C", required=_is_required(need, row))


def _is_required(need: str, row: Row) -> bool:
    return need in {"1", "1C"} or (need == UNKNOWN and row.basic.endswith("D"))


def scanned(vr: str, need: str) -> Rule:
    """Return the rule of an attribute that stays, its text read for identifiers."""
    required = need in {"1", "1C", UNKNOWN}
    if vr == "SQ":
        return RECURSE
    if vr == "CS":
        return Rule(Do.KEEP, How.SCAN_CODE, "K", required=required)
    if vr in {"DS", "IS"}:
        return Rule(Do.KEEP, How.SCAN_NUMBER, "K", required=required)
    return Rule(Do.KEEP, How.SCAN, "K", required=required) if is_textual(vr) and vr != "UI" else KEEP


def cleaned(need: str) -> Rule:
    """Return the rule of a free text that keeps its clinical words."""
    return Rule(Do.REPLACE, How.DESCRIPTOR, "C", required=need in {"1", "1C", UNKNOWN})


def kept(vr: str, need: str, profile: Profile, *, retired: bool, inside: str) -> Rule:
    """Return the rule of an attribute without a row, by its VR.

    Names, addresses (UR, AE) and retired free texts go; dates follow the profile; UIDs are replaced;
    numbers, codes and current texts stay. Inside a sequence that is made a dummy (D) texts become dummies
    and opaque bytes go; inside one that is cleaned (C) texts keep their clinical words.
    """
    if vr in {"DA", "TM", "DT"}:
        return rule_of(resolve(_UNLISTED_DATE, None, need, profile), _UNLISTED_DATE, vr, need, profile)
    if vr in {"PN", "UR", "AE"} or (retired and vr in TEXTS):
        return rule_of(resolve(_UNLISTED_PERSON, None, need, profile), _UNLISTED_PERSON, vr, need, profile)
    if vr == "UI":
        return KEEP if profile.retain_uids else Rule(Do.REPLACE, How.UID, "U")
    if vr == "AS":
        return AGES.get(profile.ages, REMOVE)
    return _inside(inside, vr, need) or scanned(vr, need)


def _inside(letter: str, vr: str, need: str) -> Rule | None:
    """Return what the action of a sequence around an element makes of it, None if nothing."""
    if letter == "D" and vr in TEXTS:
        return Rule(Do.REPLACE, How.DUMMY, "D", required=True)
    if letter == "D" and vr in _OPAQUE:
        return REMOVE
    if letter == "C" and vr in TEXTS - {"SH"}:
        return cleaned(need)
    return None
