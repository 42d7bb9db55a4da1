"""How data elements are coded: VRs, headers and the tags that the gate looks at (PS3.5 6.2, 7.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

HEADER = 8
UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_DELIMITER = 0xFFFEE00D
SEQUENCE_DELIMITER = 0xFFFEE0DD
FIRST_DELIMITER = 0xFFFE0000
TRAILING_PADDING = 0xFFFCFFFC
BEFORE_DATASET = 0x0003FFFF  # groups 0000 to 0003 have no place in a data set

SOP_CLASS_UID = 0x00080016
INSTANCE_UID = 0x00080018
STUDY_UID = 0x0020000D
SERIES_UID = 0x0020000E
SAMPLES_PER_PIXEL = 0x00280002
PHOTOMETRIC_INTERPRETATION = 0x00280004
PLANAR_CONFIGURATION = 0x00280006
NUMBER_OF_FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
BITS_ALLOCATED = 0x00280100
BITS_STORED = 0x00280101
PIXEL_REPRESENTATION = 0x00280103
EXTENDED_OFFSETS = 0x7FE00001
EXTENDED_LENGTHS = 0x7FE00002
FLOAT_PIXELS = 0x7FE00008
DOUBLE_PIXELS = 0x7FE00009
PIXELS = 0x7FE00010

PIXEL_TAGS = frozenset({FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS})
NOTABLE = PIXEL_TAGS | {
    SOP_CLASS_UID, INSTANCE_UID, STUDY_UID, SERIES_UID, SAMPLES_PER_PIXEL, PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION, NUMBER_OF_FRAMES, ROWS, COLUMNS, BITS_ALLOCATED, BITS_STORED, PIXEL_REPRESENTATION,
    EXTENDED_OFFSETS, EXTENDED_LENGTHS,
}  # fmt: skip


class Kind(IntEnum):
    """What the walk must know of a VR; zero is the plain case."""

    SHORT = 0
    LONG = 1
    SEQUENCE = 2
    UNKNOWN = 3
    ILLEGAL = 4


_SHORT = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_LONG = "OB OD OF OL OV OW SV UC UR UT UV"
KINDS: dict[bytes, int] = (
    {vr.encode(): int(Kind.SHORT) for vr in _SHORT.split()}
    | {vr.encode(): int(Kind.LONG) for vr in _LONG.split()}
    | {b"SQ": int(Kind.SEQUENCE), b"UN": int(Kind.UNKNOWN)}
)
ILLEGAL = int(Kind.ILLEGAL)

# An implicit VR says nothing of "US or SS"; the first is taken, the width is the same.
_AMBIGUOUS = {
    "OB or OW": "OW",
    "US or OW": "OW",
    "US or SS or OW": "OW",
    "US or SS": "US",
    "NONE": "UN",
    "OB or UN": "OB",
}
VRS: dict[int, str] = {tag: _AMBIGUOUS.get(entry[0], entry[0]) for tag, entry in DicomDictionary.items()}
SEQUENCES = frozenset(tag for tag, vr in VRS.items() if vr == "SQ")
# Repeating groups (50xx, 60xx and the like): mask -> {masked tag: VR}.
_REPEATERS: dict[int, dict[int, str]] = {}
for _pattern, _entry in RepeatersDictionary.items():
    _mask = int("".join("0" if digit == "x" else "F" for digit in _pattern), 16)
    _REPEATERS.setdefault(_mask, {})[int(_pattern.replace("x", "0"), 16)] = _AMBIGUOUS.get(
        _entry[0], _entry[0]
    )


def vr_of(tag: int) -> str:
    """Return the VR that PS3.6 gives a tag: UN if none, LO for private creators, UL for group lengths."""
    vr = VRS.get(tag)
    if vr:
        return vr
    if not tag & 0xFFFF:
        return "UL"
    if tag & 0x10000:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"  # noqa: PLR2004 - creators' elements, PS3.5 7.8.1
    for mask, repeated in _REPEATERS.items():
        vr = repeated.get(tag & mask)
        if vr:
            return vr
    return "UN"


@dataclass(frozen=True, slots=True)
class Coding:
    """One way to code elements; `explicit_header` is tag, VR and length, `implicit_header` tag and length."""

    explicit: bool
    little_endian: bool
    explicit_header: Struct
    implicit_header: Struct
    length: Struct


def _coding(*, explicit: bool, little_endian: bool) -> Coding:
    order = "<" if little_endian else ">"
    return Coding(
        explicit, little_endian, Struct(order + "HH2sH"), Struct(order + "HHI"), Struct(order + "I")
    )


EXPLICIT_LITTLE = _coding(explicit=True, little_endian=True)
IMPLICIT_LITTLE = _coding(explicit=False, little_endian=True)
EXPLICIT_BIG = _coding(explicit=True, little_endian=False)


class Element(NamedTuple):
    """One data element: `value` to `stop` is its value without delimiters, `end` is behind everything."""

    tag: int
    vr: str
    start: int
    value: int
    stop: int
    end: int
    undefined: bool


def tag_text(tag: int) -> str:
    """Return a tag as it is printed in the standard: `(0008,0018)`."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
