"""Least privilege is real: take one right away and the run breaks with Access Denied, until it is back."""

from __future__ import annotations

import json

import pytest

from tests.emulator import leaks
from tests.emulator.objects import NEEDLES, corrupt, scan
from tests.emulator.stack import Stack
from tests.emulator.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        ("Ingestion", ("s3:GetObject", "s3:GetObjectVersion")),
        ("Validation", ("s3:GetObject", "s3:GetObjectVersion")),
        ("Deidentification", ("s3:GetObject", "s3:GetObjectVersion")),
        ("Deidentification", ("s3:PutObject",)),
        ("Deidentification", ("secretsmanager:GetSecretValue",)),
    ],
)
def test_a_step_without_its_right_fails_and_the_redriven_execution_succeeds(
    stack: Stack, function: str, actions: tuple[str, ...]
) -> None:
    key = f"denied/{function}-{actions[0].split(':')[1]}.dcm"
    with stack.without(function, *actions):
        stack.start_cold(function)  # it may remember the secret
        stack.upload(key, scan(61))
        failed = stack.result(key)
    assert (failed["status"], failed["error"]) == ("FAILED", "Access Denied"), failed.get("cause")
    assert key not in stack.keys(stack.processed)
    wait_for(lambda: stack.row_of(key).get("status") == "FAILED", "the recorded end")
    run = stack.scanward("executions", "redrive", "--engine", "aws", failed["name"])
    assert run.returncode == 0, run.stderr
    _, again = stack.ended(key, count=2)
    assert again["name"] == f"{failed['name']}-2"
    assert again["status"] == "SUCCEEDED", again.get("cause")
    assert key in stack.keys(stack.processed)
    row = wait_for(lambda: stack.row_of(key, "SUCCEEDED"), "the recorded end of the second attempt")
    assert row["attempts"] == 2


def test_a_state_machine_that_may_not_call_a_step_fails_and_is_a_dead_letter(stack: Stack) -> None:
    iam, key = stack.account.client("iam"), "denied/machine.dcm"
    states = stack.account.client("stepfunctions")
    role = states.describe_state_machine(stateMachineArn=stack.machine)["roleArn"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        stack.upload(key, scan(66))
        failed = stack.result(key)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    assert failed["status"] == "FAILED"
    wait_for(lambda: stack.row_of(key, "DEAD"), "the dead letter")
    run = stack.scanward("executions", "redrive", "--engine", "aws", failed["name"])
    assert run.returncode == 0, run.stderr
    assert stack.ended(key, count=2)[1]["status"] == "SUCCEEDED"


def test_quarantine_without_its_right_ends_as_failed_with_both_reasons(stack: Stack) -> None:
    key = "denied/quarantine.dcm"
    with stack.without("Quarantine", "s3:PutObject"):
        stack.upload(key, corrupt(62))
        failed = stack.result(key)
    assert (failed["status"], failed["error"]) == ("FAILED", "Invalid DICOM file")
    assert "Access Denied" in failed["cause"]
    assert not [name for name in stack.keys(stack.raw) if failed["name"] in name]


def test_a_message_that_fails_three_times_is_a_dead_letter_and_loses_nothing(stack: Stack) -> None:
    key = "denied/starter.dcm"
    with stack.events.tried_again_after(1), stack.without("Starter", "states:StartExecution"):
        stack.upload(key, scan(63))
        wait_for(lambda: stack.events.waiting(stack.outputs["DeadLetterQueueUrl"]), "the dead letter")
        assert stack.executions_of(key) == []
        assert [line for line in stack.logged("Starter") if '"exception":"Refused"' in line]
    (letter,) = [row for row in stack.listed("--dead-letter") if row["id"].startswith("sqs-")]
    run = stack.scanward("executions", "redrive", "--engine", "aws", letter["id"])
    assert run.returncode == 0, run.stderr
    assert stack.result(key)["status"] == "SUCCEEDED"
    assert stack.events.waiting(stack.outputs["DeadLetterQueueUrl"]) == 0


def test_a_poisoned_message_ends_as_a_dead_letter_and_the_rest_goes_on(stack: Stack) -> None:
    with stack.events.tried_again_after(1):
        stack.events.send('{"Records": "poison"}')
        stack.events.send("no JSON at all")
        stack.upload("beside/poison.dcm", scan(65))
        assert stack.result("beside/poison.dcm")["status"] == "SUCCEEDED"
        wait_for(lambda: stack.events.waiting(stack.outputs["DeadLetterQueueUrl"]) == 2, "both letters")
    letters = {row["id"] for row in stack.listed("--dead-letter") if row["id"].startswith("sqs-")}
    assert len(letters) == 2
    stack.account.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])


def test_a_recorder_without_its_right_is_heard_and_the_work_is_done_anyway(stack: Stack) -> None:
    key = "denied/recorder.dcm"
    with stack.without("Recorder", "dynamodb:UpdateItem"):
        stack.upload(key, scan(64))
        assert stack.result(key)["status"] == "SUCCEEDED"
        wait_for(
            lambda: [line for line in stack.logged("Recorder") if "Access Denied" in line], "the complaint"
        )
        assert stack.row_of(key)["shelf"] == "RUNNING"
    # Lambda tries a failed event again, minutes later; the emulator does at once, so it is sent again here.
    stack.tell_of_an_end(stack.result(key))
    wait_for(lambda: stack.row_of(key, "SUCCEEDED"), "the recorded end")


def test_no_refusal_and_no_dead_letter_tells_who_the_patients_are(stack: Stack) -> None:
    stack.settle()
    assert leaks.found(stack, NEEDLES) == {}
