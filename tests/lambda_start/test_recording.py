"""Rows stay true to Step Functions, whatever events come how often and in which order."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from scanward.adapters.aws.executions_runs import Runs
from scanward.adapters.aws.notifier import SnsNotifier
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.entrypoints.aws_lambda.recorder import Recorder, handle, lambda_handler
from scanward.errors import BadInput, Fault, Unavailable
from scanward.ports.executions import Stage, Status
from tests.lambda_start.stack import SUCCEEDS, WAITS, Stack, fails

pytestmark = pytest.mark.integration

BEGAN = datetime(2026, 11, 25, 8, tzinfo=UTC)
FAULT = Fault("type1-missing", "Modality is missing", "(0008,0060)", None, "PS3.3 C.7.3.1")
WARNING = Fault("uid-mild", "a dot at its end", "(0020,000D)", severity="warn")


class _Told:
    """Step Functions that tells one execution as the machine of the line would."""

    def __init__(self, events: list[dict[str, Any]], real: Any = None, **described: Any) -> None:  # noqa: ANN401 - a client
        self._events, self._described, self._real = events, described, real

    def get_execution_history(self, **_given: object) -> dict[str, Any]:
        return {"events": self._events}

    def describe_execution(self, **_given: object) -> dict[str, Any]:
        return self._described

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def _event(seconds: float, kind: str, **details: object) -> dict[str, Any]:
    return {"timestamp": BEGAN + timedelta(seconds=seconds), "type": kind, **details}


def _entered(seconds: float, name: str) -> dict[str, Any]:
    return _event(seconds, "TaskStateEntered", stateEnteredEventDetails={"name": name})


def _failure(seconds: float, error: str, message: str) -> dict[str, Any]:
    cause = json.dumps({"errorType": error, "errorMessage": message, "stackTrace": []})
    return _event(seconds, "LambdaFunctionFailed", lambdaFunctionFailedEventDetails={"cause": cause})


def _detail(stack: Stack, name: str, status: str, **more: object) -> dict[str, Any]:
    return {
        "executionArn": stack.executions().runs.arn(name),
        "name": name,
        "status": status,
        "startDate": int(BEGAN.timestamp() * 1000),
        "stopDate": int(BEGAN.timestamp() * 1000) + 4500,
    } | more


def _record(stack: Stack, detail: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    told = stack.with_clients(states=_Told(events, stack.clients.states))
    return Recorder(told.executions()).record(detail, Meter())


def _started(stack: Stack, key: str = "patient1/a.dcm") -> str:
    return stack.starter().take(stack.put(key), Meter()).name


def test_a_success_tells_its_output_its_stages_and_its_warnings(stack: Stack) -> None:
    name = _started(stack)
    output = {
        "reference": {"bucket": "b", "key": "patient1/a.dcm"},
        "output": {"bucket": "stack-processed-dicom", "key": "ANON-1/a.dcm", "version_id": "v"},
        "deid_study_uid": "2.25.7",
        "superseded": True,
        "warnings": [WARNING.as_json()],
    }
    events = [
        _event(0, "ExecutionStarted"),
        _entered(0.5, "Ingestion"),
        _failure(0.6, "Unavailable", "try again"),
        _event(0.9, "LambdaFunctionSucceeded"),
        _event(1.0, "TaskStateExited"),
        _entered(1.0, "Deidentify"),
        _event(3.9, "LambdaFunctionSucceeded"),
        _event(4.0, "TaskStateExited"),
        _event(4.5, "ExecutionSucceeded"),
    ]
    assert _record(stack, _detail(stack, name, "SUCCEEDED", output=json.dumps(output)), events)
    found = stack.executions().describe(name)
    assert (found.status, found.error, found.cause, found.dead_letter) == (Status.SUCCEEDED, "", "", False)
    assert (found.deid_key, found.deid_study_uid) == ("ANON-1/a.dcm", "2.25.7")
    assert found.stages == (
        Stage("ingestion", Status.SUCCEEDED, 0.5),
        Stage("deidentify", Status.SUCCEEDED, 3.0),
    )
    assert found.faults[0] == WARNING
    assert [fault.rule for fault in found.faults] == ["uid-mild", "superseded"]
    assert found.stopped == BEGAN + timedelta(seconds=4.5)
    totals = stack.executions().statistics()
    assert totals["stage_seconds_deidentify"] == pytest.approx(3.0)
    assert totals["stage_count_ingestion"] == 1


def test_a_failure_tells_the_word_the_reason_and_every_fault(stack: Stack) -> None:
    name = _started(stack)
    faults = json.dumps({"faults": [FAULT.as_json()]})
    events = [
        _entered(0, "Validation"),
        _failure(1, "ValidationFailed", f"1 rule is broken.\n{faults}"),
        _event(1, "TaskStateExited"),
        _entered(1, "Quarantine"),
        _event(2, "TaskStateExited"),
        _event(2, "ExecutionFailed"),
    ]
    told = {"error": "Validation failed", "cause": "1 rule is broken."}
    assert _record(stack, _detail(stack, name, "FAILED", **told), events)
    found = stack.executions().describe(name)
    assert (found.status, found.error, found.cause) == (
        Status.FAILED,
        "Validation failed",
        "1 rule is broken.",
    )
    assert found.faults == (FAULT,)
    assert found.stages == (
        Stage("validation", Status.FAILED, 1.0),
        Stage("quarantine", Status.SUCCEEDED, 1.0),
    )
    assert not found.dead_letter  # its own fault: it is in quarantine


@pytest.mark.parametrize(
    ("status", "told", "shown", "error", "dead"),
    [
        ("TIMED_OUT", {}, Status.TIMED_OUT, "Timed out", True),
        ("ABORTED", {}, Status.FAILED, "Aborted", True),
        (
            "FAILED",
            {"error": "Service unavailable", "cause": "ours"},
            Status.FAILED,
            "Service unavailable",
            True,
        ),
        ("FAILED", {"error": "Access Denied", "cause": "ours"}, Status.FAILED, "Access Denied", True),
        ("FAILED", {"error": "States.Timeout", "cause": "theirs"}, Status.FAILED, "States.Timeout", True),
        ("FAILED", {"error": "Lambda.Unknown", "cause": "theirs"}, Status.FAILED, "Lambda.Unknown", True),
        ("FAILED", {"error": "DOE^JANE is odd", "cause": "theirs"}, Status.FAILED, "Unknown", True),
        ("FAILED", {"error": "Quarantined", "cause": "ours"}, Status.FAILED, "Quarantined", False),
        ("FAILED", {"error": "Too large", "cause": "ours"}, Status.FAILED, "Too large", False),
    ],
)
def test_what_is_not_the_objects_own_fault_is_a_dead_letter(
    stack: Stack,
    status: str,
    told: dict[str, str],
    shown: Status,
    error: str,
    dead: bool,  # noqa: FBT001 - as above
) -> None:
    name = _started(stack)
    events = [
        _entered(0, "Ingestion"),
        _event(4, f"Execution{'TimedOut' if status == 'TIMED_OUT' else 'Failed'}"),
    ]
    assert _record(stack, _detail(stack, name, status, **told), events)
    found = stack.executions().describe(name)
    assert (found.status, found.error, found.dead_letter) == (shown, error, dead or shown is Status.TIMED_OUT)
    assert found.cause == ("ours" if told.get("cause") == "ours" else "")
    assert found.stages == (Stage("ingestion", shown, 4.0),)
    listed = stack.executions().list(dead_letter=True)
    assert [one.id for one in listed] == ([name] if dead else [])


def test_a_run_that_takes_too_long_is_timed_out_and_can_be_redriven(stack: Stack) -> None:
    stack.machine_now(WAITS, seconds=1)
    name = _started(stack)
    assert Recorder(stack.executions()).record(stack.detail(name), Meter())
    (found,) = stack.executions().list(dead_letter=True)
    assert (found.id, found.status, found.error) == (name, Status.TIMED_OUT, "Timed out")
    stack.machine_now(SUCCEEDS)
    assert stack.executions().redrive(name).status is Status.RUNNING
    Recorder(stack.executions()).record(stack.detail(f"{name}-2"), Meter())
    assert stack.executions().describe(name).status is Status.SUCCEEDED


def test_an_event_without_the_error_is_completed_from_step_functions(stack: Stack) -> None:
    stack.machine_now(fails("Too large", "Run `scanward deidentify` on it."))
    name = _started(stack)
    detail = stack.detail(name) | {"error": None, "cause": None}
    Recorder(stack.executions()).record(detail, Meter())
    found = stack.executions().describe(name)
    assert (found.error, found.cause) == ("Too large", "Run `scanward deidentify` on it.")


def test_an_event_of_a_sealed_execution_without_input_and_output_is_completed_too(stack: Stack) -> None:
    name = _started(stack)
    output = {"output": {"key": "ANON-1/a.dcm"}, "deid_study_uid": "2.25.7", "warnings": []}
    states = _Told([], stack.clients.states, status="SUCCEEDED", output=json.dumps(output))
    Recorder(stack.with_clients(states=states).executions()).record(
        _detail(stack, name, "SUCCEEDED", input=None, output=None), Meter()
    )
    found = stack.executions().describe(name)
    assert (found.deid_key, found.deid_study_uid) == ("ANON-1/a.dcm", "2.25.7")


def test_events_in_any_order_and_number_leave_the_newest_attempts_end(stack: Stack) -> None:
    for number, order in enumerate(itertools.permutations(["first", "running", "second"])):
        name = _started(stack, f"{number}.dcm")
        first = _detail(stack, name, "FAILED", error="Service unavailable")
        second = _detail(stack, f"{name}-2", "SUCCEEDED", output=json.dumps({"deid_study_uid": "2.25.2"}))
        running = _detail(stack, f"{name}-2", "RUNNING", stopDate=None)
        told = {"first": first, "second": second, "running": running}
        for one in (*order, *order):
            _record(stack, told[one], [])
        found = stack.executions().describe(name)
        assert (found.status, found.attempts, found.error) == (Status.SUCCEEDED, 2, "")
    assert stack.executions().statistics()["objects_succeeded"] == 6


def test_an_end_that_comes_before_the_mark_stays(stack: Stack) -> None:
    reference = stack.put("a.dcm")
    executions = stack.executions()
    name = "f" * 40
    assert executions.ledger.begin(reference, name)
    assert _record(stack, _detail(stack, name, "SUCCEEDED", output="{}"), [])
    executions.ledger.mark(name)
    assert executions.describe(name).status is Status.SUCCEEDED
    assert not executions.ledger.begin(reference, name)


def test_step_functions_own_redrive_is_followed(stack: Stack) -> None:
    name = _started(stack)
    _record(stack, _detail(stack, name, "FAILED", error="Service unavailable", redriveCount=0), [])
    assert _record(stack, _detail(stack, name, "SUCCEEDED", output="{}", redriveCount=1), [])
    assert not _record(stack, _detail(stack, name, "FAILED", error="Service unavailable", redriveCount=0), [])
    assert stack.executions().describe(name).status is Status.SUCCEEDED


@pytest.mark.parametrize(
    "given",
    [
        {"reference": {"bucket": "raw", "key": "p/by hand.dcm", "size": 7}},
        {"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "p/by+hand.dcm", "size": 7}}}]},
    ],
)
def test_an_execution_that_was_started_by_hand_has_a_row_too(stack: Stack, given: dict[str, Any]) -> None:
    detail = _detail(stack, "my-test", "SUCCEEDED", input=json.dumps(given), output="{}")
    assert _record(stack, detail, [])
    found = stack.executions().describe("my-test")
    assert (found.raw_key, found.name, found.size) == ("p/by hand.dcm", "by hand.dcm", 7)
    assert found.started == BEGAN
    assert [one.id for one in stack.executions().list()] == ["my-test"]


def test_a_row_that_runs_too_long_is_made_true_when_it_is_asked_for(stack: Stack) -> None:
    stack.machine_now(SUCCEEDS)
    names = [_started(stack, f"{number}.dcm") for number in range(3)]
    for name in names:
        stack.settled(name)
    assert [one.status for one in stack.executions().list()] == [Status.RUNNING] * 3
    late = stack.executions(run_seconds=-3600)
    assert late.describe(names[0]).status is Status.SUCCEEDED
    assert late.list(Status.RUNNING) == []
    assert [one.status for one in late.list()] == [Status.SUCCEEDED] * 3


def test_a_row_that_still_runs_is_left_alone(stack: Stack) -> None:
    stack.machine_now(WAITS)
    name = _started(stack)
    assert stack.executions(run_seconds=-3600).describe(name).status is Status.RUNNING


def test_a_failure_is_told_once_with_words_and_counts_only(stack: Stack) -> None:
    name = _started(stack, "DOE^JANE/a.dcm")
    sqs, sns = stack.clients.sqs, stack.clients.sns
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=stack.topic, Protocol="sqs", Endpoint=arn)
    faults = json.dumps({"faults": [FAULT.as_json(), FAULT.as_json()]})
    events = [_entered(0, "Validation"), _failure(1, "ValidationFailed", f"2 rules.\n{faults}")]
    told = stack.with_clients(states=_Told(events))
    recorder = Recorder(told.executions(), SnsNotifier(stack.topic, sns))
    detail = _detail(stack, name, "FAILED", error="Validation failed", cause="2 rules.")
    for _ in range(3):
        recorder.record(detail, Meter())
    (message,) = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)["Messages"]
    notice = json.loads(json.loads(message["Body"])["Message"])
    assert notice == {
        "execution": name,
        "status": "FAILED",
        "error": "Validation failed",
        "attempt": 1,
        "dead_letter": False,
        "rules": {"type1-missing": 2},
    }


def test_nobody_is_told_of_a_success_or_of_an_attempt_that_was_redriven(stack: Stack) -> None:
    told: list[object] = []
    recorder = Recorder(stack.with_clients(states=_Told([])).executions(), SimpleNamespace(tell=told.append))
    name = _started(stack)
    recorder.record(_detail(stack, name, "SUCCEEDED", output="{}"), Meter())
    recorder.record(_detail(stack, name, "FAILED", error="Service unavailable"), Meter())
    assert told == []


def test_what_is_no_status_change_is_refused(stack: Stack) -> None:
    recorder = Recorder(stack.executions())
    for event in ({}, {"detail": None}, {"detail": {"status": "FAILED"}}):
        with pytest.raises(BadInput):
            handle(event, recorder)


def test_the_function_works_with_the_settings_of_its_template(functions: Stack) -> None:
    functions.machine_now(fails("Invalid DICOM file", "It is not DICOM."))
    name = _started(functions)
    event = {"source": "aws.states", "detail": functions.detail(name)}
    context = SimpleNamespace(aws_request_id="request")
    assert lambda_handler(event, context) == {"recorded": True}
    assert lambda_handler(event, context) == {"recorded": False}
    assert functions.executions().describe(name).error == "Invalid DICOM file"
    assert all(row["told"]["BOOL"] for row in functions.rows())
    with pytest.raises(BadInput) as told:
        lambda_handler({}, context)
    assert told.value.__cause__ is told.value.__context__ is None


def test_a_machine_that_does_not_answer_sends_the_event_again(stack: Stack) -> None:
    silent: Any = _Silent()
    runs = Runs(stack.machine, silent)
    with pytest.raises(Unavailable):
        runs.of_event(_detail(stack, "name", "FAILED", error="Service unavailable"))


class _Silent:
    def get_execution_history(self, **_given: object) -> None:
        from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415 - only this client needs it

        raise ReadTimeoutError(endpoint_url="https://states")
