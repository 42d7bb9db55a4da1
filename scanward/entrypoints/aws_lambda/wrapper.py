"""The documented decorator of handler classes: one way to log, to answer errors, and to raise them."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

from scanward import logs
from scanward.entrypoints.aws_lambda.safe_errors import parted, safe
from scanward.errors import ScanwardError
from scanward.settings import Settings

__all__ = ["is_of_states", "lambda_handler_wrapper"]

# Any stands for what api.md prints: events and answers are whatever JSON AWS and its callers make of them.
Event = Mapping[str, Any]
Answer = dict[str, Any]
Handle = Callable[[Any, Any, Any], Answer]
Handler = TypeVar("Handler")

_JSON: Final = {"content-type": "application/json"}
_log = logs.logger(__name__)


def lambda_handler_wrapper(handler_class: type[Handler]) -> type[Handler]:
    """Give a class with `handle(event, context)` the common way of the functions; it stays a class.

    Its instances are Lambda handlers themselves (`lambda_handler = MyHandler()`). An error is logged without
    a text that is not ours and answered as `statusCode, error, message, details`, behind an HTTP API in
    `body`. An event with `reference` comes from the state machine: there the error is raised, for Retry and
    Catch to match its class.
    """
    inner = cast("Handle", handler_class.handle)  # type: ignore[attr-defined]  # api.md names no base class

    @functools.wraps(inner)
    def handle(self: Handler, event: Event, context: Any = None) -> Answer:  # noqa: ANN401 - AWS's own object
        with logs.bound(**_identifiers(event, context)):
            answer = _attempt(inner, self, event, context)
        if isinstance(answer, ScanwardError):
            # Raised here, outside of any `except`, so that no library's exception hangs on it.
            if is_of_states(event):
                raise parted(answer)
            return _formed(event, answer.as_json())
        return answer

    def __call__(self: Handler, event: Event, context: Any = None) -> Answer:  # noqa: ANN401, N807 - as above; it becomes the class's own
        _log_as_a_function()
        return cast("Answer", self.handle(event, context))  # type: ignore[attr-defined]  # as above

    handler_class.handle = handle  # type: ignore[attr-defined]  # as above
    handler_class.__call__ = __call__  # type: ignore[method-assign]  # as above
    return handler_class


def is_of_states(event: Event) -> bool:
    """Tell whether an event comes from the state machine."""
    return isinstance(event, Mapping) and "reference" in event


def _attempt(inner: Handle, handler: object, event: Event, context: object) -> Answer | ScanwardError:
    operation, began = type(handler).__name__, time.perf_counter()
    try:
        answer = _formed(event, inner(handler, event, context))
    except ScanwardError as error:
        rules = sorted({fault.rule for fault in error.faults})[:20]
        _log.warning(
            "refused",
            operation=operation,
            status="failed",
            error=error.error,
            rules=rules,
            place=logs.place(error),
        )
        return safe(error)
    except Exception as error:  # noqa: BLE001 - the door: whatever it is, its text may hold a patient's value
        _log.error("failed", operation=operation, exc_info=error)
        return safe(error)
    _log.info("handled", operation=operation, seconds=round(time.perf_counter() - began, 4))
    return answer


def _formed(event: Event, answer: Answer) -> Answer:
    """Return an answer as its asker takes it: an HTTP API wants the body as text."""
    if not _is_http(event):
        return answer
    headers = {**_JSON, **answer.get("headers", {})}
    body = answer if "error" in answer else answer.get("body", {})
    text = body if isinstance(body, str) else json.dumps(body)
    return {"statusCode": answer.get("statusCode", 200), "headers": headers, "body": text}


def _is_http(event: Event) -> bool:
    if not isinstance(event, Mapping):
        return False
    context = event.get("requestContext")
    return "httpMethod" in event or (isinstance(context, Mapping) and "http" in context)


def _identifiers(event: Event, context: object) -> dict[str, str]:
    """Return what ties log lines together: the request's id and the execution's name, a keyed hash."""
    found = {"request_id": getattr(context, "aws_request_id", "")}
    if is_of_states(event):
        found["execution_id"] = event.get("execution") or ""
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


@functools.cache
def _log_as_a_function() -> None:
    """Log as JSON lines, once a process: only where Lambda itself calls, never in a program of others."""
    logs.configure(Settings().log_level)
