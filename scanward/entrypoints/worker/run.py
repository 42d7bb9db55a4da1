"""Workers for a service, for one import, or by themselves (`scanward worker`)."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from scanward import wiring
from scanward.entrypoints.worker.supervisor import Supervisor, supervised
from scanward.ports import Ports
from scanward.settings import Settings


def run(settings: Settings, ports: Ports | None = None, *, until_idle: bool = False) -> None:
    """Keep workers at the line; block until SIGTERM or SIGINT, or with `until_idle` until it is empty."""
    supervisor = Supervisor(settings, ports or wiring.open_ports(settings))
    with _stopped_by_signals(supervisor):
        supervisor.watch(until_idle=until_idle)


@contextlib.contextmanager
def supervise(settings: Settings, ports: Ports) -> Iterator[Supervisor]:
    """Keep workers at the line while the block runs, from a thread of its own."""
    with supervised(Supervisor(settings, ports)) as supervisor:
        yield supervisor


@contextlib.contextmanager
def _stopped_by_signals(supervisor: Supervisor) -> Iterator[None]:
    """Stop in good order on SIGTERM and SIGINT, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        supervisor.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
