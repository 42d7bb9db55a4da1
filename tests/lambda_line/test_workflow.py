"""The workflow's file against the pipeline and the errors it must know."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from scanward import errors, pipeline
from scanward.entrypoints.aws_lambda.handlers import STATES
from tests.lambda_line.states import FILE, workflow

pytestmark = pytest.mark.unit

TASKS = {name: state for name, state in workflow()["States"].items() if state["Type"] == "Task"}
TRANSIENT = {
    "Unavailable",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "States.Timeout",
    "Sandbox.Timedout",
}


def _walked() -> list[str]:
    states = workflow()["States"]
    walked, state = [], "Ingestion"
    while states[state]["Type"] == "Task":
        walked.append(state)
        state = states[state]["Next"]
    assert states[state]["Type"] == "Succeed"
    return walked


def test_the_states_take_the_steps_of_the_pipeline_in_its_order() -> None:
    assert _walked() == list(STATES)
    steps = [step for state in _walked() for step in STATES[state]]
    assert steps == ["receive", *(name for name, _ in pipeline.STEPS)]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_time_out_retries_and_a_catch_for_everything(name: str) -> None:
    task = TASKS[name]
    assert task["TimeoutSeconds"] == "${StateTimeoutSeconds}"
    assert task["Retry"]
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", TASKS)
def test_only_what_may_pass_is_retried_with_back_off_and_jitter(name: str) -> None:
    retriers = TASKS[name]["Retry"]
    assert {error for retrier in retriers for error in retrier["ErrorEquals"]} == TRANSIENT
    assert all(retrier["BackoffRate"] >= 2 and retrier["JitterStrategy"] == "FULL" for retrier in retriers)


@pytest.mark.parametrize("name", STATES)
def test_only_an_object_at_fault_itself_is_quarantined(name: str) -> None:
    first, rest = TASKS[name]["Catch"]
    assert first["Next"] == "Quarantine"
    assert set(first["ErrorEquals"]) == {"InvalidDicom", "ValidationFailed", "Quarantined"}
    assert rest["Next"] == "Failed"


def test_what_cannot_be_quarantined_fails_all_the_same() -> None:
    assert TASKS["Quarantine"]["Next"] == "Failed"
    assert {catcher["Next"] for catcher in TASKS["Quarantine"]["Catch"]} == {"Failed"}
    assert workflow()["States"]["Failed"]["Type"] == "Fail"


def test_fail_uses_the_words_of_the_tree_of_errors() -> None:
    told = TASKS["Ingestion"]["Catch"][0]["Assign"]["error"]
    words = dict(re.findall(r"'([\w.]+)': '([^']+)'", told))
    known = {
        name: kind.error
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.ScanwardError)
    }
    assert words == known | {
        "States.Timeout": "Timed out",
        "Sandbox.Timedout": "Timed out",
        "Runtime.OutOfMemory": "Too large",
    }


def test_the_machine_ends_by_itself_after_a_time_that_is_a_variable() -> None:
    assert workflow()["TimeoutSeconds"] == "${ExecutionTimeoutSeconds}"


def test_its_variables_are_the_functions_and_the_times() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", FILE.read_text())) == {
        "IngestionFunctionArn",
        "ValidationFunctionArn",
        "DeidentificationFunctionArn",
        "QuarantineFunctionArn",
        "StateTimeoutSeconds",
        "ExecutionTimeoutSeconds",
    }


def test_tasks_are_given_references_only() -> None:
    given = [json.dumps(state["Arguments"]) for state in TASKS.values()]
    plain: dict[str, Any] = {"reference": "{% $reference %}", "execution": "{% $execution %}"}
    assert {text for text in given if "failure" not in text} == {json.dumps(plain)}


def test_every_state_can_be_reached_and_every_next_is_there() -> None:
    states = workflow()["States"]
    text = json.dumps(states)
    named = {*re.findall(r'"(?:Next|Default)": "(\w+)"', text), workflow()["StartAt"]}
    assert named == set(states)
