"""The starter: takes what the raw bucket tells of new objects, and starts one execution for each.

    SQS batch of S3 events          only the failed messages are answered, and come again
    {"Records": [...]}              one S3 event, by hand
    {"reference": {...}}            one object, by hand: bucket and key are enough
    {"Items": [...]}                a batch of the backfill: {"Bucket": ..., "Key": ...} each, or one alone
    {"redrive": "<name>"}           a FAILED or TIMED_OUT execution, anew

Objects are named by version, so an older version that comes late starts too: its output never replaces a
newer one's. Keys and texts of others stay out of logs, metrics and errors.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from scanward import logs
from scanward.adapters.aws.executions import DynamoExecutions
from scanward.adapters.aws.naming import execution_name, naming_key
from scanward.adapters.aws.opening import open_executions
from scanward.adapters.aws.s3_objects import S3Objects
from scanward.entrypoints.aws_lambda.metrics import Meter, measured
from scanward.entrypoints.aws_lambda.safe_errors import safe
from scanward.entrypoints.aws_lambda.starter_choice import RECORDED, Places, Reason, is_dicom, is_named_dicom
from scanward.errors import BadInput, NotFound, ScanwardError, Unavailable
from scanward.receive.s3_event import Reference, references
from scanward.settings import AwsSettings, Settings

# Any stands for what AWS and those who call by hand make of an event.
Event = Mapping[str, Any]
Answer = dict[str, Any]

_CREATED = "ObjectCreated"
_log = logs.logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one object: `name` of its execution, or why it was ignored."""

    name: str
    started: bool = False
    ignored: Reason | None = None


class Starter:
    """Starts executions of one stack."""

    def __init__(self, executions: DynamoExecutions, objects: S3Objects, key: bytes, places: Places) -> None:
        """Take what it works with; `key` names executions."""
        self.executions = executions
        self._objects = objects
        self._key = key
        self._places = places

    def take(self, reference: Reference, meter: Meter, *, pinned: bool = True) -> Taken:
        """Start an object's execution, or record why not; a repeat changes nothing. Raises Unavailable.

        Without `pinned` the version is that which is there now, as S3's own events would have told it.
        """
        reason = self._places.refuse(reference)
        if reason and reason not in RECORDED:
            return self._ignored(reference, reason, meter)
        try:
            known = reference if pinned else self._objects.pin(reference)[0]
            if not reason and not is_named_dicom(known.key) and not is_dicom(known, self._objects.read):
                reason = Reason.NOT_DICOM
        except NotFound:
            return self._ignored(reference, Reason.GONE, meter)
        if reason:
            return self._ignored(known, reason, meter)
        name = execution_name(self._key, known)
        started = self.executions.start(known, name)
        meter.add("ExecutionsStarted" if started else "ExecutionsDuplicate")
        _log.info("started" if started else "known", operation="start", execution_id=name)
        return Taken(name, started=started)

    def _ignored(self, reference: Reference, reason: Reason, meter: Meter) -> Taken:
        name = execution_name(self._key, reference)
        if reason in RECORDED:
            self.executions.ledger.ignore(reference, name, reason.value)
        meter.add("FilesIgnored")
        _log.info("ignored", operation="start", execution_id=name, reason=reason.value)
        return Taken(name, ignored=reason)


def handle(event: Event, context: object, starter: Starter) -> Answer:
    """Answer one invocation. Raises our errors, but for messages of a queue."""
    with measured("Starter") as meter:
        if _is_queue(event):
            return _batch(event, context, starter, meter)
        if "redrive" in event:
            return _redriven(str(event["redrive"]), starter)
        if "Items" in event or "Key" in event:
            return _several(_listed(event.get("Items", [event])), starter, meter)
        taken = [starter.take(one, meter, pinned=pinned) for one, pinned in _objects_of(event)]
        return _summary(taken) | {"executions": [one.name for one in taken if not one.ignored]}


def lambda_handler(event: Event, context: object) -> Answer:
    """Be called by Lambda. What it raises has no text, cause or frame but ours."""
    _log_as_a_function()
    with logs.bound(request_id=str(getattr(context, "aws_request_id", ""))):
        try:
            return handle(event, context, _starter())
        except Exception as error:  # noqa: BLE001 - the door: a text of others may hold a key
            _log.error("failed", operation="start", exc_info=error)
            told = safe(error)
    raise told


def _batch(event: Event, context: object, starter: Starter, meter: Meter) -> Answer:
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    answer = process_partial_response(
        event=dict(event),
        record_handler=lambda record: _message(record, starter, meter),
        processor=processor,
        context=context,  # type: ignore[arg-type]  # powertools only hands it on
    )
    return dict(answer)


def _message(record: SQSRecord, starter: Starter, meter: Meter) -> None:
    """Take all objects of one message. Raises if one could not be taken: then the whole comes again."""
    try:
        taken = _several(_objects_of(_body(record.body)), starter, meter)
    except Exception as error:
        # Raised again: whatever it is, this message alone fails and comes again, and its place is logged.
        _log.warning("message failed", operation="start", message_id=record.message_id, exc_info=error)
        raise
    _log.info("message taken", operation="start", message_id=record.message_id, **taken)


def _body(text: str) -> Event:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadInput("The message is not a JSON object.")
    return body


def _several(objects: Iterable[tuple[Reference, bool]], starter: Starter, meter: Meter) -> Answer:
    """Take each object, whatever becomes of the others. Raises Unavailable if some are to come again."""
    taken: list[Taken] = []
    failed: list[ScanwardError] = []
    for reference, pinned in objects:
        try:
            taken.append(starter.take(reference, meter, pinned=pinned))
        except ScanwardError as error:
            failed.append(error)
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise Unavailable(
            f"{len(failed)} of {len(taken) + len(failed)} objects could not be started: {failed[0].message}"
        )
    return _summary(taken)


def _summary(taken: Iterable[Taken]) -> Answer:
    all_taken = list(taken)
    return {
        "started": sum(one.started for one in all_taken),
        "ignored": sum(one.ignored is not None for one in all_taken),
        "duplicates": sum(not one.started and not one.ignored for one in all_taken),
    }


def _redriven(name: str, starter: Starter) -> Answer:
    execution = starter.executions.redrive(name)
    _log.info("redriven", operation="redrive", execution_id=execution.id)
    return {"execution": execution.id, "status": execution.status.value, "attempt": execution.attempts}


def _objects_of(event: Event) -> list[tuple[Reference, bool]]:
    """Return an event's objects, and whether each names its version. Raises BadInput."""
    if "reference" in event:
        reference = Reference.of(event["reference"])
        return [(reference, bool(reference.version_id))]
    records = event.get("Records")
    if isinstance(records, list):
        event = {"Records": [record for record in records if _is_created(record)]}
    return [(reference, True) for reference in references(event)]


def _listed(items: object) -> list[tuple[Reference, bool]]:
    """Return the objects of a batch of the backfill: entries of ListObjectsV2 with their bucket."""
    try:
        return [(Reference(str(item["Bucket"]), str(item["Key"])), False) for item in items]  # type: ignore[attr-defined]  # whatever is no list of such is refused
    except (KeyError, TypeError):
        raise BadInput("Items need `Bucket` and `Key`.") from None


def _is_created(record: object) -> bool:
    return not isinstance(record, dict) or _CREATED in str(record.get("eventName", _CREATED))


def _is_queue(event: Event) -> bool:
    records = event.get("Records")
    return isinstance(records, list) and bool(records) and "messageId" in records[0]


@functools.cache
def _starter() -> Starter:
    settings = AwsSettings()
    places = Places.of(settings)
    key = naming_key(settings.naming_secret_arn)
    return Starter(open_executions(settings), S3Objects(), key, places)


@functools.cache
def _log_as_a_function() -> None:
    logs.configure(Settings().log_level)
