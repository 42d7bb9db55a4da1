"""The documented handlers of the line's functions (api.md).

An event with `Records` or `metadata` is answered as documented, and the work is really done. One with
`reference` comes from the state machine: references and findings are returned, and errors are raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scanward.entrypoints.aws_lambda import stages
from scanward.entrypoints.aws_lambda.metrics import measured
from scanward.entrypoints.aws_lambda.safe_errors import briefly
from scanward.entrypoints.aws_lambda.world import world
from scanward.entrypoints.aws_lambda.wrapper import is_of_states, lambda_handler_wrapper
from scanward.errors import BadInput, JsonValue
from scanward.receive.s3_event import Reference, references

__all__ = ["STATES", "DeidentificationHandler", "IngestionHandler", "ValidationHandler"]

# Any stands for what api.md prints: events are whatever JSON AWS makes of them.
Event = Mapping[str, Any]

STATES: Final = {
    "Ingestion": ("receive",),
    "Validation": ("validate",),
    "Deidentify": ("deidentify", "store"),
}
"""Which steps of the pipeline each state of the workflow takes, in order."""


@lambda_handler_wrapper
class IngestionHandler:
    """Takes an object through the gate."""

    def handle(self, event: Event, context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as api.md prints it
        """Return bucket, key and metadata of an S3 event's object; of a reference, the pinned reference.

        Raises InvalidDicom, NotFound, Refused, TooLarge or Unavailable.
        """
        reference, own = _object_of(event), world()
        with measured("Ingestion") as meter, stages.opened(reference, own, meter) as source:
            found = stages.receive(source, own)
            if not is_of_states(event):
                sections = stages.metadata_of(source, found)
                return _answer(bucket=reference.bucket, key=reference.key, metadata=sections)
            findings: dict[str, JsonValue] = {
                "transfer_syntax": found.transfer_syntax,
                "sop_class_uid": found.sop_class_uid,
                "warnings": briefly(found.warnings),
            }
            return {**_passed_on(event, source.ref), "findings": findings}


@lambda_handler_wrapper
class ValidationHandler:
    """Holds an object, or metadata, against the rules."""

    def handle(self, event: Event, context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as api.md prints it
        """Return that metadata, or an S3 event's object, is valid; of a reference, its harmless faults.

        Raises ValidationFailed with every fault, and as `IngestionHandler`.
        """
        if isinstance(event, Mapping) and "metadata" in event and not is_of_states(event):
            from scanward.entrypoints.aws_lambda.documented import valid_metadata  # noqa: PLC0415 - pydantic's models are not the state machine's way

            return _answer(valid=True, metadata=valid_metadata(event["metadata"]))
        reference, own = _object_of(event), world()
        with measured("Validation") as meter, stages.opened(reference, own, meter) as source:
            faults = stages.validate(source, own)
            if is_of_states(event):
                return {**_passed_on(event, source.ref), "warnings": briefly(faults)}
            sections = stages.metadata_of(source, stages.receive(source, own))
            return _answer(valid=True, metadata=sections)


@lambda_handler_wrapper
class DeidentificationHandler:
    """Takes the patient out of an object and puts the output into the processed bucket."""

    def handle(self, event: Event, context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as api.md prints it
        """Return keys and removed tags of an S3 event's object; of a reference, where the output is.

        Raises Quarantined for what cannot be proven clean, and as `IngestionHandler`.
        """
        reference, own = _object_of(event), world()
        with measured("Deidentification") as meter, stages.opened(reference, own, meter) as source:
            finished = stages.deidentify(source, reference, own, meter)
            cleaned, delivery = finished.cleaned, finished.delivery
            if not is_of_states(event):
                from scanward.entrypoints.aws_lambda.documented import removed_tags  # noqa: PLC0415 - as above

                return _answer(
                    input_key=reference.key,
                    output_key=delivery.key,
                    removed_tags=removed_tags(cleaned.changes),
                )
            return {
                **_passed_on(event, source.ref),
                "output": {
                    "bucket": delivery.bucket,
                    "key": delivery.key,
                    "version_id": delivery.version_id,
                },
                "deid_study_uid": cleaned.replaced.study_uid,
                "superseded": delivery.superseded,
                "warnings": briefly(cleaned.warnings),
            }


def _object_of(event: Event) -> Reference:
    """Return the one object that an event is about. Raises BadInput."""
    if not isinstance(event, Mapping):
        raise BadInput("An event is a JSON object.")
    if is_of_states(event):
        return stages.reference_of(event)
    found = references(event)
    if len(found) != 1:
        raise BadInput(
            f"The event has {len(found)} records, and a call takes one object; call once for each."
        )
    return found[0]


def _passed_on(event: Event, pinned: Reference) -> dict[str, Any]:
    return {"reference": pinned.as_json(), "execution": str(event.get("execution") or "")}


def _answer(**body: Any) -> dict[str, Any]:  # noqa: ANN401 - as api.md prints it
    return {"statusCode": 200, "body": body}
