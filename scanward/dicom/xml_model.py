"""The Native DICOM Model (PS3.19 A.1), made from the DICOM JSON Model that is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

Model = Mapping[str, Any]
"""A DICOM JSON object, as `json.loads` reads it."""

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
# XML 1.0 has no place for these, escaped or not.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def native_model(text: bytes) -> bytes:
    """Return one DICOM JSON object as a Native DICOM Model document, UTF-8."""
    inside = "".join(_attributes(json.loads(text)))
    root = f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
    return f"{_HEAD}{root}{inside}</NativeDicomModel>".encode()


def _attributes(model: Model) -> Iterator[str]:
    creators: dict[str, str] = {}
    for tag, attribute in model.items():
        if _is_private(tag) and tag[4:6] == "00":
            creators[tag[:4] + tag[6:]] = str((attribute.get("Value") or [""])[0] or "")
        inside = "".join(_content(attribute))
        creator = creators.get(tag[:6], "") if tag[4:6] != "00" else ""
        named = "".join(
            f" {name}={quoteattr(_possible(value))}"
            for name, value in (
                # The creator names the block, whose number is of this object alone (PS3.19 Table A.1.5-2).
                ("tag", f"{tag[:4]}00{tag[6:]}" if creator else tag),
                ("vr", attribute["vr"]),
                ("keyword", keyword_for_tag(int(tag, 16))),
                ("privateCreator", creator),
            )
            if value
        )
        yield f"<DicomAttribute{named}>{inside}</DicomAttribute>"


def _content(attribute: Mapping[str, Any]) -> Iterator[str]:
    if "BulkDataURI" in attribute:
        yield f"<BulkData uri={quoteattr(attribute['BulkDataURI'])}/>"
    elif "InlineBinary" in attribute:
        yield f"<InlineBinary>{attribute['InlineBinary']}</InlineBinary>"
    else:
        for number, value in enumerate(attribute.get("Value", ()), start=1):
            yield _value(attribute["vr"], value, number)


def _value(vr: str, value: object, number: int) -> str:
    """Return one value; an empty one among others keeps its number (PS3.19 A.1.6)."""
    if vr == "SQ":
        inside = "".join(_attributes(value if isinstance(value, dict) else {}))
        return f'<Item number="{number}">{inside}</Item>'
    if vr == "PN":
        return f'<PersonName number="{number}">{"".join(_name(value))}</PersonName>'
    text = "" if value is None else str(value)
    return f'<Value number="{number}">{escape(_possible(text))}</Value>'


def _name(value: object) -> Iterator[str]:
    groups = value if isinstance(value, dict) else {}
    for group in _GROUPS:
        if groups.get(group):
            parts = zip(_COMPONENTS, str(groups[group]).split("^"), strict=False)
            inside = "".join(f"<{name}>{escape(_possible(part))}</{name}>" for name, part in parts if part)
            yield f"<{group}>{inside}</{group}>"


def _is_private(tag: str) -> bool:
    return int(tag[3], 16) % 2 == 1


def _possible(text: str) -> str:
    return _IMPOSSIBLE.sub("\ufffd", text)
