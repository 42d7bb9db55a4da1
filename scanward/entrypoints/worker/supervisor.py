"""Starts workers, replaces those that die, ends those that pass a stage's limit, stops all in order."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from ctypes import c_double
from multiprocessing.connection import wait

from scanward import logs, wiring
from scanward.entrypoints.worker import loop
from scanward.entrypoints.worker.member import Member
from scanward.entrypoints.worker.seat import CELLS, SETTLE, Seat
from scanward.errors import ScanwardError
from scanward.ports import Ports
from scanward.ports.executions import Claim, Outcome, Stage, Status
from scanward.settings import Settings

_TICK = 0.25
_SLOW = 5.0
_SETTLING = 10.0  # times the limit of its objects: a slow disk is no object's fault
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 10.0

_log = logs.logger(__name__)
# Workers are forked from a server that has imported all they need and has no threads: fast and clean.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([loop.__name__, *wiring.WORKER_MODULES])


class Supervisor:
    """Keeps `settings.workers` workers at the line. Its methods are called from one thread at a time."""

    def __init__(
        self, settings: Settings, ports: Ports, main: Callable[[Settings, Seat], None] = loop.main
    ) -> None:
        """Take the site; nothing is started yet. `main` is what a worker process runs."""
        self._main = main
        self._settings = settings
        self._queue, self._executions = ports.queue, ports.executions
        self._workers: list[Member] = []
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
        return len(self._workers) >= self._settings.workers and all(one.ready for one in self._workers)

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
                self._balance()
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

    def _start(self) -> Member:
        ours, theirs = _processes.Pipe(duplex=False)
        cells = _processes.RawArray(c_double, CELLS)
        process = _processes.Process(target=self._main, args=(self._settings, Seat(theirs, cells)))
        process.start()
        theirs.close()
        return Member(process, Seat(ours, cells))

    def _listen(self, seconds: float) -> None:
        """Hear the workers until one of them speaks or ends; a pipe that is full would hold its worker up."""
        pipes = [worker.seat.pipe for worker in self._workers]
        ready = wait([*pipes, *(worker.process.sentinel for worker in self._workers)], timeout=seconds)
        for worker in self._workers:
            if worker.seat.pipe in ready:
                worker.hear()

    def _bury_dead(self) -> None:
        for worker in list(self._workers):
            if not worker.process.is_alive():
                self._bury(worker)

    def _bury(self, worker: Member) -> None:
        """Charge the object that the worker had in hand, and give the others back uncharged.

        Where it died while a batch was made durable, any of them may be the cause: each is then taken alone.
        """
        worker.hear()
        worker.process.join()
        code, stage = worker.process.exitcode, worker.seat.stage or None
        if code:
            _log.warning("worker died", operation="worker", exit=code, stage=stage)
        with contextlib.suppress(ScanwardError):  # Leases lapse by themselves if the catalog cannot be used.
            if worker.current is not None:
                self._queue.renew([worker.current], 0)
                self._queue.release(worker.others)
            else:
                self._queue.renew(worker.claims, 0)
        worker.seat.pipe.close()
        self._workers.remove(worker)
        self._deaths = 0 if worker.ready else self._deaths + 1
        if self._surplus < 0:
            self._starts.append(time.monotonic() + min(_FIRST_PAUSE * 2**self._deaths, _LONGEST_PAUSE))

    def _end_overdue(self) -> None:
        for worker in list(self._workers):
            seconds = worker.seconds
            if seconds <= self._settings.stage_seconds or seconds <= self._limit(worker):
                continue
            worker.end()
            current = worker.current
            if current is not None:
                with contextlib.suppress(ScanwardError):
                    self._queue.finish([_timed_out(current, worker.seat.stage, seconds)])
            self._bury(worker)

    def _limit(self, worker: Member) -> float:
        """Return the limit of what a worker has in hand; sizes are asked only of those beyond the least."""
        current = worker.current
        claims = worker.claims if current is None else [current]
        times = _SETTLING if worker.seat.stage == SETTLE else 1.0
        with contextlib.suppress(ScanwardError):
            size = sum(self._executions.describe(claim.execution_id).size for claim in claims)
            return times * self._settings.limit_seconds(size)
        return float("inf")

    @property
    def _surplus(self) -> int:
        """Return how many workers there are, or will be, beyond those wanted."""
        return len(self._workers) + len(self._starts) - self._settings.workers

    def _balance(self) -> None:
        """Give what waits behind a slow object to others; where all are slow, start one more, up to twice."""
        patience = min(_SLOW, self._settings.stage_seconds / 2)
        slow = [one for one in self._workers if one.current is not None and one.seconds > patience]
        for worker in slow:
            with contextlib.suppress(ScanwardError):
                self._queue.release(worker.relieve())
        if slow and len(slow) == len(self._workers) and self._surplus < self._settings.workers:
            if not self._starts:
                self._workers.append(self._start())
        elif self._surplus > 0 and not slow:
            idle = next((one for one in self._workers if one.ready and not one.claims), None)
            if idle is not None:
                idle.process.terminate()

    def _stop_all(self) -> None:
        """Let each finish its current object; end those that do not in time, and give back what they held."""
        for worker in self._workers:
            worker.process.terminate()
        end = time.monotonic() + self._settings.stop_seconds
        while self._workers and time.monotonic() < end:
            self._listen(min(_TICK, max(0.0, end - time.monotonic())))
            self._workers = [worker for worker in self._workers if not worker.ended()]
        for worker in self._workers:
            worker.end()
            with contextlib.suppress(ScanwardError):
                self._queue.release(worker.claims)
            worker.seat.pipe.close()
        self._workers = []


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
