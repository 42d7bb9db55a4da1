"""Where MiniStack runs functions otherwise than Lambda, put right: errors, bursts, triggers and layers."""

# ruff: noqa: SLF001 - the emulator has no public place for what is mended here

from __future__ import annotations

import importlib
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WIDTH = 2
_RAISED = 'json.dumps({"status": "error", "error": str(e), "trace": '
_TOLD = 'json.dumps({"status": "ok", "error_type": type(e).__name__, "error": str(e), "trace": '


def mend(folder: Path) -> None:
    """Put all of it right, before the emulator serves; layers are unpacked below the folder."""
    name_what_was_raised()
    let_few_workers_wait_their_turn()
    read_concurrency_as_a_number()
    unpack_layers_once(folder / "layers")


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
        raise SystemExit("This MiniStack's worker reports errors in another way: mend this.")
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
