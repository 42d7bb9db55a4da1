"""What Step Functions knows of executions: it is the truth, the table is how it is found and listed.

Texts of AWS and of libraries are never taken over. A cause is kept only beside a word of our own, because
the state machine then took it from an error of ours; of anything else the error's word says enough.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.executions_history import faults_of, faults_told, json_of, mapping_of, stages_of
from scanward.adapters.aws.executions_rows import Ended
from scanward.adapters.aws.failures import code_of, translated
from scanward.adapters.aws.naming import split_name
from scanward.errors import BadInput, Fault, Misconfigured, NotFound
from scanward.ports.executions import Stage, Status
from scanward.receive.s3_event import Reference, references

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_OWN_FAULT = frozenset({
    "Bad request", "Invalid DICOM file", "Not found", "Quarantined", "Too large", "Validation failed",
})  # fmt: skip
_OUR_WORDS = _OWN_FAULT | {
    "Access Denied",
    "Insufficient storage",
    "InternalError",
    "Misconfigured",
    "Service unavailable",
    "Timed out",
}
_FINAL = {
    "SUCCEEDED": Status.SUCCEEDED,
    "FAILED": Status.FAILED,
    "TIMED_OUT": Status.TIMED_OUT,
    "ABORTED": Status.FAILED,
}
_WORDS = {"TIMED_OUT": "Timed out", "ABORTED": "Aborted"}
# EventBridge leaves these out where they are too long, or where the machine is sealed with a key of its own.
_TOLD = {"SUCCEEDED": "output", "FAILED": "error"}
_PARTS = ("input", "output", "error", "cause")
_SUPERSEDED = Fault(
    "superseded", "A newer version of the object was there first; its output stays.", severity="warn"
)
_MOST_EVENTS = 200
_LONGEST = 1_000


class Runs:
    """Executions of the processing state machine."""

    def __init__(self, state_machine_arn: str, states: SFNClient | None = None) -> None:
        """Use a state machine that is there. Raises Misconfigured without its ARN."""
        if not state_machine_arn:
            raise Misconfigured(
                "SCANWARD_AWS_STATE_MACHINE_ARN is not set; it names the machine that processes objects."
            )
        self._machine = state_machine_arn
        self._states = states or client("stepfunctions")

    def arn(self, name: str) -> str:
        """Return an execution's ARN."""
        return f"{self._machine.replace(':stateMachine:', ':execution:', 1)}:{name}"

    def start(self, name: str, reference: Reference) -> bool:
        """Start an execution; return False if one of this name was ever started: it is left as it is."""
        given = json.dumps({"execution": name, "reference": reference.as_json()}, sort_keys=True)
        with translated("state machine"):
            try:
                self._states.start_execution(stateMachineArn=self._machine, name=name, input=given)
            except ClientError as error:
                if code_of(error) != "ExecutionAlreadyExists":
                    raise
                return False
        return True

    def ended(self, name: str) -> Ended | None:
        """Return how an execution ended, None if it runs. Raises NotFound if it was never started."""
        arn = self.arn(name)
        with translated("execution"):
            found = self._states.describe_execution(executionArn=arn)
        return self.of_event({**found, "executionArn": arn, "name": name})

    def of_event(self, detail: Mapping[str, Any]) -> Ended | None:
        """Return what a status change says, None if the execution runs. Raises BadInput.

        The form is that of EventBridge's `detail`, which is DescribeExecution's with other moments.
        """
        try:
            word, name, arn = detail["status"], detail["name"], detail["executionArn"]
        except (KeyError, TypeError):
            raise BadInput("A status change needs `status`, `name` and `executionArn`.") from None
        if word not in _FINAL:
            return None
        if not detail.get(_TOLD.get(word, "input")):
            detail = {**detail, **self._described(arn)}
        execution_id, attempt = split_name(str(name))
        status, stopped = _FINAL[word], _moment(detail.get("stopDate")) or datetime.now(UTC)
        error = _WORDS.get(word) or (_word(detail) if status is Status.FAILED else "")
        stages, faults = self._history(arn)
        output = json_of(detail.get("output")) if status is Status.SUCCEEDED else {}
        return Ended(
            execution_id=execution_id,
            status=status,
            stopped=stopped,
            attempt=attempt,
            resumed=int(detail.get("redriveCount") or 0),
            dead_letter=status is not Status.SUCCEEDED and error not in _OWN_FAULT,
            error=error,
            cause=_cause(detail) if error in _OUR_WORDS else "",
            faults=faults if status is Status.FAILED else _warnings(output),
            stages=stages,
            deid_key=str(mapping_of(output.get("output")).get("key", "")),
            deid_study_uid=str(output.get("deid_study_uid") or ""),
            started=_moment(detail.get("startDate")),
            reference=_reference(json_of(detail.get("input"))),
        )

    def _described(self, arn: str) -> dict[str, str]:
        with translated("execution"):
            found = self._states.describe_execution(executionArn=arn)
        return {part: text for part in _PARTS if (text := str(found.get(part) or ""))}

    def _history(self, arn: str) -> tuple[tuple[Stage, ...], tuple[Fault, ...]]:
        """Return the stages with their times, and the faults that the last failing one named."""
        try:
            with translated("execution"):
                answer = self._states.get_execution_history(executionArn=arn, maxResults=_MOST_EVENTS)
        except NotFound:
            return (), ()
        return stages_of(answer["events"]), faults_told(answer["events"])


def _warnings(output: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Return what a success warns of; also that its output gave way to a newer version's."""
    superseded = (_SUPERSEDED,) if output.get("superseded") is True else ()
    return faults_of(output.get("warnings")) + superseded


def _word(detail: Mapping[str, Any]) -> str:
    """Return the error's word: ours, or one that Step Functions or Lambda define."""
    word = str(detail.get("error") or "Unknown")
    return word if word in _OUR_WORDS or word.replace(".", "").replace("_", "").isalnum() else "Unknown"


def _cause(detail: Mapping[str, Any]) -> str:
    return str(detail.get("cause") or "")[:_LONGEST]


def _reference(given: Mapping[str, Any]) -> Reference | None:
    """Return what an execution that somebody started by hand was about, if its input says so."""
    try:
        if "reference" in given:
            return Reference.of(given["reference"])
        return references(given)[0]
    except (BadInput, IndexError):
        return None


def _moment(given: object) -> datetime | None:
    """Read EventBridge's milliseconds, or the moment that boto3 has read."""
    if isinstance(given, datetime):
        return given
    return datetime.fromtimestamp(given / 1000, UTC) if isinstance(given, int | float) else None
