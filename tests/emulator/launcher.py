"""Start MiniStack, mended in a few places where it is not AWS; run inside the emulator's own environment.

It ends with whoever holds the other end of its standard input, however that one ends, and takes the workers
that run the functions, and its folder, with it. No policy is dropped: what they ask for is what they get.
"""

# ruff: noqa: SLF001 - the emulator has no public place for what is mended here

from __future__ import annotations

import importlib
import ipaddress
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

_WIDTH = 2
_SESSION = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.+")
_RAISED = 'json.dumps({"status": "error", "error": str(e), "trace": '
_TOLD = 'json.dumps({"status": "ok", "error_type": type(e).__name__, "error": str(e), "trace": '


def main(folder: Path) -> None:
    """Serve until standard input ends; the port and the rest are MiniStack's own environment variables."""
    threading.Thread(target=_end_with_the_parent, args=(folder,), daemon=True).start()
    app = importlib.import_module("ministack.app")
    count_loopback_as_tls(app)
    tell_policies_of_roles()
    name_what_was_raised()
    hold_state_machines_to_their_roles()
    let_few_workers_wait_their_turn()
    read_concurrency_as_a_number()
    unpack_layers_once(folder / "layers")
    hear_healthimaging()
    hold_task_tokens_to_their_machine()
    app.main()


def count_loopback_as_tls(app: Any) -> None:  # noqa: ANN401 - the emulator has no types
    """Answer `aws:SecureTransport` with true for a caller on this machine: nothing is on the wire there."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda ip, secure: pin(ip, secure or ipaddress.ip_address(ip).is_loopback)


def tell_policies_of_roles() -> None:
    """Answer `aws:PrincipalArn` with the role of a session, as AWS does, and not with the session."""
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    resolve = evaluator._resolve_condition_key

    def resolve_roles(key: str, context: Any) -> Any:  # noqa: ANN401
        found = resolve(key, context)
        if key.lower() != "aws:principalarn":
            return found
        return _SESSION.sub(r"arn:\1:iam::\2:role/\3", str(found))

    evaluator._resolve_condition_key = resolve_roles


def name_what_was_raised() -> None:
    """Put back the exception's class as `errorType`, on which Retry and Catch match; keep the worker warm.

    The worker tells of an exception as of an answer, because the emulator ends a worker that tells of an
    error, which Lambda does not. The texts of causes, which AWS does not write to a log, stay in the trace
    that the emulator logs: a test that looks for leaks sees more, not less.
    """
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    script = runtime._PYTHON_WORKER_SCRIPT
    if script.count(_RAISED) != 1:
        raise SystemExit("This MiniStack's worker reports errors in another way: mend launcher.py.")
    runtime._PYTHON_WORKER_SCRIPT = script.replace(_RAISED, _TOLD)
    told = threading.local()
    invoke, execute = runtime.Worker.invoke, functions._execute_function_warm

    def invoke_and_keep_the_class(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        answer = invoke(*args, **kwargs)
        told.error_type = answer.get("error_type")
        return answer | {"status": "error"} if told.error_type else answer

    def execute_and_name_the_class(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        told.error_type = None
        result = execute(*args, **kwargs)
        if result.get("error") and told.error_type:
            result["body"]["errorType"] = told.error_type
        return result

    runtime.Worker.invoke = invoke_and_keep_the_class
    functions._execute_function_warm = execute_and_name_the_class


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


def let_few_workers_wait_their_turn() -> None:
    """Run a few environments of each function, so that a burst waits and does not start dozens at once.

    This machine's processors are what all of them share; a cold start is most of an object's time here.
    """
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    execute = functions._execute_function_warm
    turns: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(_WIDTH))

    def execute_in_turn(function: Any, *rest: Any) -> Any:  # noqa: ANN401
        with turns[function["config"]["FunctionArn"]]:
            return execute(function, *rest)

    functions._execute_function_warm = execute_in_turn


def read_concurrency_as_a_number() -> None:
    """Take a template's parameter for a trigger's concurrency: CloudFormation makes a number of it."""
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    concurrency = functions._sqs_esm_concurrency

    def concurrency_as_a_number(mapping: Any, *rest: Any) -> Any:  # noqa: ANN401
        scaling = mapping.get("ScalingConfig") or {}
        if "MaximumConcurrency" in scaling:
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return concurrency(mapping, *rest)

    functions._sqs_esm_concurrency = concurrency_as_a_number


def unpack_layers_once(folder: Path) -> None:
    """Unpack each layer once and let every cold start read that tree, as /opt is one mount on AWS.

    The emulator would unpack it for every worker. A worker gets a layer of one line instead, which puts the
    tree before everything else on its path.
    """
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    resolve: Callable[[Any], bytes | None] = functions._resolve_layer_zip
    lock = threading.Lock()

    def resolve_once(attachment: Any) -> bytes | None:  # noqa: ANN401
        packed = resolve(attachment)
        if packed is None:
            return None
        arn = attachment if isinstance(attachment, str) else attachment["Arn"]
        tree = folder / arn.replace(":", "_")
        with lock:
            if not tree.exists():
                _unpack(packed, tree)
        return _pointing_at(tree / "python")

    functions._resolve_layer_zip = resolve_once


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


def _unpack(packed: bytes, tree: Path) -> None:
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as file:
        file.write(packed)
        with zipfile.ZipFile(file) as archive:
            archive.extractall(tree)


def _pointing_at(python: Path) -> bytes:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            line = f"import sys; sys.path.insert(0, {str(python)!r})\n"
            archive.writestr("python/lib/python3/site-packages/layer.pth", line)
        file.seek(0)
        return file.read()


def _end_with_the_parent(folder: Path) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    # The workers are of this group, and one of them may be in the middle of a long call.
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv.pop()))
