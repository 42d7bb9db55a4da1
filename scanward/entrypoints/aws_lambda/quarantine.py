"""Keeps what is at fault itself: a copy under `quarantine/<execution>/` of the raw bucket, with its reason.

The original stays in raw for those who treat the patient; nothing is lost. The reason holds no value of the
object and not its key either: the execution's name leads to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scanward import errors
from scanward.adapters.aws.s3_objects import Overtaken
from scanward.entrypoints.aws_lambda.metrics import measured
from scanward.entrypoints.aws_lambda.stages import reference_of
from scanward.entrypoints.aws_lambda.world import World, world
from scanward.entrypoints.aws_lambda.wrapper import lambda_handler_wrapper
from scanward.errors import BadInput, JsonValue, NotFound, Refused, ScanwardError
from scanward.receive.s3_event import Reference

__all__ = ["QuarantineHandler"]

Event = Mapping[str, Any]  # as api.md prints events

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST_TOLD: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why an object is quarantined, in the seeds' words."""

    error: str
    cause: str
    faults: JsonValue


@lambda_handler_wrapper
class QuarantineHandler:
    """Copies an object to quarantine and tells the state machine how to fail."""

    def handle(self, event: Event, context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as of every handler
        """Return error and cause for Fail, and where the copy is; repeated, it writes the same again.

        event: reference, execution, and `failure` with the Error and Cause that Step Functions caught. Raises
        Unavailable. An object that is gone or withheld leaves no copy, and the cause says so.
        """
        reference, execution = reference_of(event), _name_of(event)
        reason, own = _reason_of(event), world()
        folder = f"{own.aws.quarantine_prefix}{execution}/"
        with measured("Quarantine") as meter:
            try:
                _keep(reference, folder, reason, own)
            except (NotFound, Refused) as withheld:
                cause = f"{reason.cause} No copy is in quarantine ({withheld.error})."
                return {"error": reason.error, "cause": cause, "quarantine": ""}
            meter.add("FilesQuarantined")
        return {"error": reason.error, "cause": reason.cause, "quarantine": folder}


def _keep(reference: Reference, folder: str, reason: _Reason, own: World) -> None:
    """Copy the object, then its reason: who finds the reason may rely on the copy."""
    pinned, _ = own.raw.pin(reference)
    own.raw.copy(pinned, reference.bucket, f"{folder}object")
    told: dict[str, JsonValue] = {
        "error": reason.error,
        "cause": reason.cause,
        "faults": reason.faults,
        "version_id": pinned.version_id,
        "etag": pinned.etag,
        "size": pinned.size,
        "sequencer": pinned.sequencer,
    }
    body = json.dumps(told, indent=2).encode()
    try:
        own.raw.put(
            body,
            reference.bucket,
            f"{folder}reason.json",
            conditions={"IfNoneMatch": "*"},
            content_type="application/json",
        )
    except Overtaken:
        return  # an earlier attempt came as far as here


def _name_of(event: Event) -> str:
    name = event.get("execution")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput("`execution` is the execution's name: at most 80 letters, digits, `-` and `_`.")
    return name


def _reason_of(event: Event) -> _Reason:
    """Read what Step Functions caught: the error's class, and our line of words with faults behind it."""
    failure = event.get("failure")
    caught = failure if isinstance(failure, Mapping) else {}
    kind = getattr(errors, str(caught.get("Error", "")), None)
    if not (isinstance(kind, type) and issubclass(kind, ScanwardError)):
        return _Reason(ScanwardError.error, "The line ended with an error that it does not know.", [])
    words, _, faults = _message_of(caught.get("Cause")).partition("\n")
    return _Reason(kind.error, words[:_MOST_TOLD], _faults_of(faults))


def _message_of(cause: object) -> str:
    try:
        return str(json.loads(str(cause))["errorMessage"])
    except (KeyError, TypeError, ValueError):
        return ""


def _faults_of(text: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(text)["faults"]
    except (KeyError, TypeError, ValueError):
        return []
    return found
