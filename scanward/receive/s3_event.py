"""What S3 tells of a new object, as references; the shape of the event is S3's own (versions 2.x)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote_plus

from scanward.errors import BadInput


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
                version_id=_text(given.get("version_id") or ""),
                etag=_text(given.get("etag") or ""),
                size=int(given.get("size", -1)),
                sequencer=_text(given.get("sequencer") or ""),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadInput("A reference needs `bucket` and `key`, both texts.") from None


def references(event: Mapping[str, Any]) -> list[Reference]:
    """Return the objects of an event's `Records`; keys come URL-encoded. Raises BadInput.

    `s3:TestEvent`, which S3 sends once, has no Records: an empty list.
    """
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        return [_reference(record["s3"]) for record in event["Records"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadInput("The event needs Records[].s3.bucket.name and Records[].s3.object.key.") from None


def _reference(s3: Mapping[str, Any]) -> Reference:
    described = s3["object"]
    return Reference(
        bucket=_text(s3["bucket"]["name"]),
        key=unquote_plus(_text(described["key"]), errors="strict"),
        version_id=_text(described.get("versionId") or ""),
        etag=_text(described.get("eTag") or ""),
        size=int(described.get("size", -1)),
        sequencer=_text(described.get("sequencer") or ""),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
