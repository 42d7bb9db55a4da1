"""A worker process: claim a batch, take each object through the line, make all durable, finish, again."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

from scanward import logs, wiring
from scanward.entrypoints.orphans import end_with_parent
from scanward.entrypoints.worker.seat import NOBODY, SETTLE, Seat
from scanward.errors import ScanwardError
from scanward.pipeline import Line, Work, advance, settle
from scanward.ports import Ports
from scanward.ports.executions import Claim
from scanward.settings import Settings
from scanward.store.ending import unexpected

BATCH = 20
_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 0.2
_AFTER_FAULT = 1.0

_log = logs.logger(__name__)


def main(
    settings: Settings,
    seat: Seat,
    open_line: Callable[[Settings, Ports], Line] = wiring.open_line,
) -> None:
    """Work until SIGTERM, which lets the current object end, or until the supervisor is gone."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides.
    end_with_parent()
    logs.configure(settings.log_level)
    ports = wiring.open_ports(settings, sweep=False)
    worker = _Worker(settings, open_line(settings, ports), seat, stopping)
    gc.freeze()  # Modules, tables and the policy stay for good: the collector need not look at them again.
    worker.run()


class _Worker:
    def __init__(self, settings: Settings, line: Line, seat: Seat, stopping: threading.Event) -> None:
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._lease = settings.lease_seconds
        self._line = line
        self._queue = line.ports.queue
        self._seat = seat
        self._stopping = stopping

    def run(self) -> None:
        pause = _SHORTEST_PAUSE
        idle = False
        while not self._stopping.is_set():
            try:
                claims = self._queue.claim(self._name, BATCH, self._lease)
                if claims:
                    idle, pause = False, _SHORTEST_PAUSE
                    self._seat.claimed(claims)
                    self._work(claims)
                    continue
            except ScanwardError as fault:
                # The catalog or the disk cannot be used now. What was leased lapses and is taken up again.
                _log.warning("line interrupted", operation="worker", error=fault.error, reason=fault.message)
                pause = _AFTER_FAULT
            if not idle:
                self._seat.claimed(())
                idle = True
            self._stopping.wait(pause)
            pause = min(pause * 2, max(pause, _LONGEST_PAUSE))

    def _work(self, claims: Sequence[Claim]) -> None:
        with self._renewing(claims):
            works = [
                self._advance(index, claim)
                for index, claim in enumerate(claims)
                if index == 0 or not (self._stopping.is_set() or self._seat.relieved)
            ]
            self._seat.begin(NOBODY, SETTLE)
            outcomes = settle(works, self._line.ports)
            self._queue.finish(outcomes)
        self._queue.release(claims[len(works) :])
        for outcome in outcomes:
            _log.info(
                "ended",
                operation="execution",
                execution_id=outcome.claim.execution_id,
                status=outcome.status.value,
                attempt=outcome.claim.attempt,
                error=outcome.error or None,
            )

    def _advance(self, index: int, claim: Claim) -> Work:
        try:
            return advance(claim, self._line, lambda stage: self._seat.begin(index, stage))
        except Exception as fault:  # noqa: BLE001 - a door: one object's surprise must not end the batch
            _log.exception("unexpected", operation="execution", execution_id=claim.execution_id)
            return Work(claim).failed(unexpected(fault))

    @contextlib.contextmanager
    def _renewing(self, claims: Sequence[Claim]) -> Iterator[None]:
        """Renew the leases from another thread while the work takes longer than a third of them."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(self._lease / 3):
                with contextlib.suppress(ScanwardError):
                    self._queue.renew(claims, self._lease)

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
