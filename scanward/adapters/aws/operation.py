"""How a documented method ends: AWS's errors as ours, and one log line in the form of the API document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import cast

from scanward import logs
from scanward.adapters.aws.failures import translated
from scanward.errors import ScanwardError


@contextmanager
def operation(method: Callable[..., object], done: str, what: str) -> Iterator[dict[str, object]]:
    """Run a method's body and log how it ended, with the `details` that the body puts into what is yielded.

    Neither `done`, `what` nor a detail may hold a key, a name or a text of AWS. A failure is logged with its
    word of our tree and goes on to the caller.
    """
    written = cast("FunctionType", method)
    log = logs.logger(method.__module__)
    # The line names the documented method, not this one.
    place: dict[str, object] = {
        "operation": written.__name__,
        "at_module": method.__module__.rpartition(".")[2],
        "at_function": written.__name__,
        "at_line": written.__code__.co_firstlineno,
    }
    details: dict[str, object] = {}
    try:
        with translated(what):
            yield details
    except ScanwardError as error:
        log.exception("Operation failed", status="failed", error=error.error, **place, **details)
        raise
    log.info(done, status="completed", **place, **details)
