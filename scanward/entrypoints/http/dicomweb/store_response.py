"""The Store Instances Response (PS3.18 Annex I) in DICOM JSON and in XML (PS3.18 F, PS3.19 A.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from scanward.entrypoints.http.dicomweb.negotiation import XML
from scanward.entrypoints.http.dicomweb.store_outcomes import Outcome

Item = dict[str, dict[str, object]]

_CLASS_UID, _INSTANCE_UID, _RETRIEVE_URL = "00081150", "00081155", "00081190"
_WARNING_REASON, _FAILURE_REASON = "00081196", "00081197"
_FAILED, _REFERENCED, _OTHER = "00081198", "00081199", "0008119A"
_OF_TAG: Final = {
    _CLASS_UID: ("UI", "ReferencedSOPClassUID"),
    _INSTANCE_UID: ("UI", "ReferencedSOPInstanceUID"),
    _RETRIEVE_URL: ("UR", "RetrieveURL"),
    _WARNING_REASON: ("US", "WarningReason"),
    _FAILURE_REASON: ("US", "FailureReason"),
    _FAILED: ("SQ", "FailedSOPSequence"),
    _REFERENCED: ("SQ", "ReferencedSOPSequence"),
    _OTHER: ("SQ", "OtherFailuresSequence"),
}
_NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"


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
    if media_type != XML:
        return json.dumps(response).encode()
    inside = _xml_attributes(response)
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f'{head}<NativeDicomModel xmlns="{_NAMESPACE}">{inside}</NativeDicomModel>'.encode()


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
    vr = _OF_TAG[tag][0]
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def _xml_attributes(item: Item) -> str:
    return "".join(_xml_attribute(tag, item[tag]) for tag in sorted(item))


def _xml_attribute(tag: str, element: dict[str, object]) -> str:
    vr, keyword = _OF_TAG[tag]
    values = element.get("Value", [])
    inside = []
    for number, value in enumerate(values if isinstance(values, list) else [], 1):
        if isinstance(value, dict):
            inside.append(f'<Item number="{number}">{_xml_attributes(value)}</Item>')
        else:
            inside.append(f'<Value number="{number}">{escape(str(value))}</Value>')
    said = f"tag={quoteattr(tag)} vr={quoteattr(vr)} keyword={quoteattr(keyword)}"
    return f"<DicomAttribute {said}>{''.join(inside)}</DicomAttribute>"
