"""Where batches run: this process, others of this machine, a Dask cluster; each a `futures.Executor`."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from typing import Any, ParamSpec, Protocol, TypeVar

from scanward.entrypoints.orphans import end_with_parent
from scanward.errors import Misconfigured, Unavailable

P = ParamSpec("P")
T = TypeVar("T")
_GRACE = 3.0


class Pool(Protocol):
    """An executor that can be made anew after one of its workers died."""

    executor: Executor
    window: int
    broken: tuple[type[BaseException], ...]
    batch_files: tuple[int, int]
    batch_seconds: float

    def renew(self, *, alone: bool = False) -> None:
        """Replace an executor that a dead worker broke; `alone`: with one worker."""
        ...

    def close(self) -> None:
        """Let nothing run on."""
        ...


class Inline(Executor):
    """Runs each call at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - Executor's own signature
        """Run a call and return its finished future; Ctrl-C goes through."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(error)
        return future


class InlinePool:
    """One core, no further process."""

    window = 1
    broken: tuple[type[BaseException], ...] = ()
    batch_files = (8, 64)
    batch_seconds = 0.25

    def __init__(self) -> None:
        """Make the executor."""
        self.executor: Executor = Inline()

    def renew(self, *, alone: bool = False) -> None:
        """Do nothing: it cannot break without this process."""

    def close(self) -> None:
        """Do nothing."""


class ProcessPool:
    """Processes of this machine, started by spawn."""

    broken: tuple[type[BaseException], ...] = (BrokenExecutor,)
    batch_files = (4, 100)
    batch_seconds = 0.5

    def __init__(self, jobs: int) -> None:
        """Start the first processes with the first batch."""
        self._jobs = jobs
        self.window = jobs * 2
        self.executor: Executor = self._new(jobs)

    def renew(self, *, alone: bool = False) -> None:
        """Start anew; what ran in the broken pool has ended with it."""
        self.executor.shutdown(wait=True, cancel_futures=True)
        self.executor = self._new(1 if alone else self._jobs)

    def close(self) -> None:
        """Drop what waits, and give batches under way some seconds; a later run does again what is cut."""
        killer = threading.Timer(_GRACE, _kill, [multiprocessing.active_children()])
        killer.start()
        self.executor.shutdown(wait=True, cancel_futures=True)
        killer.cancel()

    def _new(self, jobs: int) -> Executor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(jobs, mp_context=context, initializer=begin_worker)


def _kill(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.kill()


def begin_worker() -> None:
    """Leave Ctrl-C to the main process, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def cluster(address: str) -> Pool:
    """Return the pool of a Dask scheduler. Raises Misconfigured (no extra) or Unavailable."""
    try:
        from scanward.entrypoints.cli.batch.dask_pool import DaskPool  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError:
        raise Misconfigured("--scheduler needs Dask: install scanward[dask].") from None
    try:
        return DaskPool(address)
    except (OSError, TimeoutError, ValueError):
        raise Unavailable("The Dask scheduler does not answer; look at --scheduler ADDRESS.") from None
