"""The Store Instances Response (PS3.18 Annex I) in DICOM JSON and in XML (PS3.18 F, PS3.19 A.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from scanward.dicom.xml_model import native_model
from scanward.entrypoints.http.dicomweb.negotiation import XML
from scanward.entrypoints.http.dicomweb.store_outcomes import Outcome

Item = dict[str, dict[str, object]]

_CLASS_UID, _INSTANCE_UID, _RETRIEVE_URL = "00081150", "00081155", "00081190"
_WARNING_REASON, _FAILURE_REASON = "00081196", "00081197"
_FAILED, _REFERENCED, _OTHER = "00081198", "00081199", "0008119A"
_VR: Final = {
    _CLASS_UID: "UI",
    _INSTANCE_UID: "UI",
    _RETRIEVE_URL: "UR",
    _WARNING_REASON: "US",
    _FAILURE_REASON: "US",
    _FAILED: "SQ",
    _REFERENCED: "SQ",
    _OTHER: "SQ",
}


def response_of(outcomes: Sequence[Outcome], root: str) -> Item:
    """Return the module as a DICOM JSON object; `root` is the address of the zone.

    The Retrieve URL of the whole is empty where several studies are meant, or none. What cannot be named
    stands in Other Failures Sequence.
    """
    stored = [one for one in outcomes if not one.failure]
    failed = [one for one in outcomes if one.failure]
    named = [one for one in failed if one.named.instance_uid]
    unnamed = [one for one in failed if not one.named.instance_uid]
    studies = {one.named.study_uid for one in stored}
    whole = _element(_RETRIEVE_URL, *[f"{root}/studies/{uid}" for uid in studies if len(studies) == 1])
    found = {_RETRIEVE_URL: whole}
    if named:
        found[_FAILED] = _element(_FAILED, *[{**_reference(one), **_failure(one)} for one in named])
    if stored:
        found[_REFERENCED] = _element(_REFERENCED, *[_referenced(one, root) for one in stored])
    if unnamed:
        found[_OTHER] = _element(_OTHER, *[_failure(one) for one in unnamed])
    return found


def encoded(response: Item, media_type: str) -> bytes:
    """Return the module's bytes in a media type of the answer."""
    text = json.dumps(response).encode()
    if media_type != XML:
        return text
    return native_model(text)


def _referenced(one: Outcome, root: str) -> Item:
    named = one.named
    address = f"{root}/studies/{named.study_uid}/series/{named.series_uid}/instances/{named.instance_uid}"
    warned = {_WARNING_REASON: _element(_WARNING_REASON, one.warning)} if one.warning else {}
    return {**_reference(one), _RETRIEVE_URL: _element(_RETRIEVE_URL, address), **warned}


def _reference(one: Outcome) -> Item:
    class_uid = [one.named.sop_class_uid] if one.named.sop_class_uid else []
    return {
        _CLASS_UID: _element(_CLASS_UID, *class_uid),
        _INSTANCE_UID: _element(_INSTANCE_UID, one.named.instance_uid),
    }


def _failure(one: Outcome) -> Item:
    return {_FAILURE_REASON: _element(_FAILURE_REASON, one.failure)}


def _element(tag: str, *values: object) -> dict[str, object]:
    vr = _VR[tag]
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}
