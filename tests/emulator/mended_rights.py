"""Where MiniStack judges rights otherwise than AWS, put right: TLS, roles, tokens, sources of events."""

# ruff: noqa: SLF001 - the emulator has no public place for what is mended here

from __future__ import annotations

import importlib
import ipaddress
import json
import re
import threading
from contextvars import ContextVar
from typing import Any

_SESSION = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.+")


def mend() -> None:
    """Put all of it right, before the emulator serves."""
    count_loopback_as_tls()
    tell_policies_of_roles()
    hold_state_machines_to_their_roles()
    hear_healthimaging()
    hold_task_tokens_to_their_machine()


def count_loopback_as_tls() -> None:
    """Answer `aws:SecureTransport` with true for a caller on this machine: nothing is on the wire there."""
    app: Any = importlib.import_module("ministack.app")
    pin = app.pin_request_origin
    app.pin_request_origin = lambda ip, secure: pin(ip, secure or ipaddress.ip_address(ip).is_loopback)


def tell_policies_of_roles() -> None:
    """Answer `aws:PrincipalArn` with the role of a session, as AWS does, and not with the session."""
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    resolve = evaluator._resolve_condition_key

    def resolve_roles(key: str, context: Any) -> Any:  # noqa: ANN401 - the emulator has no types
        found = resolve(key, context)
        if key.lower() != "aws:principalarn":
            return found
        return _SESSION.sub(r"arn:\1:iam::\2:role/\3", str(found))

    evaluator._resolve_condition_key = resolve_roles


def hold_state_machines_to_their_roles() -> None:
    """Let a state machine call a function only if its role may, and fail the task as AWS does if not."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    role: ContextVar[str] = ContextVar("role")
    execute_task, call = states._execute_task, states._call_lambda

    def execute_with_the_role(definition: Any, given: Any, execution: Any, *rest: Any) -> Any:  # noqa: ANN401
        machine = execution["stateMachineArn"].partition("/")[0]  # a distributed map's runs end in its label
        role.set(states._state_machines[machine]["roleArn"])
        return execute_task(definition, given, execution, *rest)

    def call_if_the_role_may(function: Any, event: Any) -> Any:  # noqa: ANN401
        _, config, _ = functions._get_func_record_for_ref(function)
        if config and not _may_invoke(role.get(), config["FunctionArn"]):
            told = f"User: {role.get()} is not authorized to perform: lambda:InvokeFunction"
            raise states._ExecutionError("Lambda.AWSLambdaException", told)
        return call(function, event)

    states._execute_task, states._call_lambda = execute_with_the_role, call_if_the_role_may


def _may_invoke(role: str, function: str) -> bool:
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    _, _, _, region, account, _ = function.split(":", 5)
    name = role.rpartition("/")[2]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/states"
    asked = evaluator.EvalContext(session, "AssumedRole", account, "lambda:InvokeFunction", function, region)
    allowed = evaluator.evaluate(asked, evaluator._gather_role_policies(name, account))
    return str(allowed.decision) == "Allow"


def hear_healthimaging() -> None:
    """Take the events of HealthImaging, a service that is not here, from the tests' own server of it.

    AWS lets nobody put events of a source that begins with `aws.`; the emulator keeps to that for all others.
    """
    events: Any = importlib.import_module("ministack.services.eventbridge")
    put = events._put_events

    def put_events(data: Any, allow_aws_source: Any = None) -> Any:  # noqa: ANN401
        sources = {entry.get("Source") for entry in data.get("Entries", [])}
        return put(data, allow_aws_source=bool(allow_aws_source) or sources == {"aws.medical-imaging"})

    events._put_events = put_events


def hold_task_tokens_to_their_machine() -> None:
    """Ask policies for SendTaskSuccess on the state machine whose token it is, as AWS does.

    The emulator asks for it on `*`, so that only a role that may answer for every machine could.
    """
    machines: Any = importlib.import_module("ministack.services.stepfunctions")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    execute, wait = machines._execute_task, machines._invoke_with_callback
    resource_of, running = actions.extract_resource_arn, threading.local()
    of_token: dict[str, str] = {}

    def execute_task(state: Any, given: Any, execution: Any, *rest: Any) -> Any:  # noqa: ANN401
        running.machine = execution["stateMachineArn"]
        return execute(state, given, execution, *rest)

    def wait_for_token(resource: Any, given: Any, token: str, *rest: Any) -> Any:  # noqa: ANN401
        of_token[token] = running.machine
        return wait(resource, given, token, *rest)

    def resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:  # noqa: ANN401
        token = json.loads(body).get("taskToken") if service == "states" and body else None
        return of_token.get(str(token)) or resource_of(service, method, path, headers, body, *rest)

    machines._execute_task, machines._invoke_with_callback = execute_task, wait_for_token
    actions.extract_resource_arn = resource_arn
