"""Whatever line a process dies at, the repeat that AWS brings leaves all as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import pytest

from scanward.adapters.aws.naming import execution_name
from scanward.adapters.aws.notifier import SnsNotifier
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.entrypoints.aws_lambda.recorder import Recorder
from scanward.errors import BadInput, NotFound
from scanward.ports.executions import Execution, Status
from tests.lambda_start.crashing import Died, Fuse, dying
from tests.lambda_start.stack import NAMING, SUCCEEDS, WAITS, Stack, fails

pytestmark = pytest.mark.integration

_MOST_CALLS = 30


def _crashes(stack: Stack, work: Callable[[Stack, int], None], before: Callable[[int], None]) -> int:
    """Prepare and do work again and again, dying before and after each call; return how many calls it has."""
    for at in range(_MOST_CALLS):
        for after in (False, True):
            number = 2 * at + after
            before(number)
            fuse = Fuse(at, after)
            try:
                work(dying(stack, fuse), number)
            except Died:
                work(stack, number)  # the repeat
            else:
                assert fuse.calls == at
                return at
    raise AssertionError("it makes too many calls")


def test_a_start_that_dies_at_any_line_is_made_good_by_the_redelivered_message(stack: Stack) -> None:
    references = {}

    def before(number: int) -> None:
        references[number] = stack.put(f"{number}", b"\0" * 128 + b"DICM")

    def work(seen: Stack, number: int) -> None:
        seen.starter().take(references[number], Meter())

    calls = _crashes(stack, work, before)
    assert calls >= 4  # the sniff, the row, the run, the mark
    names = sorted(execution_name(NAMING, reference) for reference in references.values())
    assert stack.names() == names
    rows = stack.rows()
    assert sorted(row["id"]["S"] for row in rows) == names
    assert all(row["marked"]["BOOL"] and row["status"]["S"] == "RUNNING" for row in rows)


def test_a_start_that_never_comes_again_is_a_dead_letter_that_can_be_redriven(stack: Stack) -> None:
    reference = stack.put("a.dcm")
    with pytest.raises(Died):
        dying(stack, Fuse(1, after=False)).starter().take(reference, Meter())
    name = execution_name(NAMING, reference)
    assert stack.executions().describe(name).status is Status.RUNNING
    late = stack.executions(run_seconds=-3600)
    assert [one.id for one in late.list()] == [name]
    (given_up,) = late.list(dead_letter=True)
    assert (given_up.status, given_up.error) == (Status.FAILED, "Not started")
    anew = late.redrive(name)
    assert (anew.status, anew.attempts) == (Status.RUNNING, 2)
    assert stack.names() == [f"{name}-2"]


def test_a_message_that_comes_after_all_revives_what_was_given_up(stack: Stack) -> None:
    reference = stack.put("a.dcm")
    with pytest.raises(Died):
        dying(stack, Fuse(1, after=False)).starter().take(reference, Meter())
    name = execution_name(NAMING, reference)
    assert stack.executions(run_seconds=-3600).describe(name).status is Status.FAILED
    assert stack.starter().take(reference, Meter()).started
    found = stack.executions().describe(name)
    assert (found.status, found.error, found.dead_letter, found.stopped) == (Status.RUNNING, "", False, None)


def test_an_end_whose_recorder_dies_at_any_line_is_recorded_once_and_told_at_least_once(
    stack: Stack,
) -> None:
    stack.machine_now(fails("Service unavailable", "KMS did not answer."))
    sqs, sns = stack.clients.sqs, stack.clients.sns
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=stack.topic, Protocol="sqs", Endpoint=arn)
    names = {}

    def before(number: int) -> None:
        names[number] = stack.starter().take(stack.put(f"{number}.dcm"), Meter()).name

    def work(seen: Stack, number: int) -> None:
        recorder = Recorder(seen.executions(), SnsNotifier(seen.topic, seen.clients.sns))
        recorder.record(stack.detail(names[number]), Meter())

    calls = _crashes(stack, work, before)
    assert calls >= 4  # the history, the row, whether it was told, the notice, the mark
    found = stack.executions().list()
    assert {one.id for one in found} == set(names.values())
    assert all((one.status, one.dead_letter) == (Status.FAILED, True) for one in found)
    assert all(row["told"]["BOOL"] for row in stack.rows())
    told = []
    while messages := sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10).get("Messages"):
        told += [json.loads(json.loads(one["Body"])["Message"])["execution"] for one in messages]
        for one in messages:
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=one["ReceiptHandle"])
    assert set(told) == set(names.values())
    assert len(told) <= len(names) + 2


def test_a_redrive_that_dies_at_any_line_is_made_good_by_its_repeat(stack: Stack) -> None:
    names: dict[int, str] = {}

    def before(number: int) -> None:
        stack.machine_now(fails("Service unavailable"))
        starter = stack.starter()
        names[number] = starter.take(stack.put(f"{number}.dcm"), Meter()).name
        Recorder(starter.executions).record(stack.detail(names[number]), Meter())
        stack.machine_now(WAITS)

    def work(seen: Stack, number: int) -> None:
        # One that died behind the mark has nothing left to do: the repeat is refused then.
        with contextlib.suppress(BadInput):
            seen.executions().redrive(names[number])

    _crashes(stack, work, before)
    assert stack.names() == sorted(name for one in names.values() for name in (one, f"{one}-2"))
    assert all((one.status, one.attempts) == (Status.RUNNING, 2) for one in stack.executions().list())


def test_a_redrive_of_a_dead_letter_that_dies_at_any_line_never_loses_it(stack: Stack) -> None:
    sqs = stack.clients.sqs
    letters: dict[int, Execution] = {}

    def before(number: int) -> None:
        sqs.send_message(QueueUrl=stack.dead_letter_url, MessageBody=json.dumps({"number": number}))
        (letters[number],) = stack.queue().dead_letters()

    def work(seen: Stack, number: int) -> None:
        queue = seen.queue()
        with contextlib.suppress(NotFound):  # gone, or hidden for half a minute from the one that died
            queue.redrive(letters[number].id)
        _show_all()
        with contextlib.suppress(NotFound):
            queue.redrive(letters[number].id)

    _crashes(stack, work, before)
    sent = set()
    while messages := sqs.receive_message(QueueUrl=stack.queue_url, MaxNumberOfMessages=10).get("Messages"):
        sent |= {json.loads(one["Body"])["number"] for one in messages}
    assert sent == set(letters)


def _show_all() -> None:
    """Let the half minute pass that SQS hides what somebody received."""
    from moto.sqs.models import sqs_backends  # noqa: PLC0415 - its clock is moto's own affair

    for queue in sqs_backends["123456789012"]["eu-central-1"].queues.values():
        for one in queue._messages:  # noqa: SLF001 - as above
            one.visible_at = 0


def test_a_success_is_counted_once_however_often_it_is_told(stack: Stack) -> None:
    stack.machine_now(SUCCEEDS)
    starter = stack.starter()
    name = starter.take(stack.put("a.dcm"), Meter()).name
    recorder, detail = Recorder(starter.executions), stack.detail(name)
    assert [recorder.record(detail, Meter()) for _ in range(3)] == [True, False, False]
    found = starter.executions.statistics()
    assert (found["objects_succeeded"], found["bytes"], found["objects_running"]) == (1, 132, 0)
