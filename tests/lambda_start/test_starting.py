"""One execution for each version of an object, whatever comes how often and in which order."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanward.adapters.aws.naming import execution_name
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.entrypoints.aws_lambda.starter import Starter, handle, lambda_handler
from scanward.errors import BadInput, NotFound, Unavailable
from scanward.ports.executions import Status
from tests.lambda_start.events import batch, failed, message, s3_event
from tests.lambda_start.stack import NAMING, RAW, SUCCEEDS, WAITS, Stack, fails

pytestmark = pytest.mark.integration

CONTEXT = SimpleNamespace(aws_request_id="request")


class _Throttled:
    """Step Functions that takes no start but of `allowed` names."""

    def __init__(self, real: Any, allowed: int) -> None:  # noqa: ANN401 - a client
        self._real, self._allowed = real, allowed

    def start_execution(self, **given: str) -> object:
        self._allowed -= 1
        if self._allowed < 0:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": given["input"]}}, "Start")
        return self._real.start_execution(**given)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def _messages(starter: Starter, *bodies: dict[str, Any] | str) -> dict[str, Any]:
    return handle(batch(*bodies), CONTEXT, starter)


def test_an_upload_starts_one_execution_and_its_row_says_what_it_is_about(stack: Stack) -> None:
    reference = stack.put("patient123/study 456/scan+1.dcm")
    assert _messages(stack.starter(), s3_event(reference)) == {"batchItemFailures": []}
    (name,) = stack.names()
    assert name == execution_name(NAMING, reference)
    (found,) = stack.executions().list()
    assert (found.id, found.status, found.attempts) == (name, Status.RUNNING, 1)
    assert (found.raw_key, found.name) == (reference.key, "scan+1.dcm")
    assert (found.size, found.stopped) == (reference.size, None)


def test_the_run_gets_the_reference_and_its_own_name(stack: Stack) -> None:
    stack.machine_now({"Type": "Pass", "End": True})
    reference = stack.put("a.dcm")
    _messages(stack.starter(), s3_event(reference))
    (name,) = stack.names()
    given = stack.settled(name)["input"]
    assert '"key": "a.dcm"' in given
    assert f'"version_id": "{reference.version_id}"' in given
    assert f'"execution": "{name}"' in given


def test_events_that_come_three_times_and_shuffled_start_each_version_once(stack: Stack) -> None:
    uploads = [stack.put(f"study/{number}.dcm") for number in range(6)]
    uploads += [stack.put("study/again.dcm", bytes([number] * 200)) for number in range(4)]
    events = [s3_event(one) for one in uploads] * 3 + [s3_event(*uploads[:5])]
    random.Random(7).shuffle(events)  # noqa: S311 - the same order in every run
    starter = stack.starter()
    for start in range(0, len(events), 10):
        assert _messages(starter, *events[start : start + 10]) == {"batchItemFailures": []}
    expected = sorted(execution_name(NAMING, one) for one in uploads)
    assert stack.names() == expected
    assert sorted(one.id for one in stack.executions().list()) == expected


def test_an_older_version_that_comes_after_its_newer_one_is_started_too(stack: Stack) -> None:
    older = replace(stack.put("a.dcm", b"old" * 50), sequencer="0055AED6DCD90281E0")
    newer = replace(stack.put("a.dcm", b"new" * 50), sequencer="0055AED6DCD90281E9")
    starter = stack.starter()
    _messages(starter, s3_event(newer), s3_event(older))
    assert sorted(stack.names()) == sorted(execution_name(NAMING, one) for one in (older, newer))


def test_two_starters_at_once_start_one(stack: Stack) -> None:
    references = [stack.put(f"{number}.dcm") for number in range(5)]
    answers: list[int] = []

    def work() -> None:
        starter = stack.starter()
        answers.extend(starter.take(one, Meter()).started for one in references)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stack.names() == sorted(execution_name(NAMING, one) for one in references)
    assert len(stack.rows()) == 5
    assert sum(answers) >= 5


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (WAITS, "RUNNING"),
        (SUCCEEDS, "SUCCEEDED"),
        (fails("Validation failed"), "FAILED"),
        (WAITS, "ABORTED"),
        (WAITS, "TIMED_OUT"),
    ],
)
def test_a_name_that_is_taken_changes_nothing_whatever_the_state(
    stack: Stack, state: dict[str, Any], status: str
) -> None:
    stack.machine_now(state, seconds=1 if status == "TIMED_OUT" else 3600)
    reference = stack.put("a.dcm")
    name = execution_name(NAMING, reference)
    started = stack.clients.states.start_execution(
        stateMachineArn=stack.machine, name=name, input='{"started": "by another hand"}'
    )
    if status == "ABORTED":
        time.sleep(0.5)  # moto's run is a thread that must be under way before it can be stopped
        stack.clients.states.stop_execution(executionArn=started["executionArn"])
    if status != "RUNNING":
        stack.settled(name)
    for _ in range(2):
        assert _messages(stack.starter(), s3_event(reference)) == {"batchItemFailures": []}
    found = stack.clients.states.describe_execution(executionArn=started["executionArn"])
    assert (found["status"], found["input"]) == (status, '{"started": "by another hand"}')
    assert stack.names() == [name]
    shown = "FAILED" if status == "ABORTED" else status
    assert stack.executions(run_seconds=-3600).describe(name).status == shown


def test_events_of_a_failed_execution_start_nothing(stack: Stack) -> None:
    stack.machine_now(fails("Validation failed"))
    reference = stack.put("a.dcm")
    starter = stack.starter()
    _messages(starter, s3_event(reference))
    stack.settled(execution_name(NAMING, reference))
    stack.machine_now(WAITS)
    _messages(starter, s3_event(reference))
    assert stack.names() == [execution_name(NAMING, reference)]


def test_only_the_failed_messages_are_answered(stack: Stack) -> None:
    good, more = stack.put("a.dcm"), stack.put("b.dcm")
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": RAW}
    answer = _messages(
        stack.starter(),
        s3_event(good),
        "no JSON",
        {"Records": [{"s3": {"bucket": {}}}]},
        "[1]",
        {"something": "else"},
        test_event,
        s3_event(more),
    )
    assert failed(answer) == ["m1", "m2", "m3", "m4"]
    assert len(stack.names()) == 2


def test_a_message_whose_one_object_fails_comes_again_and_the_rest_of_it_is_done(stack: Stack) -> None:
    references = [stack.put(f"{number}.dcm") for number in range(3)]
    throttled = stack.with_clients(states=_Throttled(stack.clients.states, allowed=2))
    event = s3_event(*references)
    assert failed(_messages(throttled.starter(), event)) == ["m0"]
    assert len(stack.names()) == 2
    assert _messages(stack.starter(), event) == {"batchItemFailures": []}
    assert stack.names() == sorted(execution_name(NAMING, one) for one in references)


def test_a_poisoned_message_is_a_dead_letter_after_three(stack: Stack) -> None:
    sqs, starter = stack.clients.sqs, stack.starter()
    sqs.send_message(QueueUrl=stack.queue_url, MessageBody="poison")
    good = stack.put("a.dcm")
    stack.queue().send([good])
    for _ in range(4):
        _deliver(stack, starter)
    assert stack.names() == [execution_name(NAMING, good)]
    (letter,) = stack.executions().list(dead_letter=True)
    assert (letter.status, letter.error, letter.dead_letter) == (Status.FAILED, "Dead letter", True)


def _deliver(stack: Stack, starter: Starter) -> None:
    """Do what Lambda's poller does: what the function did not fail is deleted, the rest shows again."""
    sqs = stack.clients.sqs
    received = sqs.receive_message(QueueUrl=stack.queue_url, MaxNumberOfMessages=10).get("Messages", [])
    if not received:
        return
    event = {"Records": [message(one["MessageId"], one["Body"]) for one in received]}
    bad = failed(handle(event, CONTEXT, starter))
    for one in received:
        handle_of = {"QueueUrl": stack.queue_url, "ReceiptHandle": one["ReceiptHandle"]}
        if one["MessageId"] in bad:
            sqs.change_message_visibility(**handle_of, VisibilityTimeout=0)
        else:
            sqs.delete_message(**handle_of)


def test_one_object_can_be_started_by_hand_and_is_named_by_the_version_that_is_there(stack: Stack) -> None:
    reference = stack.put("folder/a.dcm")
    starter = stack.starter()
    by_hand = handle({"reference": {"bucket": RAW, "key": "folder/a.dcm"}}, CONTEXT, starter)
    name = execution_name(NAMING, reference)
    assert by_hand == {"started": 1, "ignored": 0, "duplicates": 0, "executions": [name]}
    assert handle(s3_event(reference), CONTEXT, starter)["duplicates"] == 1
    assert stack.names() == [name]


def test_a_redrive_by_hand_starts_a_failed_execution_anew(stack: Stack) -> None:
    stack.machine_now(fails("Validation failed"))
    reference = stack.put("a.dcm")
    starter = stack.starter()
    name = starter.take(reference, Meter()).name
    with pytest.raises(BadInput):
        handle({"redrive": name}, CONTEXT, starter)
    ended = starter.executions.runs.of_event(stack.detail(name))
    assert ended
    starter.executions.ledger.finish(ended)
    assert handle({"redrive": name}, CONTEXT, starter) == {
        "execution": name,
        "status": "RUNNING",
        "attempt": 2,
    }
    assert stack.names() == [name, f"{name}-2"]
    with pytest.raises(NotFound):
        handle({"redrive": "0" * 40}, CONTEXT, starter)


def test_a_batch_of_the_backfill_starts_what_events_would_and_repeats_nothing(stack: Stack) -> None:
    reference = stack.put("a.dcm")
    stack.put("notes.txt", b"not an image")
    items = [{"Bucket": RAW, "Key": key} for key in ("a.dcm", "notes.txt", "folder/", "gone.dcm")]
    starter = stack.starter()
    starter.take(reference, Meter())
    assert handle({"Items": items}, CONTEXT, starter) == {"started": 0, "ignored": 3, "duplicates": 1}
    assert handle(items[0], CONTEXT, starter)["duplicates"] == 1
    assert stack.names() == [execution_name(NAMING, reference)]
    with pytest.raises(BadInput):
        handle({"Items": [{"Key": "a.dcm"}]}, CONTEXT, starter)


def test_a_batch_of_the_backfill_that_could_not_start_all_is_tried_again(stack: Stack) -> None:
    for number in range(3):
        stack.put(f"{number}.dcm")
    items = {"Items": [{"Bucket": RAW, "Key": f"{number}.dcm"} for number in range(3)]}
    throttled = stack.with_clients(states=_Throttled(stack.clients.states, allowed=1))
    with pytest.raises(Unavailable, match="2 of 3"):
        handle(items, CONTEXT, throttled.starter())
    assert handle(items, CONTEXT, stack.starter()) == {"started": 2, "ignored": 0, "duplicates": 1}
    assert len(stack.names()) == 3


def test_what_is_no_event_is_refused(stack: Stack) -> None:
    for event in ({}, {"Records": None}, {"reference": {"key": "a"}}, {"reference": "a"}):
        with pytest.raises(BadInput):
            handle(event, CONTEXT, stack.starter())


def test_the_function_works_with_the_settings_of_its_template(functions: Stack) -> None:
    reference = functions.put("a.dcm")
    assert lambda_handler(batch(s3_event(reference), "poison"), CONTEXT) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
    assert functions.names() == [execution_name(NAMING, reference)]
    with pytest.raises(BadInput) as told:
        lambda_handler({"reference": {"bucket": RAW}}, CONTEXT)
    assert told.value.__cause__ is told.value.__context__ is None
