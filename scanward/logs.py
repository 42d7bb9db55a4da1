"""Structured logs: one JSON object a line, in the form of the API document, and never a library's own text.

    log = logs.logger(__name__)
    log.info("stored", operation="put", object=key, bytes=size)

Texts of libraries (log records, warnings, exceptions) may hold a patient's values. What reaches a line
of them is the logger's name, the level, the exception's type, and file and line: enough to find the
place, nothing to leak. Until `configure` is called, Scanward says nothing, as behoves a library.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Final, TextIO, cast

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import CallsiteParameter, CallsiteParameterAdder
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}
_FRAMES: Final = 12
_WRITE: Final = threading.Lock()

__all__ = ["bound", "configure", "logger", "place", "trace"]


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send JSON lines of at least `level` to `stream` (standard error), and those of all libraries too.

    Libraries are heard from WARNING up. Uncaught exceptions of any thread become a line, by type and place.
    """
    least = _LEVELS[level]
    out = stream if stream is not None else sys.stderr
    structlog.configure(
        processors=[merge_contextvars, _CALLSITE, _as_documented],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *names: _Line(names[0] if names else "scanward", out),
        cache_logger_on_first_use=False,
    )
    logging.raiseExceptions = False
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[_Bridge()], force=True)
    warnings.showwarning = _on_warning
    sys.excepthook = _on_uncaught
    sys.unraisablehook = lambda hook: _on_uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)
    threading.excepthook = lambda hook: _on_uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)


def logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a module; it follows every later `configure`."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def bound(**identifiers: str) -> AbstractContextManager[None]:
    """Add `request_id` or `execution_id` to every line written inside the `with` block, across awaits."""
    return bound_contextvars(**identifiers)


def place(error: BaseException) -> str:
    """Return where an exception was raised, as `package/module.py:line`, or "" if it never was."""
    frames = trace(error)
    return frames[-1].partition(" ")[0] if frames else ""


def trace(error: BaseException) -> list[str]:
    """Return an exception's innermost frames, `package/module.py:line function` each; never its text."""
    frames, step = [], error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return frames[-_FRAMES:]


def _short(filename: str) -> str:
    """Return a source file's last two path parts: enough to find it, no home folder in the log."""
    return "/".join(PurePath(filename).parts[-2:])


class _Line:
    """Writes rendered lines of one logger; a broken stream never ends the work that is being logged."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def _write(self, line: str) -> None:
        with _WRITE, suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg = _write


_CALLSITE: Final = CallsiteParameterAdder(
    [CallsiteParameter.MODULE, CallsiteParameter.FUNC_NAME, CallsiteParameter.LINENO],
    additional_ignores=["scanward.logs", "logging", "warnings"],
)


def _as_documented(writer: WrappedLogger, method: str, event: EventDict) -> str:
    """Order an event's fields as the API document prints them; whatever is left over goes into `details`."""
    level = "ERROR" if method in {"exception", "critical"} else method.upper()
    module, function, line = event.pop("module"), event.pop("func_name"), event.pop("lineno")
    fields: dict[str, object] = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "logger": event.pop("logger", writer.name),
        "module": event.pop("at_module", module),
        "function": event.pop("at_function", function),
        "line": event.pop("at_line", line),
        "message": event.pop("event"),
        "operation": event.pop("operation", function),
        "status": event.pop("status", "failed" if level == "ERROR" else "completed"),
    }
    for identifier in ("request_id", "execution_id"):
        if identifier in event:
            fields[identifier] = event.pop(identifier)
    error = _exception_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"], event["trace"] = type(error).__name__, trace(error)
    fields["details"] = event
    return json.dumps(fields, default=_type_name, separators=(",", ":"))


def _exception_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return cast("BaseException | None", given[1])
    return sys.exc_info()[1] if given else None


def _type_name(value: object) -> str:
    """Stand in for what JSON cannot hold: an exception or data set given by mistake must not print itself."""
    return f"<{type(value).__name__}>"


class _Bridge(logging.Handler):
    """Turns a library's record into a line without its text and arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        level = {10: "debug", 20: "info", 30: "warning"}.get(record.levelno, "error")
        # Alternative ways out (a print inside a library) are not ours to catch; records all pass here.
        fields: dict[str, object] = {
            "at_module": record.module,
            "at_function": record.funcName,
            "at_line": record.lineno,
            "place": f"{_short(record.pathname)}:{record.lineno}",
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info
        getattr(logger(record.name), level)("library message", operation="library", **fields)


def _on_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del message, file, line
    logger("py.warnings").warning(
        "library warning",
        operation="library",
        category=category.__name__,
        place=f"{_short(filename)}:{lineno}",
    )


def _on_uncaught(
    kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    fault = error if error is not None else kind()
    logger("scanward").error("uncaught exception", operation="run", exc_info=fault.with_traceback(traceback))


def _silent(*_names: str) -> structlog.ReturnLogger:
    return structlog.ReturnLogger()


if not structlog.is_configured():
    structlog.configure(
        processors=[lambda *_: "none"],
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=_silent,
    )
