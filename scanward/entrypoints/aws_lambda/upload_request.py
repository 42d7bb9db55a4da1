"""What `POST /upload` may ask: read from the HTTP API's event, every fault named at once, no value in any."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scanward.errors import BadInput, Fault, TooLarge

__all__ = ["UPLOADS", "UploadRequest", "upload_request"]

UPLOADS: Final = "uploads/"
_BODY_BYTES: Final = 16 << 10
_PATIENT_ID: Final = 64  # VR LO
_DESCRIPTION: Final = 256
_KEY_BYTES: Final = 1024  # S3's own bound


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """An object under `uploads/` and whose it is."""

    patient_id: str
    study_description: str
    file_key: str


def upload_request(event: Mapping[str, Any]) -> UploadRequest:
    """Read the event's body. Raises BadInput with one fault for each field that is wrong, or TooLarge."""
    body = _body(event)
    fields = {
        "patient_id": _text(1, _PATIENT_ID),
        "study_description": _text(0, _DESCRIPTION),
        "file_key": _file_key,
    }
    given = {name: body.get(name, "" if name == "study_description" else None) for name in fields}
    faults = tuple(
        Fault("upload-field", f"`{name}` {wrong}", path=name)
        for name, check in fields.items()
        if (wrong := check(given[name]))
    )
    if faults:
        raise BadInput(" ".join(fault.message for fault in faults), faults=faults)
    return UploadRequest(**{name: str(value) for name, value in given.items()})


def _body(event: Mapping[str, Any]) -> dict[str, Any]:
    given = event.get("body") if isinstance(event, Mapping) else None
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, str) or not given.strip():
        raise BadInput("The request needs a JSON body with `patient_id`, `study_description` and `file_key`.")
    if len(given) > _BODY_BYTES:
        raise TooLarge("The request's body is larger than 16 KiB; the scan itself goes to S3.")
    try:
        parsed = json.loads(base64.b64decode(given, validate=True) if event.get("isBase64Encoded") else given)
    except (binascii.Error, UnicodeDecodeError, RecursionError, ValueError):
        raise BadInput("The request's body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise BadInput("The request's body is no JSON object.")
    return parsed


def _text(least: int, most: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            return "is missing." if value is None else "is not a text."
        if value != value.strip() or len(value) < least or len(value) > most:
            return f"needs {least} to {most} characters, without blanks around them."
        return (
            ""
            if value.isprintable() and "\\" not in value
            else "holds a character that DICOM does not allow."
        )

    return check


def _file_key(value: object) -> str:
    if not isinstance(value, str):
        return "is missing." if value is None else "is not a text."
    if not value.startswith(UPLOADS):
        return f"must begin with `{UPLOADS}`."
    steps = value.split("/")
    if any(step in {"", ".", ".."} for step in steps) or "\\" in value or not value.isprintable():
        return "must be a plain key: no empty, `.` or `..` step, no backslash, no control character."
    try:
        long = len(value.encode()) > _KEY_BYTES
    except UnicodeEncodeError:
        return "is not Unicode."
    return f"is longer than {_KEY_BYTES} bytes." if long else ""
