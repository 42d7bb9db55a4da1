"""The time that one object may take: one that hangs is refused, and the batch goes on.

First line: an exception in the thread that works, by an alarm in a main thread (which also interrupts regular
expressions and waiting), by the watchdog in a thread of Dask's. Second line, in processes that are not the
command itself: the watchdog ends the process, and should no thread run any more, a timer in C does.
"""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType

_AGAIN = 1.0  # where code could not be left at first, as in a destructor, it is tried again
_MARGIN = 3.0
_TICK = 1.0
_STEPS = 100


class TookTooLong(BaseException):
    """An object's time is over; no `except Exception` of a library may take it for its own."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TookTooLong in the block if it takes longer."""
    alone = threading.current_thread() is threading.main_thread()
    watchdog = None if alone and multiprocessing.parent_process() is None else _watchdog()
    if watchdog is not None:
        watchdog.begin(seconds, interrupt=not alone)
    raised = False
    try:
        with _alarm(seconds) if alone else _nothing():
            yield
    except TookTooLong:
        raised = True
        raise
    finally:
        if watchdog is not None:
            watchdog.end(raised=raised)


class _Alarm:
    """Whether the alarm is set: one that comes late must raise nothing."""

    armed = False


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    signal.signal(signal.SIGALRM, _rung)
    _Alarm.armed = True
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        _Alarm.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def _rung(_number: int, _frame: FrameType | None) -> None:
    if _Alarm.armed:
        raise TookTooLong


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class _Watchdog:
    """A thread that knows when each of the others must be done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: dict[int, tuple[float, bool]] = {}
        self._interrupted: set[int] = set()
        self._nowhere = open(os.devnull, "w")  # noqa: SIM115, PTH123 - a device, open as long as the process
        self._armed = False
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self, seconds: float, *, interrupt: bool) -> None:
        with self._lock:
            self._ends[threading.get_ident()] = time.monotonic() + seconds, interrupt
            if not self._armed:
                self._arm()

    def end(self, *, raised: bool) -> None:
        """Forget this thread; an error that is on its way to it is taken here.

        It is never taken back: told to raise nothing, CPython 3.11 looks for it at every step from then on.
        """
        with self._lock:
            self._ends.pop(threading.get_ident(), None)
            sent = threading.get_ident() in self._interrupted
            self._interrupted.discard(threading.get_ident())
        if sent and not raised:
            with suppress(TookTooLong):
                for _ in range(_STEPS):
                    time.sleep(0)

    def _watch(self) -> None:
        while True:
            time.sleep(_TICK)
            with self._lock:
                self._look()
                if self._ends:
                    self._arm()
                elif self._armed:
                    faulthandler.cancel_dump_traceback_later()
                    self._armed = False

    def _arm(self) -> None:
        """Set the timer in C; it is set anew before it is over, as long as this thread runs."""
        left = max(end for end, _ in self._ends.values()) - time.monotonic()
        faulthandler.dump_traceback_later(max(left, 0) + 2 * _MARGIN, exit=True, file=self._nowhere)
        self._armed = True

    def _look(self) -> None:
        now = time.monotonic()
        for thread, (end, interrupt) in self._ends.items():
            if now > end + _MARGIN:
                os._exit(1)
            if now > end and interrupt and thread not in self._interrupted:
                self._interrupted.add(thread)
                _interrupt(thread, TookTooLong)


@cache
def _watchdog() -> _Watchdog:
    return _Watchdog()


def _interrupt(thread: int, error: type[BaseException]) -> None:
    """Let a thread raise an error at its next step."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
