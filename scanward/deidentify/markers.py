"""What every output says about itself (PS3.15 E.1.1 step 8, PS3.3 C.12 and C.7.1.1, PS3.16 CID 7050)."""

from __future__ import annotations

from dataclasses import dataclass

from scanward.deidentify.profile import Profile

PATIENT_IDENTITY_REMOVED = 0x00120062
DEIDENTIFICATION_METHOD = 0x00120063
DEIDENTIFICATION_METHOD_CODES = 0x00120064
LONGITUDINAL_MODIFIED = 0x00280303

MARKER_TAGS = frozenset(
    {PATIENT_IDENTITY_REMOVED, DEIDENTIFICATION_METHOD, DEIDENTIFICATION_METHOD_CODES, LONGITUDINAL_MODIFIED}
)

_MEANINGS = {
    "113100": "Basic Application Confidentiality Profile",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
_TEMPORAL = {"remove": "REMOVED", "keep": "UNMODIFIED", "year": "MODIFIED", "shift": "MODIFIED"}


@dataclass(frozen=True, slots=True)
class Marker:
    """An element to be written: values of text, or items for a sequence."""

    tag: int
    vr: str
    values: tuple[str, ...] = ()
    items: tuple[tuple[Marker, ...], ...] = ()


def markers(profile: Profile, edition: str) -> tuple[Marker, ...]:
    """Return the marker elements of a profile in tag order."""
    return (
        Marker(PATIENT_IDENTITY_REMOVED, "CS", ("YES",)),
        Marker(DEIDENTIFICATION_METHOD, "LO", (_method(profile, edition),)),
        Marker(DEIDENTIFICATION_METHOD_CODES, "SQ", items=tuple(_item(code) for code in codes(profile))),
        Marker(LONGITUDINAL_MODIFIED, "CS", (_TEMPORAL[profile.dates],)),
    )


def codes(profile: Profile) -> tuple[str, ...]:
    """Return the codes of CID 7050 that are true of a profile."""
    claims = {
        "113105": profile.clean_descriptors,
        "113106": profile.dates == "keep",
        "113107": profile.dates in {"year", "shift"},
        "113108": profile.retain_patient_characteristics,
        "113109": profile.retain_device_identity,
        "113110": profile.retain_uids,
        "113111": profile.retain_safe_private,
        "113112": profile.retain_institution_identity,
    }
    return ("113100", *(code for code, is_true in claims.items() if is_true))


def _method(profile: Profile, edition: str) -> str:
    """Return the method in words, at most 64 characters of ASCII (LO)."""
    request = ", kept on request" if profile.preserve else ""
    return f"Scanward {profile.name} PS3.15 {edition}{request}"[:64]


def _item(code: str) -> tuple[Marker, ...]:
    return (
        Marker(0x00080100, "SH", (code,)),
        Marker(0x00080102, "SH", ("DCM",)),
        Marker(0x00080104, "LO", (_MEANINGS[code],)),
    )
