"""The committed workflow, walked without Step Functions: order, Catch and Fail are read from the file.

What its JSONata does is done by hand here; tests/emulator runs the same file for real.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanward.entrypoints.aws_lambda.handlers import (
    DeidentificationHandler,
    IngestionHandler,
    ValidationHandler,
)
from scanward.entrypoints.aws_lambda.quarantine import QuarantineHandler
from scanward.errors import ScanwardError, Unavailable

FILE = Path(__file__).parents[2] / "state_machines" / "dicom_processing_workflow.json"
FUNCTIONS: dict[str, Callable[[], Any]] = {
    "${IngestionFunctionArn}": IngestionHandler,
    "${ValidationFunctionArn}": ValidationHandler,
    "${DeidentificationFunctionArn}": DeidentificationHandler,
    "${QuarantineFunctionArn}": QuarantineHandler,
}
ATTEMPTS = 4


def workflow() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text())
    return loaded


@dataclass
class Run:
    """One execution: its status, what it ended with, and every text that Step Functions would keep of it."""

    status: str = "RUNNING"
    error: str = ""
    cause: str = ""
    output: dict[str, Any] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def execute(reference: Mapping[str, Any], name: str = "execution") -> Run:
    """Take one object through the states as the file orders them."""
    states, run = workflow()["States"], Run()
    known: dict[str, Any] = {"reference": dict(reference), "execution": name}
    state = "Ingestion"
    while states[state]["Type"] == "Task":
        run.passed.append(state)
        arguments = {given: known[given.replace("failure", "raised")] for given in states[state]["Arguments"]}
        run.texts.append(json.dumps(arguments))
        try:
            result = _call(states[state], arguments)
        except ScanwardError as error:
            state = _caught(states[state], error, known, run)
            continue
        run.texts.append(json.dumps(result))
        known |= {"result": result, **{name: result[name] for name in ("reference",) if name in result}}
        if state == "Quarantine":
            run.error, run.cause = result["error"], result["cause"]
        state = states[state]["Next"]
    run.status = "SUCCEEDED" if states[state]["Type"] == "Succeed" else "FAILED"
    run.output = known.get("result", {}) if run.status == "SUCCEEDED" else {}
    run.texts += [run.error, run.cause]
    return run


def _call(state: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    retried = {name for retrier in state["Retry"] for name in retrier["ErrorEquals"]}
    for attempt in range(ATTEMPTS):
        try:
            answer: dict[str, Any] = FUNCTIONS[state["Resource"]]()(arguments, None)
        except Unavailable:
            if "Unavailable" not in retried or attempt == ATTEMPTS - 1:
                raise
        else:
            return answer
    raise AssertionError


def _caught(state: Mapping[str, Any], error: ScanwardError, known: dict[str, Any], run: Run) -> str:
    kind = type(error).__name__
    told = {"errorMessage": str(error), "errorType": kind, "stackTrace": []}
    known["raised"] = {"Error": kind, "Cause": json.dumps(told)}
    run.texts.append(json.dumps(known["raised"]))
    if "Quarantine" not in run.passed:
        run.error, run.cause = type(error).error, str(error).partition("\n")[0]
    catcher = next(
        one for one in state["Catch"] if kind in one["ErrorEquals"] or "States.ALL" in one["ErrorEquals"]
    )
    following: str = catcher["Next"]
    return following
