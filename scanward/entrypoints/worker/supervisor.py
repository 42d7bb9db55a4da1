"""Starts workers, replaces those that die, ends those that pass a stage's limit, stops all in order."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from ctypes import c_double
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess

from scanward import logs, wiring
from scanward.entrypoints.worker import loop
from scanward.entrypoints.worker.seat import CELLS, SETTLE, Seat
from scanward.errors import ScanwardError
from scanward.ports import Ports
from scanward.ports.executions import Claim, Outcome, Stage, Status
from scanward.settings import Settings

_TICK = 0.25
_GRACE = 30.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 10.0

_log = logs.logger(__name__)
# Workers are forked from a server that has imported all they need and has no threads: fast and clean.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([loop.__name__, *wiring.WORKER_MODULES])


@dataclass
class _Worker:
    """One worker process, and what it last leased; () when it is idle, None before it asked."""

    process: ForkServerProcess
    seat: Seat
    leased: tuple[Claim, ...] | None = None

    @property
    def ready(self) -> bool:
        return self.leased is not None

    @property
    def claims(self) -> tuple[Claim, ...]:
        return self.leased or ()

    @property
    def current(self) -> Claim | None:
        index = self.seat.index
        return self.claims[index] if 0 <= index < len(self.claims) else None

    @property
    def others(self) -> list[Claim]:
        return [claim for place, claim in enumerate(self.claims) if place != self.seat.index]


class Supervisor:
    """Keeps `settings.workers` workers at the line. Its methods are called from one thread at a time."""

    def __init__(
        self, settings: Settings, ports: Ports, main: Callable[[Settings, Seat], None] = loop.main
    ) -> None:
        """Take the site; nothing is started yet. `main` is what a worker process runs."""
        self._main = main
        self._settings = settings
        self._executions = ports.executions
        self._workers: list[_Worker] = []
        self._stopping = threading.Event()
        self._deaths = 0
        self._starts: list[float] = []

    @property
    def processes(self) -> list[int]:
        """Return the process ids of the workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    @property
    def at_work(self) -> bool:
        """Return whether at least one worker is there and has asked for work, or none is wanted."""
        return not self._settings.workers or any(worker.ready for worker in self._workers)

    @property
    def ready(self) -> bool:
        """Return whether all workers are there and have asked for work."""
        return len(self._workers) == self._settings.workers and all(one.ready for one in self._workers)

    @property
    def idle(self) -> bool:
        """Return whether no worker has work, and none waits for one."""
        quiet = self.ready and not any(worker.claims for worker in self._workers)
        return quiet and not self._executions.list(Status.RUNNING, limit=1)

    def stop(self) -> None:
        """Ask `watch` to end; callable from a signal handler or another thread."""
        self._stopping.set()

    def watch(self, *, until_idle: bool = False) -> None:
        """Start the workers and look after them until `stop`, or until the line is empty; then stop them."""
        self._stopping.clear()
        self._starts = [0.0] * self._settings.workers
        try:
            while not self._stopping.is_set():
                self._start_due()
                self._listen(_TICK)
                self._bury_dead()
                self._end_overdue()
                if until_idle and self.idle:
                    break
        finally:
            self._stop_all()

    def _start_due(self) -> None:
        """Start those whose time has come; one that died at once is started later each time."""
        now = time.monotonic()
        due = [moment for moment in self._starts if moment <= now]
        self._starts = [moment for moment in self._starts if moment > now]
        self._workers += [self._start() for _ in due]

    def _start(self) -> _Worker:
        ours, theirs = _processes.Pipe(duplex=False)
        cells = _processes.RawArray(c_double, CELLS)
        process = _processes.Process(target=self._main, args=(self._settings, Seat(theirs, cells)))
        process.start()
        theirs.close()
        return _Worker(process, Seat(ours, cells))

    def _listen(self, seconds: float) -> None:
        """Hear the workers until one of them speaks or ends; a pipe that is full would hold its worker up."""
        pipes = [worker.seat.pipe for worker in self._workers]
        ready = wait([*pipes, *(worker.process.sentinel for worker in self._workers)], timeout=seconds)
        for worker in self._workers:
            if worker.seat.pipe in ready:
                _drain(worker)

    def _bury_dead(self) -> None:
        for worker in list(self._workers):
            if not worker.process.is_alive():
                self._bury(worker)

    def _bury(self, worker: _Worker) -> None:
        """Charge the object that the worker had in hand, and give the others back uncharged.

        Where it died while a batch was made durable, any of them may be the cause: each is then taken alone.
        """
        _drain(worker)
        worker.process.join()
        _log.warning(
            "worker died", operation="worker", exit=worker.process.exitcode, stage=worker.seat.stage or None
        )
        with contextlib.suppress(ScanwardError):  # Leases lapse by themselves if the catalog cannot be used.
            if worker.current is not None:
                self._executions.renew([worker.current], 0)
                self._executions.release(worker.others)
            else:
                self._executions.renew(worker.claims, 0)
        worker.seat.pipe.close()
        self._workers.remove(worker)
        self._deaths = 0 if worker.ready else self._deaths + 1
        self._starts.append(time.monotonic() + min(_FIRST_PAUSE * 2**self._deaths, _LONGEST_PAUSE))

    def _end_overdue(self) -> None:
        limit = self._settings.stage_seconds
        for worker in list(self._workers):
            seconds = time.monotonic() - worker.seat.since
            if not worker.claims or not worker.seat.stage or seconds <= limit:
                continue
            worker.process.kill()
            worker.process.join()
            _drain(worker)
            current = worker.current
            if current is not None and worker.seat.stage != SETTLE:
                with contextlib.suppress(ScanwardError):
                    self._executions.finish([_timed_out(current, worker.seat.stage, seconds)])
            self._bury(worker)

    def _stop_all(self) -> None:
        """Let each finish its current object, and end those that do not within the grace."""
        for worker in self._workers:
            worker.process.terminate()
        end = time.monotonic() + _GRACE
        while self._workers and time.monotonic() < end:
            self._listen(_TICK)
            self._workers = [worker for worker in self._workers if not _ended(worker)]
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.seat.pipe.close()
        self._workers = []


def _ended(worker: _Worker) -> bool:
    if worker.process.is_alive():
        return False
    worker.process.join()
    worker.seat.pipe.close()
    return True


def _drain(worker: _Worker) -> None:
    """Hear all that a worker said; one that died said its last before."""
    with contextlib.suppress(EOFError, OSError):
        while worker.seat.pipe.poll():
            worker.leased = worker.seat.pipe.recv()


def _timed_out(claim: Claim, stage: str, seconds: float) -> Outcome:
    cause = f"The stage {stage} took longer than its limit (SCANWARD_STAGE_SECONDS)."
    stages = (Stage(stage, Status.TIMED_OUT, seconds),)
    return Outcome(claim, Status.TIMED_OUT, error="Timed out", cause=cause, stages=stages)


@contextlib.contextmanager
def supervised(supervisor: Supervisor) -> Iterator[Supervisor]:
    """Run a supervisor in a thread of its own while the block runs."""
    thread = threading.Thread(target=supervisor.watch, name="supervisor", daemon=True)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        thread.join()
