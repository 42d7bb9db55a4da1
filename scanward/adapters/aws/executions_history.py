"""What the history of an execution tells: the stages with their times, and the faults of a failure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from scanward.errors import Fault
from scanward.ports.executions import Stage, Status

_FAILURES = frozenset({
    "LambdaFunctionFailed", "LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed",
    "LambdaFunctionTimedOut", "TaskFailed", "TaskStartFailed", "TaskSubmitFailed", "TaskTimedOut",
})  # fmt: skip
_DETAILS = (
    "lambdaFunctionFailedEventDetails", "lambdaFunctionTimedOutEventDetails",
    "taskFailedEventDetails", "taskTimedOutEventDetails",
)  # fmt: skip


def stages_of(events: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return each task's time from its entry to its exit; one that never came out took until the end."""
    stages: list[Stage] = []
    name, began, failed = "", events[0]["timestamp"] if events else None, False
    for event in events:
        kind = event["type"]
        if kind == "TaskStateEntered":
            name, began, failed = event["stateEnteredEventDetails"]["name"], event["timestamp"], False
        elif kind in _FAILURES:
            failed = True
        elif kind.endswith("Succeeded"):
            failed = False
        if name and kind in {"TaskStateExited", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}:
            timed_out = kind == "ExecutionTimedOut"
            bad = Status.TIMED_OUT if timed_out else Status.FAILED
            status = bad if failed or kind != "TaskStateExited" else Status.SUCCEEDED
            stages.append(Stage(name.lower(), status, (event["timestamp"] - began).total_seconds()))
            name = ""
    return tuple(stages)


def faults_told(events: Sequence[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Return the faults in the newest failure's message: its second line, as our functions write it."""
    for event in reversed(events):
        for details in _DETAILS:
            told = json_of(mapping_of(event.get(details)).get("cause"))
            message = told.get("errorMessage")
            if isinstance(message, str) and "\n" in message:
                return faults_of(json_of(message.partition("\n")[2]).get("faults"))
    return ()


def faults_of(given: object) -> tuple[Fault, ...]:
    """Read faults as `Fault.as_json` writes them; nothing if they are anything else."""
    try:
        return tuple(Fault(**fault) for fault in given) if isinstance(given, list) else ()
    except TypeError:
        return ()


def json_of(text: object) -> dict[str, Any]:
    """Read a JSON object; {} if it is anything else."""
    try:
        return mapping_of(json.loads(text)) if isinstance(text, str) else {}
    except ValueError:
        return {}


def mapping_of(value: object) -> dict[str, Any]:
    """Return a dictionary as it is; {} for anything else."""
    return value if isinstance(value, dict) else {}
