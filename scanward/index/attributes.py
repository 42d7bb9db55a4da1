"""Attributes by level, their names, and what results tell (PS3.18 Tables 10.6.1-5, 10.6.3-3 to -5)."""

from __future__ import annotations

from functools import cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_dict

from scanward.dicom.levels import SERIES, SERIES_UID, STUDY, STUDY_UID
from scanward.dicom.structure.coding import vr_of
from scanward.ports.search import Level

INSTANCE_UID = 0x00080018
MODALITIES, SOP_CLASSES = 0x00080061, 0x00080062
STUDY_SERIES, STUDY_INSTANCES, SERIES_INSTANCES = 0x00201206, 0x00201208, 0x00201209
AVAILABILITY, RETRIEVE_URL = 0x00080056, 0x00081190
SPECIFIC_CHARACTER_SET, TIMEZONE = 0x00080005, 0x00080201

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
