"""What S3 tells of a new object, as references; the shape of the event is S3's own (versions 2.x)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote_plus

from scanward.errors import BadInput

# OverflowError: JSON's 1e999 is infinite.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of one object in a bucket. The key may name a patient: raw side only, never logged.

    sequencer: hex digits that order the events of one key; "" if the event bore none. size: bytes or -1.
    """

    bucket: str
    key: str
    version_id: str = ""
    etag: str = ""
    size: int = -1
    sequencer: str = ""

    def as_json(self) -> dict[str, str | int]:
        """Return the form that states exchange."""
        return asdict(self)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Reference:
        """Read the form that states exchange. Raises BadInput."""
        try:
            return cls(
                bucket=_text(given["bucket"]),
                key=_text(given["key"]),
                version_id=_header(given.get("version_id") or ""),
                etag=_header(given.get("etag") or ""),
                size=int(given.get("size", -1)),
                sequencer=_header(given.get("sequencer") or ""),
            )
        except _MALFORMED:
            raise BadInput("A reference needs `bucket` and `key`, both texts.") from None


def references(event: Mapping[str, Any]) -> list[Reference]:
    """Return the objects of an event's `Records`; keys come URL-encoded. Raises BadInput.

    `s3:TestEvent`, which S3 sends once, has no Records: an empty list.
    """
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        return [_reference(record["s3"]) for record in event["Records"]]
    except _MALFORMED:
        raise BadInput("The event needs Records[].s3.bucket.name and Records[].s3.object.key.") from None


def _reference(s3: Mapping[str, Any]) -> Reference:
    described = s3["object"]
    return Reference(
        bucket=_text(s3["bucket"]["name"]),
        key=unquote_plus(_text(described["key"]), errors="strict"),
        version_id=_header(described.get("versionId") or ""),
        etag=_header(described.get("eTag") or ""),
        size=int(described.get("size", -1)),
        sequencer=_header(described.get("sequencer") or ""),
    )


def _text(value: object) -> str:
    """Return a text. Raises TypeError, or UnicodeEncodeError for half a character, which JSON may hold."""
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return value


def _header(value: object) -> str:
    """Return what will be sent to S3 in a header. Raises TypeError or ValueError."""
    text = _text(value)
    if not (text.isascii() and text.isprintable()):
        raise ValueError
    return text
