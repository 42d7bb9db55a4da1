"""`scanward executions --engine aws` and `scanward backfill`: the same words as for one machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanward.adapters.aws.backfill import Backfill, Order
from scanward.adapters.aws.clients import client
from scanward.entrypoints.aws_lambda.metrics import Meter
from scanward.entrypoints.aws_lambda.recorder import Recorder
from scanward.entrypoints.cli.backfilling import run_backfill
from scanward.entrypoints.cli.door import run
from scanward.errors import BadInput, Misconfigured, NotFound
from tests.lambda_start.stack import RAW, ROLE, WAITS, Stack, fails

pytestmark = pytest.mark.integration

DEFINITION = Path("state_machines/backfill_workflow.json")


@pytest.fixture
def shell(functions: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Give the shell what a person sets: the stack's outputs."""
    monkeypatch.setenv("SCANWARD_AWS_QUEUE_URL", functions.queue_url)
    monkeypatch.setenv("SCANWARD_AWS_DEAD_LETTER_URL", functions.dead_letter_url)
    yield functions
    client.cache_clear()  # type: ignore[attr-defined]  # its overloads hide the cache


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run([*arguments]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def _failed(stack: Stack, key: str = "patient1/a.dcm") -> str:
    stack.machine_now(fails("Service unavailable", "The key did not answer."))
    starter = stack.starter()
    name = starter.take(stack.put(key), Meter()).name
    Recorder(starter.executions).record(stack.detail(name), Meter())
    stack.machine_now(WAITS)
    return name


def test_executions_are_listed_described_and_redriven_as_on_one_machine(
    shell: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _failed(shell)
    aws = ("--engine", "aws")
    table = _printed(capsys, "executions", "list", *aws)
    assert name in table
    assert "FAILED" in table
    assert "1, given up" in table
    (row,) = json.loads(_printed(capsys, "executions", "list", *aws, "--json"))
    assert (row["id"], row["status"], row["raw_key"]) == (name, "FAILED", "patient1/a.dcm")
    assert "The key did not answer." in _printed(capsys, "executions", "describe", *aws, name)
    arn = shell.executions().runs.arn(name)
    assert json.loads(_printed(capsys, "executions", "describe", *aws, arn, "--json"))["id"] == name
    assert _printed(capsys, "executions", "redrive", *aws, name) == f"{name} RUNNING\n"
    assert shell.names() == [name, f"{name}-2"]
    assert "Only a FAILED" in _printed(capsys, "executions", "redrive", *aws, name, code=2)
    assert "no such execution" in _printed(capsys, "executions", "describe", *aws, "0" * 40, code=2)


def test_a_page_tells_how_to_see_the_next(shell: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    names = [shell.starter().take(shell.put(f"{number}.dcm"), Meter()).name for number in range(3)]
    first = _printed(capsys, "executions", "list", "--engine", "aws", "--limit", "2")
    assert f"executions list --engine aws --after {names[1]}" in first
    rest = _printed(capsys, "executions", "list", "--engine", "aws", "--after", names[1], "--json")
    assert [one["id"] for one in json.loads(rest)] == [names[0]]


def test_dead_letters_of_both_kinds_are_listed_and_redriven(
    shell: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _failed(shell)
    shell.clients.sqs.send_message(QueueUrl=shell.dead_letter_url, MessageBody='{"Records": []}')
    listed = json.loads(_printed(capsys, "executions", "list", "--engine", "aws", "--dead-letter", "--json"))
    letter, given_up = (one["id"] for one in listed)
    assert (letter[:4], given_up) == ("sqs-", name)
    said = _printed(capsys, "executions", "redrive", "--engine", "aws", letter, given_up)
    assert said == f"{letter} RUNNING\n{name} RUNNING\n"
    assert shell.queue().depths() == (1, 0)


def test_what_was_ignored_is_listed_with_its_reason(shell: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    starter = shell.starter()
    for number in range(3):
        starter.take(shell.put(f"notes-{number}.txt", b"no image"), Meter())
    table = _printed(capsys, "executions", "ignored", "--limit", "2")
    assert "notes-2.txt" in table
    assert "not-dicom" in table
    first = json.loads(_printed(capsys, "executions", "ignored", "--limit", "2", "--json"))
    assert f"executions ignored --after {first[1]['id']}" in table
    rest = json.loads(_printed(capsys, "executions", "ignored", "--after", first[1]["id"], "--json"))
    assert [(one["raw_key"], one["reason"], one["size"]) for one in rest] == [("notes-0.txt", "not-dicom", 8)]
    assert _printed(capsys, "executions", "list", "--engine", "aws", "--json") == "[]\n"


@pytest.mark.parametrize(
    ("unset", "arguments"),
    [
        ("SCANWARD_AWS_EXECUTIONS_TABLE", ("executions", "list", "--engine", "aws")),
        ("SCANWARD_AWS_STATE_MACHINE_ARN", ("executions", "describe", "--engine", "aws", "x")),
        ("SCANWARD_AWS_DEAD_LETTER_URL", ("executions", "redrive", "--engine", "aws", "x")),
        ("SCANWARD_AWS_BACKFILL_ARN", ("backfill", "s3://bucket")),
        ("AWS_DEFAULT_REGION", ("executions", "list", "--engine", "aws")),
    ],
)
def test_a_setting_that_is_missing_is_named(
    shell: Stack,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    unset: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.delenv(unset, raising=False)
    client.cache_clear()  # type: ignore[attr-defined]  # its overloads hide the cache
    assert shell
    assert unset in _printed(capsys, *arguments, code=3)


def test_a_setting_that_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANWARD_AWS_EXECUTION_SECONDS", "soon")
    said = _printed(capsys, "executions", "list", "--engine", "aws", code=2)
    assert "SCANWARD_AWS_EXECUTION_SECONDS" in said
    assert "soon" not in said


def test_a_folder_of_this_machine_does_not_go_with_aws(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = _printed(capsys, "executions", "list", "--engine", "aws", "--data", str(tmp_path), code=2)
    assert "--engine aws" in said


def _machine(stack: Stack, start: dict[str, Any]) -> str:
    """Deploy the backfill as far as moto runs it: no batches, no Express, no function."""
    definition = json.loads(DEFINITION.read_text())
    map_state = definition["States"]["Backfill"]
    del map_state["ItemBatcher"]
    map_state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "STANDARD"
    map_state["ItemProcessor"]["States"]["Start"] = start
    made = stack.clients.states.create_state_machine(
        name="dicom-backfill-workflow-dev", definition=json.dumps(definition), roleArn=ROLE
    )
    return str(made["stateMachineArn"])


def test_a_backfill_goes_through_what_a_prefix_holds_and_says_so(
    functions: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("old/1.dcm", "old/2.dcm", "old/3.dcm", "new/1.dcm"):
        functions.put(key)
    machine = _machine(functions, {"Type": "Pass", "Next": "Sent"})
    backfill = Backfill(machine, RAW, functions.clients.states)
    order = Order.of(f"s3://{RAW}/old/", 2, 3, 5.0)
    assert run_backfill(backfill, order, wait=True, json=True, pause=0.5) == 0
    said = json.loads(capsys.readouterr().out)
    assert said | {"execution": ""} == {
        "execution": "",
        "status": "SUCCEEDED",
        "objects": 3,
        "sent": 3,
        "failed": 0,
        "error": "",
    }
    assert "old" not in said["execution"]
    found = functions.clients.states.describe_execution(executionArn=said["execution"])
    given = {"batch_size": 2, "max_concurrency": 3, "tolerated_failure_percentage": 5.0}
    assert json.loads(found["input"]) == {"bucket": RAW, "prefix": "old/", **given}


def test_a_backfill_that_failed_is_told_with_what_to_do(
    functions: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    backfill = Backfill(_machine(functions, {"Type": "Pass", "Next": "Sent"}), "", functions.clients.states)
    order = Order("a-bucket-that-is-not-there")
    assert run_backfill(backfill, order, wait=True, json=False, pause=0.5) == 1
    said = capsys.readouterr().out
    assert "FAILED" in said
    assert "Run it again" in said


def test_a_backfill_need_not_be_waited_for(functions: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    functions.put("old/1.dcm")
    backfill = Backfill(_machine(functions, {"Type": "Pass", "Next": "Sent"}), RAW, functions.clients.states)
    assert run_backfill(backfill, Order(RAW), wait=False, json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("address", "batch", "concurrency", "tolerated"),
    [
        ("bucket/prefix", 1, 1, 0),
        ("s3://", 1, 1, 0),
        ("s3:///prefix", 1, 1, 0),
        ("s3://bucket", 0, 1, 0),
        ("s3://bucket", 1, 0, 0),
        ("s3://bucket", 1, 1, 101),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    address: str, batch: int, concurrency: int, tolerated: float
) -> None:
    with pytest.raises(BadInput):
        Order.of(address, batch, concurrency, tolerated)


def test_the_prefix_of_an_order_is_a_text_that_keys_begin_with() -> None:
    assert Order.of("s3://bucket", 1, 1, 0).prefix == ""
    assert Order.of("s3://bucket/", 1, 1, 0).prefix == ""
    assert Order.of("s3://bucket/2019/study 1", 1, 1, 0) == Order("bucket", "2019/study 1", 1, 1, 0)


def test_a_backfill_of_another_bucket_or_without_a_machine_is_refused(functions: Stack) -> None:
    states = functions.clients.states
    with pytest.raises(BadInput, match="SCANWARD_AWS_RAW_BUCKET"):
        Backfill(functions.machine, RAW, states).start(Order("other"))
    with pytest.raises(NotFound):
        Backfill(f"{functions.machine}-gone", RAW, states).start(Order(RAW))
    with pytest.raises(Misconfigured, match="SCANWARD_AWS_BACKFILL_ARN"):
        Backfill("", RAW)
