"""Where an output goes: another bucket under the same key, or in one bucket `raw/` for `processed/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanward.errors import BadInput
from scanward.receive.s3_event import Reference
from scanward.settings import AwsSettings

__all__ = ["Place", "place_of"]

_RAW: Final = "raw/"
_PROCESSED: Final = "processed/"


@dataclass(frozen=True, slots=True)
class Place:
    """An output's bucket and prefix, and its object's key behind the prefix of uploads."""

    bucket: str
    prefix: str
    relative: str


def place_of(reference: Reference, aws: AwsSettings) -> Place:
    """Return where the output of an object goes. Raises BadInput for what the line has itself written."""
    bucket = aws.processed_bucket or reference.bucket
    shared = bucket == reference.bucket
    raw = aws.raw_prefix or (_RAW if shared else "")
    processed = aws.processed_prefix or (_PROCESSED if shared else "")
    key = reference.key
    if key.startswith(aws.quarantine_prefix) or (shared and key.startswith(processed)):
        raise BadInput("The key is of quarantine or of an output; neither is taken through the line again.")
    return Place(bucket, processed, key.removeprefix(raw))
