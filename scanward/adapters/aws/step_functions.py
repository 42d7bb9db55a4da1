"""The documented `StepFunctionsHandler`: state machines, their definitions and their executions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from scanward.adapters.aws import state_machines
from scanward.adapters.aws.clients import new_client
from scanward.adapters.aws.failures import code_of
from scanward.adapters.aws.operation import operation
from scanward.errors import BadInput

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_INPUT_BYTES: Final = 256 << 10
_PAGE: Final = 1000
_STATUSES: Final = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")
# The caller's own fault, by AWS's code: what to do about it. Everything else is told by `translated`.
_ASKED_WRONG: Final = {
    "ExecutionAlreadyExists": "This name is taken by another execution, and stays so for 90 days after it "
    "ends: choose another, or leave it out.",
    "InvalidArn": "This is not the ARN of a state machine or of an execution.",
    "InvalidDefinition": "The definition is not valid in the States Language; `asl-validator` says where.",
    "InvalidExecutionInput": "The input is not what Step Functions takes.",
    "InvalidName": "Step Functions does not take this name.",
    "StateMachineAlreadyExists": "A state machine of this name is there with another definition or role.",
    "ValidationException": "Step Functions finds a parameter invalid; check ARNs, names and numbers.",
}


class StepFunctionsHandler:
    """Makes state machines, starts executions and tells how they went."""

    def __init__(
        self,
        region_name: str = "us-east-1",
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
    ) -> None:
        """Work in one region. Without keys, boto3 looks for credentials."""
        self.region_name = region_name
        self.sfn_client: SFNClient = new_client(
            "stepfunctions", region_name, aws_access_key_id, aws_secret_access_key
        )

    def create_state_machine(
        self,
        name: str,
        definition: dict[str, Any],
        role_arn: str,
        logging_config: dict[str, Any] | None = None,
        tags: list[dict[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Make a Standard state machine; return `state_machine_arn` and `creation_date`.

        The same call again returns the same machine. `logging_config` is AWS's own form; a tag is
        `{"key": …, "value": …}`, capitals or not. Raises BadInput, also for placeholders that are left.
        """
        with operation(self.create_state_machine, "State machine created", "state machine"), _asked():
            left = state_machines.placeholders(definition)
            if left:
                raise BadInput(f"The definition has placeholders without a value: {', '.join(left)}.")
            wanted: dict[str, Any] = {
                "name": _name(name),
                "definition": _json(definition),
                "roleArn": role_arn,
            }
            if logging_config:
                wanted["loggingConfiguration"] = logging_config
            if tags:
                wanted["tags"] = [{part.lower(): text for part, text in tag.items()} for tag in tags]
            made = self.sfn_client.create_state_machine(type="STANDARD", **wanted)
            return {"state_machine_arn": made["stateMachineArn"], "creation_date": made["creationDate"]}

    def start_execution(
        self,
        state_machine_arn: str,
        execution_input: dict[str, Any],
        execution_name: str | None = None,
    ) -> dict[str, Any]:
        """Start an execution; return `execution_arn` and `start_date`.

        A name (1 to 80 of A-Z a-z 0-9 - _) makes the start idempotent: while that execution runs, the same
        name and input return it; otherwise BadInput, because the name is taken. Without a name each call
        starts another.
        """
        with operation(self.start_execution, "Execution started", "state machine"), _asked():
            wanted = {"input": _json(execution_input)}
            if len(wanted["input"].encode()) > _INPUT_BYTES:
                raise BadInput(f"An execution's input has at most {_INPUT_BYTES} bytes as JSON.")
            if execution_name is not None:
                wanted["name"] = _name(execution_name)
            started = self.sfn_client.start_execution(stateMachineArn=state_machine_arn, **wanted)
            return {"execution_arn": started["executionArn"], "start_date": started["startDate"]}

    def describe_execution(self, execution_arn: str) -> dict[str, Any]:
        """Return an execution as a dictionary, with None for what it has not.

        `execution_arn`, `state_machine_arn`, `name`, `status`, `start_date`, `stop_date`, `input`, `output`
        (both as read from JSON), `error`, `cause`. Raises NotFound, BadInput.
        """
        with operation(self.describe_execution, "Execution described", "execution") as details, _asked():
            found = self.sfn_client.describe_execution(executionArn=execution_arn)
            details["state"] = found["status"]
            return {
                "execution_arn": found["executionArn"],
                "state_machine_arn": found["stateMachineArn"],
                "name": found.get("name"),
                "status": found["status"],
                "start_date": found["startDate"],
                "stop_date": found.get("stopDate"),
                "input": _read(found.get("input")),
                "output": _read(found.get("output")),
                "error": found.get("error"),
                "cause": found.get("cause"),
            }

    def list_executions(
        self,
        state_machine_arn: str,
        status_filter: str | None = None,
        max_results: int = 100,
    ) -> list[dict[str, Any]]:
        """Return the newest executions, as many as `max_results`, over as many pages as it takes.

        Each has `execution_arn`, `name`, `status`, `start_date`, `stop_date`. Raises NotFound, BadInput.
        """
        with operation(self.list_executions, "Executions listed", "state machine") as details, _asked():
            wanted: dict[str, Any] = {"stateMachineArn": state_machine_arn}
            if status_filter is not None:
                wanted["statusFilter"] = _status(status_filter)
            if isinstance(max_results, bool) or not isinstance(max_results, int) or max_results < 1:
                raise BadInput("`max_results` is a whole number from 1 on.")
            pages = self.sfn_client.get_paginator("list_executions").paginate(
                **wanted, PaginationConfig={"MaxItems": max_results, "PageSize": min(max_results, _PAGE)}
            )
            listed = [
                {
                    "execution_arn": one["executionArn"],
                    "name": one["name"],
                    "status": one["status"],
                    "start_date": one["startDate"],
                    "stop_date": one.get("stopDate"),
                }
                for page in pages
                for one in page["executions"]
            ]
            details["executions"] = len(listed)
            return listed

    @staticmethod
    def load_state_machine_definition(file_path: str) -> dict[str, Any]:
        """Return the definition in a JSON file, its placeholders as they are. Raises NotFound, BadInput."""
        method = StepFunctionsHandler.load_state_machine_definition
        with operation(method, "Definition loaded", "definition"):
            return state_machines.load(Path(file_path))

    def substitute_variables(self, definition: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
        """Return the definition with its `${Name}` placeholders replaced; the one given is not changed.

        Text stays text, but where the States Language wants a number (`TimeoutSeconds` …) a placeholder that
        is the whole text becomes one. Placeholders without a variable stay; the log line names them, and
        `create_state_machine` refuses them. Raises BadInput.
        """
        with operation(self.substitute_variables, "Variables substituted", "definition") as details:
            replaced = state_machines.substituted(definition, variables)
            details["left"] = state_machines.placeholders(replaced)
            return replaced


@contextmanager
def _asked() -> Iterator[None]:
    """Tell the caller's own faults as such, in our words."""
    try:
        yield
    except ClientError as error:
        said = _ASKED_WRONG.get(code_of(error))
        if said is None:
            raise
        raise BadInput(said) from None


def _name(name: str) -> str:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise BadInput("A name for Step Functions has 1 to 80 of A-Z, a-z, 0-9, hyphen and underscore.")
    return name


def _status(status: str) -> ExecutionStatusType:
    if status not in _STATUSES:
        raise BadInput(f"There is no such status; there are {', '.join(_STATUSES)}.")
    return cast("ExecutionStatusType", status)


def _json(value: dict[str, Any]) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()  # Half a character would fail later, on the way.
    except (TypeError, ValueError):
        raise BadInput(
            "This is not JSON: it holds something else than texts, numbers, lists and objects."
        ) from None
    return text


def _read(text: str | None) -> Any:  # noqa: ANN401 - any JSON value
    return None if text is None else json.loads(text)
