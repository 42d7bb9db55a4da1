"""Attributes by level, their names, and what results tell (PS3.18 Tables 10.6.1-5, 10.6.3-3 to -5)."""

from __future__ import annotations

from functools import cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_dict

from scanward.dicom.structure.coding import vr_of
from scanward.ports.search import Level

STUDY_UID, SERIES_UID, INSTANCE_UID = 0x0020000D, 0x0020000E, 0x00080018
MODALITIES, SOP_CLASSES = 0x00080061, 0x00080062
STUDY_SERIES, STUDY_INSTANCES, SERIES_INSTANCES = 0x00201206, 0x00201208, 0x00201209
AVAILABILITY, RETRIEVE_URL = 0x00080056, 0x00081190
SPECIFIC_CHARACTER_SET, TIMEZONE = 0x00080005, 0x00080201

# Attributes of the patient and the study, the same in all instances of it (PS3.3 C.7.1, C.7.2).
STUDY = frozenset({
    0x00080020, 0x00080030, 0x00080050, 0x00080051, 0x00080090, 0x00080096, 0x0008009C, 0x0008009D,
    0x00081030, 0x00081032, 0x00081048, 0x00081049, 0x00081060, 0x00081062, 0x00081080, 0x00081084,
    0x00081110, 0x00081120, 0x00100010, 0x00100020, 0x00100021, 0x00100022, 0x00100024, 0x00100026,
    0x00100027, 0x00100028, 0x00100030, 0x00100032, 0x00100033, 0x00100034, 0x00100035, 0x00100040,
    0x00100200, 0x00101000, 0x00101001, 0x00101002, 0x00101010, 0x00101020, 0x00101030, 0x00101040,
    0x00102160, 0x00102180, 0x001021B0, 0x00104000, 0x00120062, 0x00120063, 0x00120064, 0x00200010,
    STUDY_UID, 0x00380010, 0x00380060,
})  # fmt: skip
# Those of the series and its equipment (PS3.3 C.7.3, C.7.5).
SERIES = frozenset({
    0x00080021, 0x00080031, 0x00080060, 0x00080070, 0x00080080, 0x00080081, 0x00081010, 0x00081040,
    0x0008103E, 0x0008103F, 0x00081050, 0x00081052, 0x00081070, 0x00081072, 0x00081090, 0x00081111,
    0x00180015, 0x00181000, 0x00181020, 0x00181030, 0x00185100, SERIES_UID, 0x00200011, 0x00200052,
    0x00200060, 0x00201040, 0x00400244, 0x00400245, 0x00400250, 0x00400251, 0x00400253, 0x00400254,
    0x00400275,
})  # fmt: skip

_ALWAYS = {SPECIFIC_CHARACTER_SET, AVAILABILITY, RETRIEVE_URL, TIMEZONE}
TOLD = {
    Level.STUDY: frozenset(_ALWAYS | {
        0x00080020, 0x00080030, 0x00080050, MODALITIES, 0x00080090, 0x00100010, 0x00100020, 0x00100030,
        0x00100040, STUDY_UID, 0x00200010, STUDY_SERIES, STUDY_INSTANCES, 0x00081030,
    }),
    Level.SERIES: frozenset(_ALWAYS | {
        0x00080060, 0x0008103E, SERIES_UID, 0x00200011, SERIES_INSTANCES, 0x00400244, 0x00400245, 0x00400275,
    }),
    Level.INSTANCE: frozenset(_ALWAYS | {
        0x00080016, INSTANCE_UID, 0x00200013, 0x00280008, 0x00280010, 0x00280011, 0x00280100,
    }),
}  # fmt: skip
"""What a result of a level tells unasked."""


def level_of(tag: int) -> Level:
    """Return the level that an attribute belongs to."""
    if tag in STUDY or tag in {MODALITIES, SOP_CLASSES, STUDY_SERIES, STUDY_INSTANCES}:
        return Level.STUDY
    return Level.SERIES if tag in SERIES or tag == SERIES_INSTANCES else Level.INSTANCE


@cache
def tag_of(name: str) -> int | None:
    """Return the tag of a keyword or of eight hex digits; None for neither."""
    tag = keyword_dict.get(name)
    if tag is None and len(name) == 8:  # noqa: PLR2004 - ggggeeee
        try:
            return int(name, 16)
        except ValueError:
            return None
    return tag


def is_known(tag: int) -> bool:
    """Return whether PS3.6 lists an attribute."""
    return tag in DicomDictionary


def value_representation(tag: int) -> str:
    """Return an attribute's VR, UN if nobody knows it."""
    return vr_of(tag)
