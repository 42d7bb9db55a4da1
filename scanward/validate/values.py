"""Whether a value has the form of its VR: length, repertoire and syntax (PS3.5 6.2).

Values are bytes as they lie in the object. What is found is told in words that never hold the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

__all__ = ["BINARY_SIZES", "Finding", "character_sets_known", "forms", "split"]

Finding = tuple[str, str]  # the rule's name and what is wrong, as the rest of a sentence about the attribute

# Bytes of one value; OB and UN have no unit that could be wrong.
BINARY_SIZES: Final = {
    "AT": 4, "FD": 8, "FL": 4, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2,
    "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
}  # fmt: skip
_LONGEST: Final = {
    "AE": 16, "AS": 4, "CS": 16, "DS": 16, "DT": 26, "IS": 12, "LO": 64, "LT": 10240, "PN": 64, "SH": 16,
    "ST": 1024, "UI": 64,
}  # fmt: skip
_MANY: Final = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"])
_ONE: Final = frozenset(["LT", "ST", "UT", "UR"])
_TEXT: Final = frozenset(["LO", "LT", "PN", "SH", "ST", "UC", "UT"])
_PARAGRAPHS: Final = frozenset(["LT", "ST", "UT"])
# ESC switches character sets (PS3.5 6.1.2.5); paragraphs may also have TAB, LF, FF and CR.
_CONTROLS: Final = re.compile(rb"[\x00-\x1a\x1c-\x1f\x7f]")
_CONTROLS_OF_PARAGRAPHS: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_ESCAPES: Final = re.compile(rb"\x1b[\x24-\x2f]+[\x30-\x7e]")
_UTF8: Final = b"ISO_IR 192"
_DEFAULT: Final = frozenset({b"", b"ISO_IR 6", b"ISO 2022 IR 6"})
_SINGLE_BYTE: Final = frozenset(
    b"ISO_IR 13,ISO_IR 100,ISO_IR 101,ISO_IR 109,ISO_IR 110,ISO_IR 126,ISO_IR 127,ISO_IR 138,ISO_IR 144,"
    b"ISO_IR 148,ISO_IR 166,ISO_IR 203".split(b",")
)
_OTHERS: Final = frozenset(
    b"GB18030,GBK,ISO 2022 IR 13,ISO 2022 IR 58,ISO 2022 IR 87,ISO 2022 IR 100,ISO 2022 IR 101,"
    b"ISO 2022 IR 109,ISO 2022 IR 110,ISO 2022 IR 126,ISO 2022 IR 127,ISO 2022 IR 138,ISO 2022 IR 144,"
    b"ISO 2022 IR 148,ISO 2022 IR 149,ISO 2022 IR 159,ISO 2022 IR 166,ISO 2022 IR 203".split(b",")
)
_KNOWN: Final = _DEFAULT | _SINGLE_BYTE | _OTHERS | {_UTF8}
_TIME: Final = rb"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?"
_OFFSET: Final = rb"([+-](0\d|1[0-4])[0-5]\d)?"
_SYNTAX: Final[dict[str, tuple[re.Pattern[bytes], str]]] = {
    "AE": (re.compile(rb"(?=.*[^ ])[\x20-\x5b\x5d-\x7e]+"), "is not an application entity's title"),
    "AS": (re.compile(rb"\d{3}[DWMY]"), "is not an age as nnnD, nnnW, nnnM or nnnY"),
    "CS": (re.compile(rb"[A-Z0-9 _]*"), "is not a code string of capitals, digits, spaces and underscores"),
    "DA": (re.compile(rb"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"), "is not a date as YYYYMMDD"),
    "DS": (re.compile(rb" *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *"), "is not a decimal number"),
    "DT": (
        re.compile(rb"\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(" + _TIME + rb")?)?)?" + _OFFSET + rb" *"),
        "is not a date and time as YYYYMMDDHHMMSS.FFFFFF&ZZXX",
    ),
    "IS": (re.compile(rb" *[+-]?\d+ *"), "is not an integer"),
    "TM": (re.compile(_TIME + rb" *"), "is not a time as HHMMSS.FFFFFF"),
    "UI": (re.compile(rb"[0-2](\.(0|[1-9]\d*))+"), "is not a unique identifier"),
    "UR": (re.compile(rb"[A-Za-z_\d:/?#\[\]@!$&'()*+,;=%\-.~]+ *"), "is not a URI"),
}  # fmt: skip
_LEAST_INTEGER: Final = -(1 << 31)
_LARGEST_INTEGER: Final = (1 << 31) - 1
_NAME_GROUPS: Final = 3
_NAME_COMPONENTS: Final = 5


def split(vr: str, value: bytes) -> list[bytes]:
    """Return the values of a text VR without the padding at the end; none of an empty one."""
    text = value.rstrip(b"\0 ")
    if not text:
        return []
    return text.split(b"\\") if vr in _MANY else [text]


def character_sets_known(value: bytes) -> bool:
    """Tell whether Specific Character Set has only terms of PS3.3 C.12.1.1.2; the first may be empty."""
    return all(term.strip(b"\0 ") in _KNOWN for term in value.split(b"\\"))


def forms(vr: str, value: bytes, character_set: bytes = b"") -> Iterator[Finding]:
    """Yield what is wrong with a value; `character_set` is the Specific Character Set that holds for it."""
    if vr in BINARY_SIZES:
        if len(value) % BINARY_SIZES[vr]:
            yield "value-length", f"has a length that is no multiple of {BINARY_SIZES[vr]} ({vr})"
    elif vr in _MANY or vr in _ONE:
        yield from _padding(vr, value)
        yield from _repertoire(vr, value.rstrip(b"\0 "), character_set)
        yield from dict.fromkeys(
            finding for part in split(vr, value) for finding in _one(vr, part, character_set)
        )


def _padding(vr: str, value: bytes) -> Iterator[Finding]:
    if vr == "UI" and value.endswith(b" "):
        yield "value-padding", "is padded with a space, not with a zero byte (UI)"
    elif vr != "UI" and value.endswith(b"\0"):
        yield "value-padding", f"is padded with a zero byte, not with a space ({vr})"


def _repertoire(vr: str, text: bytes, character_set: bytes) -> Iterator[Finding]:
    controls = _CONTROLS_OF_PARAGRAPHS if vr in _PARAGRAPHS else _CONTROLS
    if vr not in _TEXT:
        if not text.isascii():
            yield "value-repertoire", f"has characters beyond the default repertoire ({vr})"
        elif controls.search(text) or b"\x1b" in text:
            yield "value-repertoire", f"has control characters ({vr})"
        return
    if controls.search(text):
        yield "value-repertoire", f"has control characters ({vr})"
    if text.isascii():
        return
    if _first(character_set) == _UTF8:
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            yield "value-repertoire", f"is not in the character set that the object declares ({vr})"
    elif not character_set.strip(b"\0 \\") or character_set.rstrip(b"\0 ") in _DEFAULT:
        yield (
            "charset-missing",
            f"has characters beyond the default repertoire ({vr}) and no character set is named",
        )


def _one(vr: str, part: bytes, character_set: bytes) -> Iterator[Finding]:
    if vr == "PN":
        yield from _name(part, character_set)
        return
    longest = _LONGEST.get(vr)
    if longest is not None and len(part) > longest:
        length = _characters(part, character_set)
        if length is not None and length > longest:
            yield "value-length", f"has more than {longest} characters ({vr})"
    syntax = _SYNTAX.get(vr)
    if syntax is not None and (part or vr == "UI"):
        # Codes and titles may be padded on either side, and several of them each (PS3.5 6.2).
        text = part.strip(b" ") if vr in {"AE", "CS"} else part.rstrip(b" ") if vr in {"DA", "AS"} else part
        if (text or vr == "UI") and not (syntax[0].fullmatch(text) and _MEANINGS.get(vr, _anything)(text)):
            yield "value-form", f"{syntax[1]} ({vr})"


def _name(part: bytes, character_set: bytes) -> Iterator[Finding]:
    groups = part.split(b"=")
    if len(groups) > _NAME_GROUPS:
        yield "value-form", "has more than three component groups (PN)"
    for group in groups:
        if len(group) > _LONGEST["PN"] and (_characters(group, character_set) or 0) > _LONGEST["PN"]:
            yield "value-length", "has a component group of more than 64 characters (PN)"
        if group.count(b"^") >= _NAME_COMPONENTS:
            yield "value-form", "has more than five components in a group (PN)"


def _characters(part: bytes, character_set: bytes) -> int | None:
    """Count characters where that can be told without a code table: one byte each, or UTF-8."""
    if part.isascii() and b"\x1b" not in part:
        return len(part)
    sets = [term.strip(b"\0 ") for term in character_set.split(b"\\")]
    if sets[0] == _UTF8:
        return len(part.decode("utf-8", "replace"))
    if len(sets) == 1 and (sets[0] in _SINGLE_BYTE or sets[0] in _DEFAULT):
        return len(_ESCAPES.sub(b"", part))
    return None


def _first(character_set: bytes) -> bytes:
    return character_set.split(b"\\", 1)[0].strip(b"\0 ")


def _day(text: bytes) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True


def _day_of_datetime(text: bytes) -> bool:
    digits = re.match(rb"\d*", text)
    return digits is None or len(digits[0]) < len("YYYYMMDD") or _day(text)


def _integer(text: bytes) -> bool:
    return _LEAST_INTEGER <= int(text) <= _LARGEST_INTEGER if len(text) <= _LONGEST["IS"] else True


def _anything(_: bytes) -> bool:
    return True


_MEANINGS: Final[dict[str, Callable[[bytes], bool]]] = {"DA": _day, "DT": _day_of_datetime, "IS": _integer}
