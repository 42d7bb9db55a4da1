"""Ctrl-C and SIGTERM: an interruption that reaches its command even if a library swallows it once."""

from __future__ import annotations

import signal
from types import FrameType

_asked = False


def listen() -> None:
    """Take SIGTERM like Ctrl-C, and remember either; one that is ignored from the start stays ignored."""
    signal.signal(signal.SIGTERM, _stop)  # `serve` and `worker` put their own in its place
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)


def check() -> None:
    """Raise KeyboardInterrupt if a stop was asked for.

    What is raised by the handler itself is lost where Python must ignore exceptions: in a finalizer, or in a
    callback of the collector.
    """
    if _asked:
        raise KeyboardInterrupt


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End what is under way; it is cleared away, and a later run goes on."""
    global _asked  # noqa: PLW0603 - a signal is the process's own
    _asked = True
    raise KeyboardInterrupt
