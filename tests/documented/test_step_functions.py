"""`StepFunctionsHandler`: each printed example, and what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from scanward.errors import BadInput, NotFound, Refused
from src.orchestration.step_functions import StepFunctionsHandler
from tests.documented.printed import run

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("_aws")]

ROLE = "arn:aws:iam::123456789012:role/StepFunctionsRole"
WAITING: dict[str, Any] = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
DEFINITION: dict[str, Any] = {
    "Comment": "${S3Bucket}",
    "StartAt": "Read",
    "TimeoutSeconds": "${Limit}",
    "States": {
        "Read": {
            "Type": "Task",
            "Resource": "${LambdaArn}",
            "TimeoutSeconds": "${Limit}",
            "Arguments": {
                "places": ["s3://${S3Bucket}/${Prefix}x", {"at": "${S3Bucket}"}],
                "jsonata": "{% $states.input.reference & '${S3Bucket}' %}",
                "other": "${aws:PrincipalTag/x} $.S3Bucket $${",
                "number": "${Limit}",
            },
            "Retry": [{"ErrorEquals": ["Unavailable"], "MaxAttempts": 3, "BackoffRate": 2.0}],
            "End": True,
        }
    },
}


@pytest.fixture
def handler(_aws: None) -> StepFunctionsHandler:
    return StepFunctionsHandler()


@pytest.fixture
def machine(handler: StepFunctionsHandler) -> str:
    return str(handler.create_state_machine("my-workflow", WAITING, ROLE)["state_machine_arn"])


def test_the_create_example_prints_the_machine_s_arn(capsys: pytest.CaptureFixture[str]) -> None:
    run(
        "StepFunctionsHandler.create_state_machine",
        {"StepFunctionsHandler": StepFunctionsHandler},
        {'"StartAt": "..."': '"StartAt": "Done"', "{...}": json.dumps(WAITING["States"])},
    )

    assert capsys.readouterr().out == "arn:aws:states:us-east-1:123456789012:stateMachine:my-workflow\n"


def test_the_start_example_starts_an_execution(handler: StepFunctionsHandler, machine: str) -> None:
    names = run("StepFunctionsHandler.start_execution", {"handler": handler}, {"arn:aws:states:...": machine})

    assert set(names["result"]) == {"execution_arn", "start_date"}  # type: ignore[call-overload]  # a name of the example
    described = handler.describe_execution(str(names["execution_arn"]))
    assert described["input"] == {"Records": [{"s3": {"bucket": {"name": "..."}, "object": {"key": "..."}}}]}


def test_the_describe_example_prints_status_error_and_cause(
    handler: StepFunctionsHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:execution:my-workflow:one"
    with Stubber(handler.sfn_client) as aws:
        aws.add_response(
            "describe_execution",
            {
                "executionArn": arn,
                "stateMachineArn": arn,
                "name": "one",
                "status": "FAILED",
                "startDate": 0,
                "stopDate": 1,
                "input": "{}",
                "error": "Validation failed",
                "cause": "The object has no StudyInstanceUID.",
            },
            {"executionArn": "arn:aws:states:..."},
        )
        names = run("StepFunctionsHandler.describe_execution", {"handler": handler})

    assert capsys.readouterr().out.splitlines() == [
        "Status: FAILED",
        "Error: Validation failed",
        "Cause: The object has no StudyInstanceUID.",
    ]
    assert list(names["details"]) == [  # type: ignore[call-overload]  # a name of the example
        "execution_arn", "state_machine_arn", "name", "status", "start_date", "stop_date", "input", "output",
        "error", "cause",
    ]  # fmt: skip


def test_a_running_execution_has_neither_output_nor_error(
    handler: StepFunctionsHandler, machine: str
) -> None:
    started = handler.start_execution(machine, {"a": 1}, "one")

    described = handler.describe_execution(started["execution_arn"])

    assert (described["name"], described["status"], described["input"]) == ("one", "RUNNING", {"a": 1})
    assert [described[name] for name in ("stop_date", "output", "error", "cause")] == [None] * 4


def test_the_substitute_example_replaces_its_two_variables(
    handler: StepFunctionsHandler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("workflow.json").write_text(json.dumps(DEFINITION))

    names = run("StepFunctionsHandler.substitute_variables", {"handler": handler})

    arn = "arn:aws:lambda:us-east-1:123456789012:function:my-func"
    read: Any = names["substituted"]
    assert names["definition"] == DEFINITION
    assert read["Comment"] == "my-bucket"
    assert read["States"]["Read"]["Resource"] == arn
    assert read["States"]["Read"]["Arguments"]["places"] == ["s3://my-bucket/${Prefix}x", {"at": "my-bucket"}]


def test_only_placeholders_change_and_only_where_a_number_is_wanted_do_they_become_one(
    handler: StepFunctionsHandler, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    given = copy.deepcopy(DEFINITION)

    read = handler.substitute_variables(given, {"S3Bucket": "b", "LambdaArn": "${S3Bucket}", "Limit": "300"})

    expected = copy.deepcopy(DEFINITION)
    expected["Comment"] = "b"
    expected["TimeoutSeconds"] = expected["States"]["Read"]["TimeoutSeconds"] = 300
    expected["States"]["Read"]["Resource"] = "${S3Bucket}"
    expected["States"]["Read"]["Arguments"] = {
        "places": ["s3://b/${Prefix}x", {"at": "b"}],
        "jsonata": "{% $states.input.reference & 'b' %}",
        "other": "${aws:PrincipalTag/x} $.S3Bucket $${",
        "number": "300",
    }
    assert read == expected
    assert given == DEFINITION
    assert log_lines()[-1]["details"] == {"left": ["Prefix", "S3Bucket"]}


def test_a_number_s_variable_that_is_none_is_refused(handler: StepFunctionsHandler) -> None:
    with pytest.raises(BadInput, match="TimeoutSeconds"):
        handler.substitute_variables({"TimeoutSeconds": "${Limit}"}, {"Limit": "soon"})
    with pytest.raises(BadInput, match="Limit"):
        handler.substitute_variables({"TimeoutSeconds": "${Limit}"}, {"Limit": None})  # type: ignore[dict-item]  # the point of the test
    assert handler.substitute_variables({"TimeoutSeconds": "${Limit}"}, {}) == {"TimeoutSeconds": "${Limit}"}
    assert handler.substitute_variables({"BackoffRate": "${Rate}"}, {"Rate": "1.5"}) == {"BackoffRate": 1.5}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"StartAt": "A",\n "States": }', "line 2, column 12"),
        (b"[]", "object"),
        (b'{"Comment": "no states"}', "StartAt and no States"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_that_is_no_definition_is_refused_with_its_place(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "workflow.json"
    path.write_bytes(content)

    with pytest.raises(BadInput, match=said):
        StepFunctionsHandler.load_state_machine_definition(str(path))


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        StepFunctionsHandler.load_state_machine_definition(str(tmp_path / "absent.json"))


def test_a_machine_with_placeholders_left_is_refused_by_their_names(handler: StepFunctionsHandler) -> None:
    with pytest.raises(BadInput, match="LambdaArn, Limit, Prefix, S3Bucket"):
        handler.create_state_machine("my-workflow", DEFINITION, ROLE)


def test_a_machine_takes_tags_in_either_spelling_and_a_logging_configuration(
    handler: StepFunctionsHandler,
) -> None:
    logging_config = {"level": "ERROR", "includeExecutionData": False}
    with Stubber(handler.sfn_client) as aws:
        aws.add_response(
            "create_state_machine",
            {"stateMachineArn": "arn", "creationDate": 0},
            {
                "name": "m",
                "type": "STANDARD",
                "definition": json.dumps(WAITING),
                "roleArn": ROLE,
                "loggingConfiguration": logging_config,
                "tags": [{"key": "Project", "value": "p"}, {"key": "Environment", "value": "dev"}],
            },
        )
        made = handler.create_state_machine(
            "m",
            WAITING,
            ROLE,
            logging_config,
            [{"Key": "Project", "Value": "p"}, {"key": "Environment", "value": "dev"}],
        )
    assert set(made) == {"state_machine_arn", "creation_date"}


@pytest.mark.parametrize("name", ["", "a" * 81, "a b", "patient/1", "ä", "a.b", None])
def test_a_name_that_is_no_name_is_refused(handler: StepFunctionsHandler, machine: str, name: str) -> None:
    with pytest.raises(BadInput, match="1 to 80"):
        handler.create_state_machine(name, WAITING, ROLE)
    if name is not None:
        with pytest.raises(BadInput, match="1 to 80"):
            handler.start_execution(machine, {}, name)


def test_a_name_starts_one_execution_while_it_runs_and_is_taken_for_another_input(
    handler: StepFunctionsHandler, machine: str
) -> None:
    first = handler.start_execution(machine, {"a": 1}, "one")

    assert handler.start_execution(machine, {"a": 1}, "one")["execution_arn"] == first["execution_arn"]
    with pytest.raises(BadInput, match="90 days"):
        handler.start_execution(machine, {"a": 2}, "one")
    assert len(handler.list_executions(machine)) == 1


@pytest.mark.parametrize(
    "given", [{"a": {...}}, {"a": float("nan")}, {"a": "\ud800"}, {"a": "x" * (256 << 10)}]
)
def test_an_input_that_is_no_json_or_too_long_is_refused(
    handler: StepFunctionsHandler, machine: str, given: dict[str, Any]
) -> None:
    with pytest.raises(BadInput, match="JSON"):
        handler.start_execution(machine, given)


def test_executions_are_listed_over_pages_up_to_the_number_asked_for(
    handler: StepFunctionsHandler, machine: str
) -> None:
    for i in range(120):
        handler.start_execution(machine, {}, f"run-{i}")

    assert len(handler.list_executions(machine)) == 100
    everything = handler.list_executions(machine, "RUNNING", 1000)
    assert {one["name"] for one in everything} == {f"run-{i}" for i in range(120)}
    assert set(everything[0]) == {"execution_arn", "name", "status", "start_date", "stop_date"}
    assert handler.list_executions(machine, status_filter="FAILED") == []


def test_pages_are_followed_to_the_end(handler: StepFunctionsHandler) -> None:
    def page(start: int) -> list[dict[str, Any]]:
        return [
            {
                "executionArn": str(i),
                "stateMachineArn": "m",
                "name": str(i),
                "status": "FAILED",
                "startDate": 0,
            }
            for i in range(start, start + 1000)
        ]

    with Stubber(handler.sfn_client) as aws:
        asked = {"stateMachineArn": "m", "statusFilter": "FAILED", "maxResults": 1000}
        aws.add_response("list_executions", {"executions": page(0), "nextToken": "t"}, asked)
        aws.add_response("list_executions", {"executions": page(1000)}, {**asked, "nextToken": "t"})
        listed = handler.list_executions("m", "FAILED", 1500)

    assert [one["name"] for one in listed] == [str(i) for i in range(1500)]


def test_a_status_or_a_number_that_is_none_is_refused(handler: StepFunctionsHandler, machine: str) -> None:
    with pytest.raises(BadInput, match="TIMED_OUT"):
        handler.list_executions(machine, "DONE")
    for wrong in (0, -1, True, "5"):
        with pytest.raises(BadInput, match="max_results"):
            handler.list_executions(machine, max_results=wrong)  # type: ignore[arg-type]  # the point of the test


def test_what_is_missing_wrong_or_denied_is_told_apart(handler: StepFunctionsHandler, machine: str) -> None:
    with pytest.raises(NotFound):
        handler.describe_execution(machine.replace("stateMachine", "execution") + ":absent")
    with pytest.raises(NotFound):
        handler.start_execution(machine + "-absent", {})
    for code, kind in (("InvalidArn", BadInput), ("AccessDeniedException", Refused)):
        with Stubber(handler.sfn_client) as aws:
            aws.add_client_error("describe_execution", code, "arn of doe", 400)
            with pytest.raises(kind) as told:
                handler.describe_execution("x")
        assert "doe" not in str(told.value)
